"""Builds the site into build/site: the pages of docs/, the cards of the presets with their models, the command-line
reference, and the phone page. Any static host can serve it, below any path.

    python docs/.site/build.py

Pages that are made of something else are not stored: they are put next to copies of the others, in build/docs. Where
`site_url` is set in zensical.toml, cards show its QR code.
"""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import address
import bars
import numpy as np
from chart import chart
from commands import reference

from zoo.families import FAMILIES
from zoo.patches import simulate
from zoo.presets import PRESETS
from zoo.report import results

ROOT = Path(__file__).parents[2]
DOCS, PRESETS_FOLDER, STAGED = ROOT / "docs", ROOT / "saved_models", ROOT / "build" / "docs"
PHONE_PAGE = ROOT / "zoo" / "page"
_PROJECT = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
_REPOSITORY = _PROJECT["repo_url"]
_COLAB = _REPOSITORY.replace("https://github.com", "https://colab.research.google.com/github")

_ADDRESS = address.published()

_GUIDES = {"activity": "recordings", "patches": "photographs", "text": "text"}
"""The guide whose notebook is about the models of a task."""

_TRIED = {"activity": "float32", "patches": "float16", "text": "float16"}
"""The format that is downloaded from a card and runs in a browser: what it does not need, the page does not fetch."""

_PATCHES, _SIZE = 8, 16
"""Patches to choose from, and their width in pixels, which is that of all autoencoders of the zoo."""

_CHART = "<!-- chart -->"

_PICTURES = '<div class="strip"'
_LIVE = """<div class="live" markdown>
<iframe src="phone/?replay" title="The phone page, which plays a simulated recording" loading="lazy"></iframe>
<div markdown>

This is the phone page itself. It plays the recording of a **simulated** person who stands, walks, climbs stairs and
sits down, and shows what the person does next to what the model says.

The network of [activity_gru_phone](../saved_models/activity_gru_phone/card.md) runs in your browser, without a server.

<a href="phone/?replay">Open the page by itself</a>, or read [how to run it on your phone](guides/phone.md).

</div>
</div>

<p class="handheld"><a class="md-button" href="phone/">Run the page on this phone</a></p>

"""
"""The home page's pictures of the phone page, and what wide and narrow screens show in their place or above them."""


_SAID = {
    "patches": "The patches show simulated pictures, drawn by pocket-zoo: disks that cover each other like leaves.",
    "text": "The model runs in your browser: what you type never leaves it.",
}
"""What is said below the models that run on their cards."""


def stage(folder: Path) -> None:
    """Writes all pages of the site to a folder, as Markdown."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DOCS, folder, ignore=shutil.ignore_patterns(".*"))
    _put_page(folder / "phone")
    home = folder / "index.md"
    first = f"{address.code(_ADDRESS + 'phone/')}\n\n" if _ADDRESS else ""
    home.write_text(home.read_text(encoding="utf-8").replace(_PICTURES, first + _LIVE + _PICTURES), encoding="utf-8")
    found = folder / "results.md"
    found.write_text(_with_charts(found.read_text(encoding="utf-8")), encoding="utf-8")
    for guide in (folder / "guides").glob("*.md"):
        title, _, rest = guide.read_text(encoding="utf-8").replace(_CHART, _chart_of(guide.stem)).partition("\n")
        button = f"[Open in Colab]({_notebook(guide.stem)}){{ .md-button }}"
        guide.write_text(f"{title}\n\n{button}\n{rest}", encoding="utf-8")
    for page in folder.rglob("*.md"):
        page.write_text(_linked(page.read_text(encoding="utf-8"), page.relative_to(folder)), encoding="utf-8")
    (folder / "reference" / "commands.md").write_text(reference(), encoding="utf-8")
    course = (ROOT / "examples" / "course" / "README.md").read_text(encoding="utf-8")
    course = re.sub(r"\(((?:part|report)[\w.]+)\)", r"(../examples/course/\1)", course).replace("../../docs/", "")
    (folder / "course.md").write_text(_linked(course, Path("course.md")), encoding="utf-8")
    (folder / "presets").mkdir()
    (folder / "presets" / "patches.json").write_text(json.dumps({"patches": _patches()}), encoding="utf-8")
    for name in PRESETS:
        card = _card(name, (PRESETS_FOLDER / name / "card.md").read_text(encoding="utf-8"))
        (folder / "presets" / f"{name}.md").write_text(card, encoding="utf-8")
        pictures = folder / "presets" / name
        pictures.mkdir()
        for picture in re.findall(rf"\({name}/(\w+\.\w+)\)|\"\.\./{name}/(\w+\.\w+)\"", card):
            file = "".join(picture)
            shutil.copy(PRESETS_FOLDER / name / file, pictures / file)


def _put_page(folder: Path) -> None:
    """Puts the phone page into a folder, with the models of all presets; it lists the recognizers."""
    shutil.copytree(PHONE_PAGE, folder, ignore=shutil.ignore_patterns("model.tflite"))
    (folder / "models").mkdir()
    listed = []
    for name, preset in PRESETS.items():
        task, file = FAMILIES[preset.family].task, f"models/{name}.tflite"
        shutil.copy(PRESETS_FOLDER / name / f"model.{_TRIED[task]}.tflite", folder / file)
        if task == "activity":
            listed.append({"name": name, "file": file})
    (folder / "models.json").write_text(json.dumps(listed), encoding="utf-8")


def _patches() -> list[list[int]]:
    """Patches of simulated pictures, on each of which there is something to see, as whole numbers from 0 to 255."""
    random = np.random.default_rng(0)
    found: list[list[int]] = []
    while len(found) < _PATCHES:
        pixels = simulate.draw("", 4 * _SIZE, random).pixels[:_SIZE, :_SIZE]
        if pixels.mean(axis=2).std() > 0.1:
            found.append(np.rint(255 * pixels.T).astype(int).ravel().tolist())
    return found


def _notebook(guide: str) -> str:
    return f"{_COLAB}/blob/main/examples/guides/{guide}.ipynb"


def _chart_of(guide: str) -> str:
    """The chart of what was measured that a guide has in place of a comment. Empty if it has none."""
    if guide == "c":
        return bars.engines("activity_gru_pocket")
    if guide == "deploy":
        return bars.files("activity_gru_phone")
    if guide == "tune":
        section = next(found for found in results.sections(results.presets()) if "activity" in found.rows[0]["family"])
        caption = "<figcaption>What a search weighs: the recognizers of the zoo by score and size</figcaption>"
        return f'<figure class="chart">{chart(section, "../presets/")}{caption}</figure>'
    return ""


def _with_charts(text: str) -> str:
    """The page of results with a chart above the table of each task."""
    for section in results.sections(results.presets()):
        head = f"## {section.title}\n\n"
        if drawn := chart(section, "presets/"):
            text = text.replace(head, f'{head}<figure class="chart">{drawn}</figure>\n\n')
    return text


def _linked(text: str, page: Path) -> str:
    """A page whose links to files of the repository lead to pages of the site, or else to the repository."""
    up = "../" * (len(page.parts) - 1)
    text = re.sub(rf"\((?:\.\./)+saved_models/({'|'.join(PRESETS)})/card\.md", rf"({up}presets/\1.md", text)
    # The pictures of cards are next to them.
    text = re.sub(rf"\((?:\.\./)+saved_models/({'|'.join(PRESETS)})/(\w+\.png)", rf"({up}presets/\1/\2", text)
    return re.sub(
        rf"\({re.escape(up)}\.\./((?:examples|benchmarks|saved_models|tests|zoo)/[^)]*)", _in_repository, text
    )


def _card(name: str, text: str) -> str:
    """A card as a page of the site, which begins with what can be done at once."""
    table, python = (
        re.search(r"^\| \|.*?\n\n(?=```)", text, re.DOTALL | re.MULTILINE),
        re.search("```python.*?```\n\n", text, re.DOTALL),
    )
    assert table, python
    text = text.replace(python[0], "").replace(table[0], f"{_at_once(name)}{python[0]}{table[0]}")
    text = re.sub(r"\]\(\.\./\.\./docs/", "](../", text)
    text = re.sub(r"\(\.\./\.\./((?:zoo|examples|benchmarks)/[^)]*)", _in_repository, text)
    text = text.replace("| | |\n| --- | --- |", "| property | value |\n| --- | --- |")
    return re.sub(r"(!\[[^\]]*\]\()([\w.]+\))", rf"\1{name}/\2", text)


def _at_once(name: str) -> str:
    """What can be done with a preset without installing it: try it, download it, open a notebook about its kind."""
    task = FAMILIES[PRESETS[name].family].task
    model, size = f"phone/models/{name}.tflite", (PRESETS_FOLDER / name / f"model.{_TRIED[task]}.tflite").stat().st_size
    page = f"phone/?model={name}" if task == "activity" else f"presets/{name}/"
    buttons = [
        f'<a class="md-button" href="../{model}" download>Download, {size / 1000:,.0f} kB</a>',
        *(
            f'<a class="md-button" href="{_notebook(guide)}">Open in Colab</a>'
            for guide in [_GUIDES.get(task)]
            if guide
        ),
    ]
    if task == "activity":
        buttons.insert(0, f'<a class="md-button" href="../{page}">Try it</a>')
        tried = "*Try it* runs this model on your phone; on a computer, it plays the recording of a simulated person."
    elif task in _SAID:
        # Addresses in attributes that Markdown does not know are those of the page, not of its source.
        tried = (
            f'<div class="try" data-task="{task}" data-model="../../{model}" data-patches="../patches.json">'
            "This model runs in your browser, which needs JavaScript.</div>\n"
            f'<script type="module" src="../phone/try.js"></script>\n\n{_SAID[task]}'
        )
    else:
        tried = ""
    code = address.code(_ADDRESS + page) if _ADDRESS else ""
    return f'<div class="at-once">{"".join(buttons)}{code}</div>\n\n{tried}\n\n'


def _in_repository(found: re.Match[str]) -> str:
    return f"({_REPOSITORY}/blob/main/{found[1]}"


if __name__ == "__main__":
    address.announce(ROOT / "README.md", _ADDRESS)
    stage(STAGED)
    zensical = Path(sys.executable).with_name("zensical")
    sys.exit(subprocess.run([zensical, "build", "--clean", "--strict"], cwd=ROOT, check=False).returncode)
