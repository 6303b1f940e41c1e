"""Planted faults with known causes and healthy runs: what the figures of the diagnoses come from.

Each run leaves what a stored trial leaves, so that checks can be run again without training.
"""
