"""Diagnosis: probes measure a trained network; findings follow from evidence by pure functions.

Nothing is imported here, so that the parts without torch stay quick to import.
"""
