"""The card of a preset, rendered from its measured numbers: a page of Markdown."""

from zoo.presets import Preset
from zoo.report.cards import activity, autoencoder, trigram
from zoo.report.cards.page import SECTIONS, Document

__all__ = ["SECTIONS", "card", "headline"]

_PAGES = {"activity": activity, "autoencoder": autoencoder, "trigram": trigram}


def card(name: str, preset: Preset, metrics: Document, config: Document) -> str:
    """Renders a card.

    Args:
        name: Of the preset.
        preset: Its row.
        metrics: Its `metrics.json`.
        config: Its `config.json`.

    Returns:
        The page. Every number on it is one of `metrics`.
    """
    parts = _PAGES[config["metadata"]["task"]].card(name, preset, metrics, config)
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def headline(metrics: Document) -> tuple[str, str]:
    """What was measured of a preset, and what stands beside it, in a few words each."""
    measured, beside = _PAGES[metrics["kind"]].headline(metrics["test"])
    return measured, beside
