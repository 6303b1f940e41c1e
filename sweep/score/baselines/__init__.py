"""Baselines: forecasters without gradient training to compare networks with, and their scores."""
