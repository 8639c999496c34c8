"""Markdown on a terminal: nothing is lost at 80 columns, and a pipe gets the Markdown itself."""

import io
import re

import listing
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from zoo.catalog import PRESETS_FOLDER
from zoo.files import read_json
from zoo.presets import PRESETS
from zoo.report import for_task, markdown, results, terminal


def screen(text, width=80, **options):
    console = Console(file=io.StringIO(), force_terminal=True, width=width, **options)
    terminal.show(text, console)
    return console.file.getvalue()


def words(text):
    """The words of Markdown without its marks, pictures and links, or of a screen."""
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"\]\([^)]*\)|^#+ |^> |^```\w*|^\|( -+:? \|)+$|[*`\[\\]", "", text, flags=re.MULTILINE)
    return text.replace("|", " ").split()


def document(preset, name):
    return read_json(PRESETS_FOLDER / preset / f"{name}.json")


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("preset", ["activity_gru_pocket", "sparse_autoencoder_best", "trigram_lm_best"])
def test_a_terminal_shows_every_word_and_number_of_a_card(preset, width):
    page = results.card(preset, PRESETS[preset], document(preset, "metrics"), document(preset, "config"))
    page = page[page.index("## Training") : page.index("## Usage")]
    shown = screen(page, width, color_system=None)
    assert all(len(line) <= width for line in shown.splitlines())
    # Words longer than a line are folded, so letters are compared; the first columns of tables come again.
    assert width == 40 or set(words(page)) <= set(words(shown))
    assert len("".join(words(shown))) >= len("".join(words(page)))


@pytest.mark.parametrize("preset", ["activity_gru_course", "sparse_autoencoder_best", "trigram_lm_best"])
def test_the_terminal_shows_the_tables_of_the_card(preset):
    metrics = document(preset, "metrics")
    page = results.card(preset, PRESETS[preset], metrics, document(preset, "config"))
    shown = for_task(metrics["kind"]).evaluation(metrics["test"])
    rows = [line for line in shown.splitlines() if line.startswith("| **this model**")]
    assert rows
    assert all(row in page for row in rows)


def test_the_lists_lose_nothing_at_80_columns():
    for page in (results.preset_table(results.presets()), listing.results_page()):
        shown = screen(page, 80, color_system=None)
        assert all(len(line) <= 80 for line in shown.splitlines())
        assert set(words(page)) == set(words(shown))


def test_a_pipe_gets_the_markdown_without_pictures():
    console = Console(file=io.StringIO(), width=80)
    terminal.show(
        "# Title\n\n![figure](figure.png) ![other](other.png)\n\n| a | b |\n| --- | ---: |\n| x | 1 |\n", console
    )
    assert console.file.getvalue() == "# Title\n\n| a | b |\n| --- | ---: |\n| x | 1 |\n"


def test_no_color_has_none(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    shown = screen(markdown.page(markdown.note("x"), "`y`", "*z*"))
    assert not re.search(r"\x1b\[(?:\d+;)*[34]\d", shown)


def test_a_note_has_the_mark_and_the_color_of_its_kind_and_is_broken_between_words():
    words = " ".join(["word"] * 30)
    kinds = ("ok", "note", "warning", "broken")
    shown = screen(markdown.page(*(markdown.note(words, kind) for kind in kinds)), 80, color_system="standard")
    for mark in ("32m✓", "36m·", "33m!", "31m✗"):
        assert f"\x1b[1;{mark}\x1b[0m word" in shown
    lines = [line for line in re.sub(r"\x1b\[[\d;]*m", "", shown).splitlines() if line.strip()]
    assert {line[2:6] for line in lines} == {"word"}
    assert {line.rstrip()[-4:] for line in lines} == {"word"}


def test_a_cell_in_bold_is_green_and_a_row_whose_first_cell_is_bold_is_bold():
    shown = screen(markdown.table(("a", "b"), [("x", "**1**"), ("**y**", "2")]), color_system="standard")
    assert re.search(r"\x1b\[[\d;]*32m1", shown)
    assert re.search(r"\x1b\[1m *2", shown)


@settings(max_examples=50, deadline=None)
@given(text=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20))
def test_text_from_outside_is_shown_as_it_is(text):
    table = markdown.table(("name", "n"), [(markdown.escape(text), "1")])
    assert text in screen(table, 80, color_system=None)
