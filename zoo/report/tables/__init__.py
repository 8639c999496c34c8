"""Results as tables on the terminal. Each function takes a console and the document that `--json` prints."""

from zoo.report.tables import language, recognition, reconstruction, search
from zoo.report.tables.layout import document
from zoo.report.tables.models import artefact_list, artefacts, presets

TRAININGS = {"activity": recognition.training, "patches": reconstruction.training, "text": language.training}
EVALUATIONS = {"activity": recognition.evaluation, "patches": reconstruction.evaluation, "text": language.evaluation}
"""By the kind of model."""

__all__ = [
    "EVALUATIONS",
    "TRAININGS",
    "artefact_list",
    "artefacts",
    "document",
    "language",
    "presets",
    "recognition",
    "search",
]
