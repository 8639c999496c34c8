"""Figures, the only door to matplotlib. Each function draws one picture from numbers; files are written whole."""

import matplotlib as mpl

mpl.use("agg")

from zoo.report.figures import language, recognition, reconstruction

EVALUATIONS = {"activity": recognition.evaluation, "patches": reconstruction.evaluation, "text": language.evaluation}
"""By the kind of model: `(report, history, pictures, folder) -> files`."""
