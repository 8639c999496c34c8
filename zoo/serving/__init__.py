"""Serves the page of `examples/phone` with a model to phones on the same network, for `zoo serve`."""

from zoo.serving.server import PageServer, page_files

__all__ = ["PageServer", "page_files"]
