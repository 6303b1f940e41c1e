"""Simple forecasters to compare networks with, and their scores."""
