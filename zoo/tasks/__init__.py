"""Tasks: training, evaluation, prediction, export and cross-validation of the models of each kind of data."""
