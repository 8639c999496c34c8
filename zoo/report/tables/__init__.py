"""Results as tables on the terminal. Each function takes a console and the document that `--json` prints."""

from zoo.report.tables import recognition, reconstruction
from zoo.report.tables.layout import document
from zoo.report.tables.models import artefacts, presets

TRAININGS = {"activity": recognition.training, "patches": reconstruction.training}
EVALUATIONS = {"activity": recognition.evaluation, "patches": reconstruction.evaluation}
"""By the kind of model."""

__all__ = ["EVALUATIONS", "TRAININGS", "artefacts", "document", "presets", "recognition"]
