"""The families: a module each, whose docstring is its specification."""
