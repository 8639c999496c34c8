"""Searches for hyperparameters. The only package that imports keras-tuner."""
