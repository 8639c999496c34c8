"""Reports of autoencoders."""

from zoo.report import markdown as md
from zoo.report.markdown import Document
from zoo.report.pages import Pages

TITLE = "Sparse autoencoders"
SCORE, MAXIMIZE = "mse", False
FILE_SCORES = ("r2",)
EXAMPLE = "patch"
RESULTS = ("r2", "mse", "max_activation_error")


pages = Pages("patches/report.md.j2")
training, evaluation, predictions, interface = pages.training, pages.evaluation, pages.predictions, pages.interface


def headline(test: Document) -> tuple[str, str]:
    """The error on test data with the sparsity reached, and that of the baseline."""
    return md.say(test, SCORE, "max_activation_error"), f"PCA (not sparse) {md.show(test['pca_mse'], 'mse')}"
