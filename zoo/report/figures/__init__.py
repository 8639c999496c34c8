"""Figures, the only door to matplotlib: a module a task. A function draws one picture from plain numbers."""

import matplotlib as mpl

mpl.use("agg")
