"""Hyperparameter searches which can be interrupted and resumed."""
