"""Figures, the only door to matplotlib. Each function draws one picture from numbers; files are written whole."""

import matplotlib as mpl

mpl.use("agg")

from zoo.report.figures import activity, autoencoder, trigram

EVALUATIONS = {"activity": activity.evaluation, "autoencoder": autoencoder.evaluation, "trigram": trigram.evaluation}
"""By the kind of model: `(report, history, pictures, folder) -> files`."""
