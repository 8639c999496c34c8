"""The docs say what works: their code runs in the order of its page, their links lead somewhere, no page is lost."""

import configparser
import json
import multiprocessing
import os
import pydoc
import re
import runpy
import shutil
import sys
import tomllib
import zipfile
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path
from statistics import fmean, median
from unittest import mock
from urllib.parse import unquote, urldefrag, urljoin

import follow
import numpy as np
import pytest
from running import ROOT, parameters_of, python

from zoo.activity import simulate
from zoo.catalog import preset_metrics
from zoo.cli import COMMANDS
from zoo.data import LAYOUTS
from zoo.presets import PRESETS
from zoo.runtime.metadata import CLASSES

DOCS = ROOT / "docs"
PAGES = sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))
WITH_CODE = [page for page in PAGES if re.search(r"^```(bash|python)", (DOCS / page).read_text(), re.MULTILINE)]


def wisdm(folder):
    """A zip file in the layout of WISDM 1.1, of people who do not exist."""
    random = np.random.default_rng(0)
    lines, time = ["garbled line;"], 0
    for who in range(1, 7):
        person = simulate.Walker.draw(str(who), random)
        for label in CLASSES:
            for x, y, z in person.record(label, 20, 20.0, random).acceleration.tolist():
                time += 50_000_000
                lines.append(f"{who},{label.capitalize()},{time},{x:.4f},{y:.4f},{z:.4f};")
            time += 10_000_000_000
    with zipfile.ZipFile(folder / "wisdm2010.zip", "w") as file:
        file.writestr("WISDM_ar_v1.1/WISDM_ar_v1.1_raw.txt", "\n".join(lines) + "\n")


AT_HAND = {"recipes/study.md": wisdm}
"""What a reader of a page has before the first line of code, where no script next to a notebook makes it."""


def at_hand(page):
    """Makes what a reader of a page has before the first line of code."""
    script = ROOT / "examples" / Path(page).with_suffix(".py")
    if script.is_file():
        runpy.run_path(str(script), run_name="__main__")
    elif page in AT_HAND:
        AT_HAND[page](Path())


def checkout(folder):
    for name in ("zoo", "tuning", "tests", "saved_models"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "page"))
    for name in ("docs", "benchmarks"):
        (folder / name).mkdir()
    for name in ("setup.cfg", "README.md", "docs/index.md", "docs/results.md", "benchmarks/pages.py"):
        shutil.copy(ROOT / name, folder / name)
    make = folder / "saved_models" / "make.py"
    make.write_text(make.read_text().replace("\nSEEDS = 5\n", "\nSEEDS = 2\n"))


PROGRAMS = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
FORKS = multiprocessing.get_context("forkserver")
# Each page is followed in a fork of a process that has imported TensorFlow, which takes seconds.
FORKS.set_forkserver_preload(["zoo.training"])


@pytest.mark.docs
@pytest.mark.parametrize("page", [page for page in WITH_CODE if not page.startswith("recipes/")])
def test_the_code_of_a_page_runs_in_its_order(page, tmp_path, monkeypatch):
    (folder := tmp_path / "reader").mkdir()
    monkeypatch.chdir(folder)
    log = tmp_path / "log"
    with mock.patch.dict(os.environ, PYTHONPATH=str(ROOT), PATH=PROGRAMS):
        at_hand(page)
        run = FORKS.Process(target=follow.follow_in_fork, args=(DOCS / page, folder, log, dict(os.environ)))
        run.start()
        run.join()
    assert run.exitcode == 0, log.read_text(errors="replace")[-3000:]


@pytest.mark.docs
@pytest.mark.parametrize("page", [page for page in WITH_CODE if page.startswith("recipes/")])
def test_the_code_of_a_recipe_runs_in_a_checkout(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkout(tmp_path)
    at_hand(page)
    run = python(ROOT / "tests" / "follow.py", DOCS / page, PYTHONPATH=str(tmp_path), PATH=PROGRAMS)
    assert run.returncode == 0, f"{run.stdout[-3000:]}\n{run.stderr[-3000:]}"


def test_every_block_has_a_language_and_what_is_left_out_says_why():
    for page in PAGES:
        fences = re.findall(r"^```(.*)$", (DOCS / page).read_text(), re.MULTILINE)
        for opening in fences[::2]:
            assert re.fullmatch(r"(bash|python|diff|c|cpp|html|js|kotlin|bibtex)( title=\"[^\"]+\")?", opening), (
                f"{page}: {opening}"
            )
        assert set(fences[1::2]) <= {""}, page


def navigation(entries):
    for entry in entries:
        for target in entry.values():
            yield from navigation(target) if isinstance(target, list) else [target]


def test_every_page_and_every_card_is_in_the_navigation_once():
    nav = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"]
    made = ["reference/commands.md", "course.md", *(f"presets/{name}.md" for name in PRESETS)]
    assert sorted(navigation(nav)) == sorted([*PAGES, *made])


class Links(HTMLParser):
    """Where a page leads to, and where it can be entered."""

    def __init__(self, text):
        super().__init__()
        self.targets, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.targets += [found[name] for name in ("href", "src") if found.get(name)]
        self.anchors.update(found[name] for name in ("id", "name") if found.get(name))


@pytest.fixture(scope="module")
def html(site):
    """The pages of the site, by their address."""
    return {
        "/" + str(path.relative_to(site)).removesuffix("index.html"): path.read_text() for path in site.rglob("*.html")
    }


@pytest.mark.slow
def test_every_link_and_anchor_leads_somewhere_and_nothing_is_fetched_from_elsewhere(site, html):
    pages = {address: Links(text) for address, text in html.items()}
    assert len(pages) > len(PAGES)
    for address, page in pages.items():
        for target in page.targets:
            if re.match(r"[a-z]+:", target):
                continue
            where, anchor = urldefrag(urljoin(address, target.partition("?")[0]))
            if not (site / unquote(where).lstrip("/")).is_file():
                assert where in pages, f"{address}: {target}"
                assert not anchor or unquote(anchor) in pages[where].anchors, f"{address}: {target}"
        assert not re.findall(r"<(?:script|img)[^>]*src=\"?https?:", html[address]), address
        assert not re.findall(r"<link[^>]*stylesheet[^>]*https?:", html[address]), address


def test_each_guide_has_a_picture_and_those_of_notebooks_are_their_outputs(monkeypatch):
    monkeypatch.syspath_prepend(DOCS / ".site")
    import bars
    import pictures

    for guide in (DOCS / "small-data.md", *(DOCS / "guides").glob("*.md")):
        assert re.search(r"^!\[.{20,}\]\(|^<!-- chart [a-z-]+ -->$", guide.read_text(), re.MULTILINE), guide.name
    for name in pictures.NOTEBOOKS:
        assert (DOCS / "assets" / f"guide-{name}.png").read_bytes() == pictures.of_notebook(name), (
            "run pictures.py guides"
        )
    for row in measured("inference")["presets"]["activity_gru_pocket"]:
        if "step" in row:
            assert f">{row['engine']}</text>" in bars.engines("activity_gru_pocket")
            assert f">{row['step']['median_us']:.2f} \N{MICRO SIGN}s<" in bars.engines("activity_gru_pocket")


def test_an_address_that_is_set_is_shown_by_readme_and_every_card(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(DOCS / ".site")
    import address

    page = tmp_path / "README.md"
    shutil.copy(ROOT / "README.md", page)
    address.announce(page, "https://zoo.example/")
    assert 'href="https://zoo.example/phone/"' in page.read_text()
    assert len(page.read_text().splitlines()) == len((ROOT / "README.md").read_text().splitlines())
    assert "<title>https://zoo.example/phone/</title>" in (tmp_path / address.CODE).read_text()
    address.announce(page, address.published())
    assert page.read_text() == (ROOT / "README.md").read_text()

    (tmp_path / "zensical.toml").write_text('[project]\nsite_url = "https://zoo.example"\n')
    set_there = address.published(tmp_path / "zensical.toml")
    monkeypatch.setattr(address, "published", lambda: set_there)
    runpy.run_path(str(DOCS / ".site" / "build.py"), run_name="build")["stage"](tmp_path / "docs")
    codes = {
        str(path.relative_to(tmp_path / "docs")): re.findall(r'class="code".*?<title>(.*?)</title>', path.read_text())
        for path in (tmp_path / "docs").rglob("*.md")
    }
    expected = {}
    for name in PRESETS:
        where = f"phone/?model={name}" if name.startswith("activity") else f"presets/{name}/"
        expected[f"presets/{name}.md"] = [f"https://zoo.example/{where}"]
    assert {page: found for page, found in codes.items() if found} == expected


def options(words):
    """The options of the command that a line begins with; none if the line names a group of commands."""
    commands = [name for name in COMMANDS if f"{words} ".startswith(f"{name} ")]
    if not commands and any(name.startswith(f"{words} ") for name in COMMANDS):
        return set()
    assert commands, f"zoo {words}"
    return {name for argument in parameters_of(max(commands, key=len)) for name in argument.names}


# Readers of recipes add commands.
@pytest.mark.parametrize(
    "page",
    ["README.md", "CONTRIBUTING.md", *(f"docs/{page}" for page in PAGES if not page.startswith("recipes/"))],
)
def test_the_commands_options_and_names_on_a_page_exist(page):
    text = (ROOT / page).read_text().replace("\\\n", " ")
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]
    lines = re.findall(r"^ *(?:\$ )?(zoo .*)$", text, re.MULTILINE)
    for code in [*(span for span in spans if re.match("zoo [a-z]", span)), *lines]:
        words = " ".join(code.split()[1:])
        named = {*re.findall(r"(?<!\S)--[a-z][\w-]*", words)} - {"--help", "--debug", "--code"}
        # A function of one's own has options of its own.
        assert ".py:" in words or named <= options(words), code
    for name in re.findall(r"(?<![\w./])zoo\.[a-zA-Z][\w.]*\w", text):
        assert pydoc.locate(name) is not None, name


def test_every_public_name_of_the_package_is_in_the_reference(html):
    import zoo

    reference = "".join(text for address, text in html.items() if address.startswith("/reference/"))
    for name, module in zoo._HOMES.items():
        assert f'id="{module}.{name}"' in reference, name


def test_the_reference_has_every_command_with_every_option(html):
    page = html["/reference/commands/"]
    sections = dict(re.findall(r'<h2 id="([\w-]+)">(.*?)(?=<h2 |</article>)', page, re.DOTALL))
    for words in COMMANDS:
        section = sections["-".join(["zoo", *words.split()])]
        for argument in parameters_of(words):
            for name in argument.names if argument.index is None else [argument.name.lstrip("-").upper()]:
                assert re.search(rf"<code>{re.escape(name)}[ <]", section), f"{words} {name}"


def test_the_table_of_results_leads_to_the_cards_and_code_is_copied_without_prompts(html):
    for name in PRESETS:
        assert f'href="../presets/{name}/"' in html["/results/"]
        assert f'<h1 id="{name}">' in html[f"/presets/{name}/"]
    for address, text in html.items():
        assert not re.search(r"<code>(?:<[^>]*>)*\$ ", text), address


def bars(page, title=""):
    """The numbers of a page's chart by the names of its bars, whose lengths they are."""
    charts = re.findall(r'<figure class="chart">.*?</figure>', page, re.DOTALL)
    chart = next(one for one in charts if f"<figcaption>{title}" in one)
    found = re.findall(r'<text[^>]*>([^<]*)</text><rect[^>]* width="([\d.]+)".*?<text[^>]*>([\d.,]+)', chart)
    found = [(name, float(length), number.replace(",", "")) for name, length, number in found]
    _, most, number = max(found, key=lambda bar: bar[1])
    # A number is rounded to its last digit.
    for _, length, shown in found:
        last = 10.0 ** -len(shown.partition(".")[2])
        assert length == pytest.approx(most * float(shown) / float(number), abs=max(0.5, most * last / float(number)))
    return {name: number for name, _, number in found}


def rows(page):
    """The cells of all tables of a Markdown page, without code marks and links."""
    return [[re.sub(r"`|\*\*|\[([^]]*)\]\([^)]*\)", r"\1", cell.strip()) for cell in line.strip("|").split("|")]
            for line in page.read_text().splitlines() if line.startswith("|")]  # fmt: skip


def test_the_charts_of_guides_show_the_numbers_of_tables(html):
    guide = {name: rows(DOCS / "guides" / f"{name}.md") for name in ("c", "label", "probabilities")}
    shown = bars(html["/guides/c/"], "Median time")
    steps = {row[0]: row[1] for row in guide["c"] if row[0] in shown}
    assert steps == {name: time if float(time) < 10 else f"{float(time):.0f}" for name, time in shown.items()}

    instructions = {
        f"{row[0]}, {row[1]}": row[4].replace(",", "")
        for row in guide["c"] if len(row) == 5 and row[1].startswith("c99")
    }  # fmt: skip
    assert bars(html["/guides/c/"], "Instructions") == instructions
    flash = bars(html["/guides/c/"], "Flash")
    assert {row[2] for row in guide["c"] if row[0] == "Cortex-M4F"} <= set(flash.values())

    minutes = {row[1]: row[2] for row in guide["label"] if row[0] == "DSADS"}
    assert bars(html["/guides/label/"], "Minutes") == minutes
    hours = {row[0]: row[1:] for row in guide["label"] if len(row) == 3}
    seconds = bars(html["/guides/label/"], "Seconds")
    assert [seconds["drawn, first time"], seconds["drawn, again"]] == hours["day is drawn"]

    told = r"(\d+) were made wrong. The list asked about (\d+) stretches,\s+and (\d+)"
    wrong = chain.from_iterable(re.findall(told, html["/guides/label/"]))
    assert list(bars(html["/guides/label/"], "Labels").values()) == list(wrong)

    labeled = [row[4].removesuffix("%") for row in guide["probabilities"] if row[0] == "probability"]
    assert list(bars(html["/guides/probabilities/"], "Windows of unknown").values()) == labeled

    names = [name.replace("_", " ") for name in measured("other")["by_kind"]]
    # Another table before has these movements, too.
    kinds = [[row[1], *row[3:]] for row in rows(DOCS / "splits.md") if row[0] in names][-len(names) :]
    drawn = bars(html["/guides/probabilities/"], "Time shown").values()
    assert [f"{share}%" for share in drawn] == [*chain.from_iterable(kinds)]

    each = {row[0]: row[3].removesuffix("%") for row in guide["probabilities"] if len(row) == 5}
    shown = bars(html["/guides/probabilities/"], "Windows that are labeled")
    assert shown == {name: each[name.partition(",")[0]] for name in shown}

    ready = chain.from_iterable(row[1:] for row in rows(DOCS / "guides" / "phone.md") if row[0].startswith("ready"))
    assert [f"{number} s" for number in bars(html["/guides/phone/"], "Seconds").values()] == list(ready)

    fitted = {row[0].partition(" ")[0]: row[1:3] for row in rows(DOCS / "speed.md")}
    for name, time in bars(html["/guides/keras/"], "Training time").items():
        cell, _, way = name.partition(", ")
        assert time == f"{float(fitted[cell][way != 'zoo.train']):.0f}"

    shown = bars(html["/guides/studies/"], "Windows that are right")
    for turn, *cells in (row for row in rows(DOCS / "splits.md") if row[0] in shown and len(row) == 7):
        assert float(shown[turn]) == pytest.approx(fmean(float(cell.partition("%")[0]) for cell in cells), abs=1)

    card = rows(ROOT / "saved_models" / "activity_gru_phone" / "card.md")
    sizes = {row[0].split(".")[1]: row[1] for row in card if re.fullmatch(r"model\.\w+\.tflite", row[0])}
    assert bars(html["/guides/deploy/"], "Files") == sizes
    assert bars(html["/guides/deploy/"], "Walking") == {
        f"{row['study']}, {name}": f"{100 * row['walking_as_stairs']:.1f}"
        for name, key in (("average of 0.5 s", "average over 0.5 s"), ("filter", "zoo"))
        for row in measured("filters")["filters"][key] if row["left_out"] == row["study"] != "motionsense"
    }  # fmt: skip

    # The first table of flights is that of new people.
    flights = rows(DOCS / "splits.md")
    head = flights.index(["walking or stairs", "dsads", "geotec", "motionsense", "oxford", "selfback", "wisdm"])
    assert bars(html["/guides/deploy/"], "Time of flights") == {
        f"{study}, {name}": cell.split(" / ")[2].removesuffix("%")
        for study in ("dsads", "motionsense", "selfback", "wisdm")
        for name, row in (("as in the file", flights[head + 2]), ("evidence 0.6", flights[head + 4]))
        for cell in [row[flights[head].index(study)]]
    }

    scores = {}
    for row in rows(DOCS / "small-data.md"):
        if row[0] == "selfBACK" and len(row) == 9:
            scores[f"{row[1]} people, random forest"] = row[5].split()[0]
            scores[f"{row[1]} people, fine-tuned"] = row[8].split()[0]
    assert bars(html["/small-data/"]) == scores

    results = [row for row in rows(DOCS / "results.md") if row[0].startswith("activity_") and len(row) == 9]
    points = re.findall(r"<title>(\w+): macro-F1 ([\d.]+), ([\d.]+) kB</title>", html["/guides/tune/"])
    assert sorted(points) == sorted((row[0], row[1], row[5]) for row in results)


def table(layout):
    """The columns of a file as a table in Markdown."""
    lines = ["| key | shape | contents |", "|---|---|---|"]
    for column in layout.columns:
        fields = {field.key: field.shape for field in (layout.in_file(column, split) for split in layout.splits)}
        shapes = ", ".join(f"`({', '.join(shape)}{',' * (len(shape) == 1)})`" for shape in fields.values())
        keys = ", ".join(f"`{key}`" for key in fields)
        lines.append(f"| {keys} | {shapes} | {column.meaning}{'; optional' * column.optional} |")
    return "\n".join(lines) + "\n"


def test_the_layouts_are_those_that_are_checked():
    page = (DOCS / "layouts.md").read_text()
    for layout in LAYOUTS.values():
        assert table(layout) in page, layout.name


def test_the_commands_in_drawings_exist():
    texts = re.findall(r"<text[^>]*>(zoo [^<]*)</text>", (DOCS / "assets" / "way.svg").read_text())
    assert len(texts) >= 5
    for text in texts:
        for command in text.split(", "):
            # Refuses what is no command.
            options(command.removeprefix("zoo "))


def test_the_drawing_of_the_layers_is_what_import_linter_proves():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    rows = config["importlinter:contract:layers"]["layers"].split()
    drawn = re.findall(r"<text[^>]*>([^<]*)</text>", (DOCS / "assets" / "layers.svg").read_text())
    assert [name for name in drawn if name != "tuning"] == [name for name in rows if name != "|"]


MEASURED = {
    "guides/c.md": ["inference", "microcontroller"], "guides/deploy.md": ["personal"],
    "guides/label.md": ["labeling", "labeling_page", "ten_hours"], "guides/phone.md": ["phone", "pocket"],
    "guides/probabilities.md": ["abstention"], "leaderboard.md": ["leaderboard"], "external.md": ["external"],
    "../examples/networks/README.md": ["networks"], "scale.md": ["scale"], "small-data.md": ["small_data"],
    "splits.md": [
        "filters", "left_out", "lying", "other", "pairs", "predecessor", "splits", "streaming_studies", "studies",
        "turns", "unseen", "waiting", "walkers",
    ],
    "research/activity.md": ["distilling", "ensembles", "mixing", "recipes"],
}  # fmt: skip
"""Pages with numbers, and the benchmarks that write them."""


@pytest.mark.parametrize(("page", "benchmark"), [(page, name) for page, names in MEASURED.items() for name in names])
def test_the_numbers_and_figures_of_a_page_are_those_that_were_measured(page, benchmark, tmp_path, monkeypatch):
    copy = tmp_path / Path(page).name
    copy.write_text((DOCS / page).read_text())
    (tmp_path / "assets").mkdir()
    script = ROOT / "benchmarks" / f"{benchmark}.py"
    monkeypatch.setattr(sys, "argv", [str(script), "--page", str(copy)])
    monkeypatch.syspath_prepend(script.parent)
    runpy.run_path(str(script), run_name="__main__")
    assert copy.read_text() == (DOCS / page).read_text()
    for drawn in (tmp_path / "assets").iterdir():
        assert drawn.read_bytes() == (DOCS / "assets" / drawn.name).read_bytes(), drawn.name


def measured(name):
    return json.loads((ROOT / "benchmarks" / f"{name}.json").read_text())


def test_the_page_of_the_splits_draws_its_conclusions_from_what_was_measured():
    forest, gru = ({name: measured("splits")[name][model]["macro_f1"] for name in ("people", "other_people", "windows",
                    "overlapping_windows")} for model in ("random_forest", "activity_gru"))  # fmt: skip
    for scores in (forest, gru):
        assert abs(scores["people"] - scores["other_people"]) < scores["windows"] - scores["people"]
        assert scores["windows"] < scores["overlapping_windows"]
    # The page says how far the forest is ahead: by three and five points for new people, by two where windows overlap.
    ahead = {name: round(100 * (forest[name] - gru[name])) for name in forest}
    assert (ahead["people"], ahead["other_people"], ahead["overlapping_windows"]) == (3, 5, 2)


def test_the_page_of_the_splits_says_whom_more_people_and_more_studies_help():
    rows = {what: [row["studies"] for row in measured("studies")[what]] for what in ("people", "studies")}

    def gain(what, study, first, last):
        return 100 * (rows[what][last][study]["score"]["share"] - rows[what][first][study]["score"]["share"])

    several = ("motionsense", "selfback", "wisdm", "dsads")
    assert {study: round(gain("people", study, 0, -1)) for study in several} == {
        "motionsense": 4, "selfback": 5, "wisdm": 6, "dsads": 9,
    }  # fmt: skip
    assert sum(0.5 < gain("people", study, -2, -1) < 2.5 for study in several) == 3
    for study in ("geotec", "oxford"):
        assert gain("people", study, 0, -1) < 0
        shares = [row[study]["walking_as_stairs"]["share"] for row in rows["people"]]
        assert 0.055 < min(shares) <= max(shares) < 0.125
    stairs = {
        study: [row[study]["walking_as_stairs"]["share"] for row in rows["studies"]] for study in rows["studies"][0]
    }
    assert stairs["geotec"][-1] < stairs["geotec"][1] / 2
    assert (round(stairs["wisdm"][1], 2), round(stairs["wisdm"][-1], 2)) == (0.3, 0.06)
    assert all(abs(gain("studies", study, 0, -1)) < 1.1 for study in ("motionsense", "wisdm", "dsads"))
    for study, gaining in (("dsads", 8), ("oxford", 3)):
        few, many = (rows["studies"][place][study]["score"]["by_person"] for place in (1, -1))
        assert sum(many[person] > few[person] for person in few) == gaining


def test_the_page_of_the_splits_says_what_other_movements_bring_where_two_studies_are_left_out(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from pairs import CANDIDATES, STUDIES, chosen_without, mean_of

    rows, (plain, chosen, weighted, capped) = measured("pairs")["rows"], CANDIDATES
    choices = {study: chosen_without(rows, study)[0] for study in STUDIES}
    assert {study: choice for study, choice in choices.items() if choice != chosen} == {
        "dsads": plain, "wisdm": weighted,
    }  # fmt: skip
    assert [round(100 * mean_of(rows, name, "geotec", "right")) for name in (plain, chosen)] == [90, 88]
    for study in ("dsads", "geotec", "wisdm"):
        less, more = (mean_of(rows, name, study, "walking_as_stairs") for name in (chosen, weighted))
        assert less < more
    assert mean_of(rows, weighted, "wisdm", "right") < mean_of(rows, chosen, "wisdm", "right")
    assert round(100 * mean_of(rows, weighted, "geotec", "unlabeled")) == 18
    for study in ("dsads", "geotec", "oxford", "wisdm"):
        less, more = (mean_of(rows, name, study, "walking_as_stairs") for name in (chosen, capped))
        assert less < more - 0.01
    assert round(100 * mean_of(rows, capped, "wisdm", "walking_as_stairs")) == 10
    assert round(100 * mean_of(rows, capped, "geotec", "unlabeled")) == 23
    as_stairs, silent = (
        {study: [round(100 * mean_of(rows, name, study, key)) for name in (plain, chosen)] for study in STUDIES}
        for key in ("walking_as_stairs", "unlabeled")
    )
    assert {study: as_stairs[study] for study in ("geotec", "wisdm", "oxford")} == {
        "geotec": [6, 1], "wisdm": [9, 4], "oxford": [23, 19],
    }  # fmt: skip
    assert [silent[study][1] for study in ("geotec", "oxford", "wisdm")] == [11, 6, 4]
    for study in ("dsads", "motionsense", "selfback", "wisdm"):
        assert abs(mean_of(rows, plain, study, "right") - mean_of(rows, chosen, study, "right")) < 0.01
    ideas = [f"{mean_of(rows, name, 'wisdm', 'right'):.1%}" for name in (chosen, weighted, capped)]
    assert ideas == ["81.8%", "81.4%", "82.2%"]


def test_the_page_of_the_splits_says_what_is_left_where_one_study_is_left_out():
    found = {}
    for row in measured("left_out")["rows"]:
        for key in ("right", "walking_as_stairs", "stairs_as_walking", "unlabeled"):
            found.setdefault((row["study"], key), []).append(row[key]["share"])
    mean = {key: round(100 * fmean(shares)) for key, shares in found.items() if None not in shares}
    level = "dsads, without the inclined treadmill"
    assert [mean[name, "walking_as_stairs"] for name in ("dsads", level, "oxford")] == [15, 1, 17]
    assert mean[level, "right"] == 98
    stairs = {study: max(shares) - min(shares) for (study, key), shares in found.items() if key == "walking_as_stairs"}
    assert [round(100 * stairs.pop(study)) for study in ("dsads", "oxford")] == [9, 3]
    assert max(stairs.values()) < 0.025
    walks = [("geotec", "right"), ("oxford", "right")]
    others = {
        (study, key): max(shares) - min(shares) for (study, key), shares in found.items()
        if key != "walking_as_stairs" and None not in shares and (study, key) not in walks
    }  # fmt: skip
    assert round(100 * others.pop(("wisdm", "stairs_as_walking"))) == 7
    assert max(others.values()) < 0.035


def test_the_page_of_the_splits_says_what_is_not_reached_and_what_would_reach_it():
    card = preset_metrics("activity_gru_phone")
    wisdm, oxford = (card["streams_of_people"]["studies"][name]["settled"] for name in ("wisdm", "oxford"))
    kinds = [[*shares] for shares in zip(*(row.values() for row in measured("other")["by_kind"].values()), strict=True)]
    never, few, unseen, learned = (f"{median(shares):.0%}" for shares in kinds)
    left = {}
    for row in measured("left_out")["rows"]:
        left.setdefault(row["study"], []).append(row)

    def share(study, key):
        return f"{fmean(row[key]['share'] for row in left[study]):.1%}"

    table = {row[0]: row[1:] for row in rows(DOCS / "splits.md") if len(row) > 2}
    right = [share("wisdm", "right"), f"{wisdm['right']['share']:.1%}"]
    assert table["WISDM left out: time that is right"][1:] == right
    stairs = [share("oxford", "walking_as_stairs"), f"{oxford['walking_as_stairs']['share']:.1%}"]
    assert table["Oxford left out: walking shown as stairs"][1:] == stairs
    kind = "a kind of movement left out: time shown as a known activity, median of six"
    assert table[kind][1:] == [unseen, learned]
    pocket = "new people: macro-F1 of windows, activity_gru_pocket"
    assert table[pocket][1] == f"{preset_metrics('activity_gru_pocket')['test']['macro_f1']:.3f}"
    people = card["studies"]["per_subject"]
    right = sorted(row["accuracy"] for person, row in people.items() if person.startswith("wisdm/"))
    assert (len(right), right[6] < 0.8, right[7] > 0.88) == (22, True, True)
    text = " ".join((DOCS / "splits.md").read_text().split())
    assert f"without any other movement in training, {never} of their time" in text
    assert f"with four or five other kinds of the same people and studies {few}, with eight {unseen}" in text
    persons = {}
    for row in left["oxford"]:
        for person, wrong in row["walking_as_stairs"]["by_person"].items():
            persons.setdefault(person, []).append(wrong)
    means = [fmean(wrong) for wrong in persons.values()]
    assert f"{min(means):.0%}"[:-1] + f" to {max(means):.0%} of the walking is shown as stairs" in text
    curve = [row["studies"]["oxford"]["walking_as_stairs"]["share"] for row in measured("studies")["people"]]
    assert "(7, 8, 7 and 9% of windows with 9, 18, 37 and 73 people)" in text
    assert [round(100 * wrong) for wrong in curve] == [7, 8, 7, 9]
    passing = {}
    for row in measured("unseen")["rows"]:
        passing.setdefault((row["study"], row["score"] == "probability"), []).append(row["passing"])
    assert max(passing["dsads", False]) < fmean(passing["dsads", True]) + 0.01
    reached = ("motionsense", "selfback", "dsads, without the inclined treadmill")
    assert "{}, {} and {} is right".format(*(share(study, "right") for study in reached)) in text


def test_the_research_log_says_what_teachers_gain():
    distilled_of = {row["study"]: row for row in measured("distilling")["rows"] if row["learned"] == "distilled"}
    gains, plain_of = {}, {row["study"]: row for row in measured("left_out")["rows"] if row["seed"] == 0}
    for study in ("wisdm", "oxford"):
        plain, distilled = plain_of[study], distilled_of[study]
        gains[study] = f"{100 * (distilled['right']['share'] - plain['right']['share']):.1f} points more of"
        assert abs(distilled["walking_as_stairs"]["share"] - plain["walking_as_stairs"]["share"]) < 0.0075
    text = " ".join((DOCS / "research" / "activity.md").read_text().split())
    assert f"{gains['wisdm']} WISDM's time" in text
    assert f"{gains['oxford']} Oxford's walking" in text

    def gain(study, key):
        return round(100 * (distilled_of[study][key]["share"] - plain_of[study][key]["share"]), 1)

    assert (gain("geotec", "right"), gain("wisdm", "stairs_as_walking")) == (8.2, 3.1)
    assert max(abs(gain(study, "right")) for study in ("dsads", "motionsense", "selfback")) < 0.35
    spread = {study: [row["right"]["share"] for row in measured("left_out")["rows"] if row["study"] == study]
              for study in ("geotec", "oxford", "wisdm")}  # fmt: skip
    assert [round(100 * (max(shares) - min(shares)), 1) for shares in spread.values()] == [1.9, 3.3, 0.8]


def test_the_research_log_says_what_mixtures_of_windows_change():
    mixed = {row["study"]: row for row in measured("mixing")["rows"]}
    plain = {row["study"]: row for row in measured("left_out")["rows"] if row["seed"] == 0}
    for study, after in mixed.items():
        before = plain[study]
        if study in ("dsads", "geotec", "oxford"):
            assert after["walking_as_stairs"]["share"] < before["walking_as_stairs"]["share"]
        if before["stairs_as_walking"]["share"] is not None:
            assert after["stairs_as_walking"]["share"] > before["stairs_as_walking"]["share"] + 0.035
    shares = [found["motionsense"]["stairs_as_walking"]["share"] for found in (mixed, plain)]
    assert [round(100 * share) for share in shares] == [21, 9]
    assert mixed["geotec"]["unlabeled"]["share"] < 0.03
    text = " ".join((DOCS / "splits.md").read_text().split())
    assert f"({mixed['wisdm']['right']['share']:.1%}, at the price of MotionSense's stairs)" in text


def test_the_page_of_the_splits_says_what_the_turn_of_a_phone_changes():
    found = {}
    for row in (row for row in measured("turns")["rows"] if row["training"] == "as in the zoo"):
        found.setdefault((row["study"], row["turn"]), []).append((row["right"], row["walking_as_stairs"]))
    mean = {key: np.mean(values, axis=0) for key, values in found.items()}
    for study, turn in mean:
        (right, stairs), (before, stairs_before) = mean[study, turn], mean[study, "as it is"]
        assert abs(stairs - stairs_before) < 0.045
        if turn in ("upside down", "screen to the body"):
            assert abs(right - before) < 0.025
        elif turn != "as it is" and study not in ("geotec", "oxford"):
            assert right < before - 0.125


def test_the_page_of_the_splits_says_what_turns_in_training_prevent():
    rows = [row for row in measured("turns")["rows"] if "dsads" in row["left_out"]]
    again = [row["left_out"] for row in rows if row["training"] == "not turned"]
    rows = [row for row in rows if row["left_out"] in again]

    def mean(training, turn, key, study="", without=""):
        own = [row for row in rows if (row["training"], row["turn"]) == (training, turn)]
        return fmean(row[key] for row in own if study in (row["study"], "") and without not in row["left_out"])

    right = [round(100 * mean("not turned", turn, "right")) for turn in ("upside down", "screen to the body")]
    assert right == [81, 79]
    for training, shares in {"selfBACK alone turned": [88, 89], "not turned": [78, 87]}.items():
        found = [mean(training, turn, "right", without="selfback") for turn in ("upside down", "as it is")]
        assert [round(100 * share) for share in found] == shares
    kept = [mean("selfBACK alone turned", turn, "walking_as_stairs", "dsads", "selfback")
            for turn in ("upside down", "as it is")]  # fmt: skip
    assert [round(100 * share) for share in kept] == [17, 13]
    for turn in {row["turn"] for row in rows}:
        for key in ("right", "walking_as_stairs"):
            assert abs(mean("all but selfBACK turned", turn, key) - mean("as in the zoo", turn, key)) < 0.045
            assert abs(mean("not mirrored", turn, key) - mean("as in the zoo", turn, key)) < 0.035


def test_the_page_of_the_splits_says_what_a_class_for_other_movements_finds_and_what_it_misses():
    found = {"unchanged": {}, "with other movements": {}}
    # Where both studies that have other movements are left out, the class is empty.
    for row in (row for row in measured("pairs")["rows"] if row["left_out"] != ["dsads", "wisdm"]):
        for study in row["studies"].values():
            for name, share in study["shown_as_known"].items():
                found.setdefault(row["candidate"], {}).setdefault(name, []).append(share)
    plain, unlearned, *_ = ({name: fmean(shares) for name, shares in each.items()} for each in found.values())
    assert min(plain.values()) > 0.87
    rounded = {
        "rowing": 0.4, "basketball": 0.4, "cycling": 0.55, "jumping": 0.75, "stepper": 0.75, "cross_trainer": 0.9,
    }  # fmt: skip
    assert all(abs(unlearned[name] - share) < 0.03 for name, share in rounded.items())
    people = preset_metrics("activity_gru_phone")["streams_of_people"]["studies"].values()
    learned = {name: share for study in people for name, share in study["shown_as_known"].items()}
    assert max(learned[name] for name in ("stepper", "cross_trainer", "cycling", "jumping")) < 0.155
    assert 0.155 < max(learned[name] for name in ("rowing", "basketball", "kicking_ball")) < 0.345
    assert min(learned[name] for name in ("catching_ball", "dribbling_ball")) > 0.45
    assert min(learned["folding_clothes"], unlearned["folding_clothes"]) > 0.8


def test_the_pages_say_which_kinds_of_movements_are_found_and_that_no_study_was_learned_in_their_place():
    found = measured("other")
    plain, few, left_out, learned = (
        [*shares] for shares in zip(*(row.values() for row in found["by_kind"].values()), strict=True)
    )
    assert (abs(median(left_out) - 5 / 8) < 0.02, f"{median(few):.0%}") == (True, "72%")
    guide = " ".join((DOCS / "guides" / "probabilities.md").read_text().split())
    assert f"for {min(left_out):.0%} to {max(left_out):.0%} of its time" in guide
    assert (round(max(learned), 2), f"at most {max(learned):.0%}" in guide) == (0.34, True)
    for kind in ("stepper", "cross_trainer"):
        assert found["by_kind"][kind]["the class, eight other kinds"] > 0.8
    assert min(plain) > 0.85
    right = {}
    for row in found["kinds"]:
        right.setdefault(len(row["without"] or ()), []).append(row["settled"]["right"])
    assert min(right[0] + right[1]) > 0.9855
    assert min(right[4] + right[5]) > 0.9835
    shares = {}
    for row in found["studies"]:
        other, of = shares.get(key := (row["study"], row["known"], row["split"], row["below_10_hz"]), (0, 0))
        shares[key] = other + row["other"], of + row["windows"]
    shares = {key: other / of for key, (other, of) in shares.items()}
    assert all(abs(share - shares[*key[:3], False]) < 0.0155 for key, share in shares.items())
    assert (
        max(shares[study, True, split, False] for study in ("dsads", "wisdm") for split in ("people", "studies")) < 0.05
    )
    assert max(shares, key=lambda key: key[1] and shares[key])[0] == "geotec"


def test_the_page_of_the_splits_says_what_the_filter_gains_and_what_it_leaves():
    average, zoo = (
        {(row["study"], row["left_out"]): row for row in measured("filters")["filters"][name]}
        for name in ("average over 0.5 s", "zoo")
    )
    for stream, row in zoo.items():
        assert row["right"] > average[stream]["right"]
        assert row["walking_as_stairs"] < average[stream]["walking_as_stairs"] or row["walking_as_stairs"] < 0.001
        if "false_per_hour" in row:
            assert row["false_per_hour"] < average[stream]["false_per_hour"] / 2
    assert round(5 * zoo["oxford", "oxford"]["walking_as_stairs"]) == 1


def test_the_costs_on_microcontrollers_are_those_of_the_cards():
    for row in measured("microcontroller")["boards"]:
        if row["board"] == "m4":
            metrics = json.loads((ROOT / "saved_models" / row["preset"] / "metrics.json").read_text())
            assert any(cost.items() <= row.items() for cost in metrics["plain_c"]["formats"])


def test_c_is_the_fastest_engine_and_little_data_is_best_fine_tuned():
    for rows in measured("inference")["presets"].values():
        for function in ("step", "window"):
            times = {row["engine"]: row[function]["median_us"] for row in rows if function in row}
            assert min(times, key=times.get) == "c99, called from C"
    for cell in measured("small_data")["cells"]:
        forest, scratch, tuned = (np.mean([draw[name]["macro_f1"] for draw in cell["draws"]])
                                  for name in ("random_forest", "train", "finetune"))  # fmt: skip
        assert tuned > forest
        assert (scratch < forest) == (cell["people"] == 6 and cell["data"] != "selfBACK")
        assert scratch > forest - 0.03
        assert (tuned > scratch + 0.005) == (cell["people"] <= 6)


def test_time_grew_in_proportion_to_people_and_memory_hardly():
    few, many = measured("scale")["people"][-2:]
    for step, found in many["steps"].items():
        before = few["steps"][step]
        assert found["cpu_seconds"] < 1.5 * many["people"] / few["people"] * before["cpu_seconds"], step
        assert found["megabytes"] < 1.3 * before["megabytes"], step
