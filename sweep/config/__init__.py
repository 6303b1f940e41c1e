"""Configurations: studies and trials as frozen, validated values, and the study files that they are read from."""
