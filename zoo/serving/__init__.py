"""Serves the page of `examples/phone` with a model to phones on the same network, for `zoo serve`."""

from zoo.serving.page import page_files
from zoo.serving.server import PageServer

__all__ = ["PageServer", "page_files"]
