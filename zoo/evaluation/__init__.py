"""Metrics and baselines on NumPy arrays, one module per task."""
