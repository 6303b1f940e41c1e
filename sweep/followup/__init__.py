"""Trainings and measurements after a study: confirmation, winner, treatment, audit, diagnosis."""
