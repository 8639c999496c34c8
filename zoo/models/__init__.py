"""The families. Each module's docstring is the specification of its models."""
