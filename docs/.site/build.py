"""Builds the site into build/site: the pages of docs/, the cards of the presets with their models, the command-line
reference, and the phone page. Any static host can serve it, below any path.

    python docs/.site/build.py

Pages that are made of something else are not stored: they are put next to copies of the others, in build/docs. Where
`site_url` is set in zensical.toml, cards show its QR code; the home page shows that of the address where it is visited.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import address
import bars
import cards
from chart import chart
from commands import reference
from PIL import Image

from zoo.presets import PRESETS
from zoo.report import results

ROOT = Path(__file__).parents[2]
DOCS, STAGED = ROOT / "docs", ROOT / "build" / "docs"
_PROJECT = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))["project"]
_REPOSITORY = _PROJECT["repo_url"]
_COLAB = _REPOSITORY.replace("https://github.com", "https://colab.research.google.com/github")

_ADDRESS = address.published()

_CHART = re.compile("<!-- chart ([a-z-]+) -->")

_BUTTON, _PICTURES = "[Install](#install)", '<div class="strip"'
_TRY = '<a class="md-button" id="try" href="phone/">Try it</a>\n'
# To Markdown, a dialog is no block.
_SCAN = """<div><dialog id="scan" aria-label="The phone page, for your phone">
<p>Scan this code with your phone:</p>
<div class="code"></div>
<p>Or open it in this browser: <a href="phone/">the phone page</a></p>
<form method="dialog"><button class="md-button">Close</button></form>
</dialog></div>

"""
_LIVE = """<div class="live" markdown>
<iframe src="phone/?person" title="The phone page, which plays a recording of a real person" loading="lazy"></iframe>
<div markdown>

This is the phone page itself. It plays a minute of a **real person** of the study MotionSense, and shows what the
person did next to what the model says.

The network runs in your browser, without a server, and was
[trained without this person](guides/phone.md#watch-a-real-person).

<a href="phone/?person">Open the page by itself</a>, or read [how to run it on your phone](guides/phone.md).

</div>
</div>

"""
"""What the home page begins with: buttons, what *Try it* shows on a desk, and the phone page, of which phones get
pictures.
"""


def stage(folder: Path) -> None:
    """Writes all pages of the site to a folder, as Markdown."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DOCS, folder, ignore=shutil.ignore_patterns(".*"))
    cards.put_page(folder / "phone")
    home = folder / "index.md"
    shown = home.read_text(encoding="utf-8").replace(_BUTTON, _TRY + _BUTTON)
    home.write_text(shown.replace(_PICTURES, _SCAN + _LIVE + _PICTURES), encoding="utf-8")
    found = folder / "results.md"
    found.write_text(_with_charts(found.read_text(encoding="utf-8")), encoding="utf-8")
    for guide in (folder / "guides").glob("*.md"):
        title, _, rest = guide.read_text(encoding="utf-8").partition("\n")
        button = f"[Open in Colab]({_COLAB}/blob/main/examples/guides/{guide.stem}.ipynb){{ .md-button }}"
        guide.write_text(f"{title}\n\n{button}\n{rest}", encoding="utf-8")
    for page in folder.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        text = _CHART.sub(lambda found: _CHARTS[found[1]](), text)
        page.write_text(_linked(text, page.relative_to(folder)), encoding="utf-8")
    (folder / "reference" / "commands.md").write_text(reference(), encoding="utf-8")
    course = (ROOT / "examples" / "course" / "README.md").read_text(encoding="utf-8")
    course = re.sub(r"\(((?:part|report)[\w.]+)\)", r"(../examples/course/\1)", course).replace("../../docs/", "")
    (folder / "course.md").write_text(_linked(course, Path("course.md")), encoding="utf-8")
    cards.put_cards(folder / "presets", _COLAB, _REPOSITORY)
    for page in folder.rglob("*.md"):
        text = re.sub(
            r"(!\[[^\]]*\]\(([^)]+\.(?:png|gif|svg))\))(?:\{( \.\w+)? width=(\d+)[^}]*\})?",
            partial(_sized, page.parent),
            page.read_text(encoding="utf-8"),
        )
        page.write_text(text, encoding="utf-8")


def _sized(folder: Path, picture: re.Match[str]) -> str:
    """A picture with its width and height, so that a page does not jump when it arrives."""
    file = folder / picture[2]
    if file.suffix == ".svg":
        found = re.search(r'viewBox="0 0 (\d+) (\d+)"', file.read_text(encoding="utf-8"))
        assert found, file
        wide, high = map(int, found.groups())
    else:
        with Image.open(file) as image:
            wide, high = image.size
    width = int(picture[4] or wide)
    return f"{picture[1]}{{{picture[3] or ''} width={width} height={round(width * high / wide)} }}"


def _recognizers() -> str:
    """The recognizers of the zoo by score and size."""
    section = next(part for part in results.sections(results.presets()) if "activity" in part["rows"][0]["family"])
    caption = "<figcaption>The recognizers of the zoo by score and size</figcaption>"
    return f'<figure class="chart">{chart(section, "../presets/")}{caption}</figure>'


_CHARTS = {
    "doubts": bars.doubts,
    "engines": partial(bars.engines, "activity_gru_pocket"),
    "files": partial(bars.files, "activity_gru_phone"),
    "filters": bars.filters,
    "fitting": bars.fitting,
    "flash": bars.flash,
    "flights": bars.flights,
    "labeling": bars.labeling,
    "little-data": bars.little_data,
    "movements": bars.movements,
    "processors": bars.processors,
    "ready": bars.ready,
    "recognizers": _recognizers,
    "studies": partial(bars.studies, "activity_gru_phone"),
    "ten-hours": bars.ten_hours,
    "thresholds": bars.thresholds,
    "turns": bars.turns,
    "unknown": bars.unknown,
}
"""What a page has in place of the comment `<!-- chart NAME -->`: the chart of what was measured."""


def _with_charts(text: str) -> str:
    """The page of results with a chart above the table of each task."""
    for section in results.sections(results.presets()):
        head = f"## {section['title']}\n\n"
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


def _in_repository(found: re.Match[str]) -> str:
    return f"({_REPOSITORY}/blob/main/{found[1]}"


if __name__ == "__main__":
    address.announce(ROOT / "README.md", _ADDRESS)
    stage(STAGED)
    zensical = Path(sys.executable).with_name("zensical")
    sys.exit(subprocess.run([zensical, "build", "--clean", "--strict"], cwd=ROOT, check=False).returncode)
