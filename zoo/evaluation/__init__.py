"""Evaluation: how good a model is, a module a family, on NumPy arrays alone."""
