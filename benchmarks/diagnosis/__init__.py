"""Planted faults with known causes, and healthy runs: the source of the published accuracy of diagnoses.

Each run leaves what a stored trial leaves, so that checks can be run again without training.
"""
