"""Figures, one module per task. This is the only package that imports matplotlib."""

import matplotlib as mpl

mpl.use("agg")
