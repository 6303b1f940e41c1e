"""Forecasts from elsewhere, brought to the diagnosis: read, scored beside baselines, and judged by their symptom.

No network is needed, and no torch: a forecast, the truth that came, and the past before it.
"""
