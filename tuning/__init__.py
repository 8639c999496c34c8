"""Hyperparameter searches on one machine or many, which can be interrupted and resumed."""
