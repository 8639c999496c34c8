"""Results as tables on the terminal. Each function takes a console and the document that `--json` prints."""

from zoo.report.tables import activity, autoencoder, search, trigram
from zoo.report.tables.layout import document
from zoo.report.tables.models import artifact_list, artifacts, presets

TRAININGS = {"activity": activity.training, "autoencoder": autoencoder.training, "trigram": trigram.training}
EVALUATIONS = {"activity": activity.evaluation, "autoencoder": autoencoder.evaluation, "trigram": trigram.evaluation}
"""By the kind of model."""

__all__ = [
    "EVALUATIONS",
    "TRAININGS",
    "activity",
    "artifact_list",
    "artifacts",
    "document",
    "presets",
    "search",
    "trigram",
]
