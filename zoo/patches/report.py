"""Reports of autoencoders."""

from zoo.report import markdown as md
from zoo.report.markdown import Document, Pages

TITLE = "Sparse autoencoders"
SCORE, MAXIMIZE = "mse", False
FILE_SCORES = ("r2",)
EXAMPLE = "patch"
RESULTS = ("r2", "mse", "max_activation_error")
COLUMNS = ("mse", "max_activation_error")

pages = Pages("patches/report.md.j2")
training, evaluation, predictions = map(pages.macro, ("training", "evaluation", "predictions"))
interface = pages.macro("interface")


def headline(test: Document) -> tuple[str, str]:
    """The error on test data with the sparsity reached, and that of the baseline."""
    name, error = baseline(test)
    return md.say(test, SCORE, "max_activation_error"), f"{name} {md.show(error, SCORE)}"


def baseline(test: Document) -> tuple[str, float]:
    """The name and the error of the baseline."""
    return "PCA (not sparse)", test["pca_mse"]
