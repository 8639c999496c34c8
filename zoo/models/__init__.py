"""The families: one module each, its docstring the specification."""
