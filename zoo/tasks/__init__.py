"""Tasks: what a family does with a file from end to end: train, evaluate, predict, export, cross-validate."""
