"""Builds the docs site into build/site: the pages of docs/, the cards of the presets, and the command-line reference.

    python docs/.site/build.py

Pages that are made of something else are not stored: they are put next to copies of the others, in build/docs. If the
phone page was built (`make page`), it is a part of the site, and the home page shows it at work.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from chart import chart
from commands import reference

from zoo.presets import PRESETS
from zoo.report import results

ROOT = Path(__file__).parents[2]
DOCS, PRESETS_FOLDER, STAGED = ROOT / "docs", ROOT / "saved_models", ROOT / "build" / "docs"
PHONE_PAGE = ROOT / "zoo" / "page"
_REPOSITORY = re.search(r'^repo_url = "(.*)"', (ROOT / "zensical.toml").read_text(encoding="utf-8"), re.MULTILINE)

assert _REPOSITORY
_COLAB = _REPOSITORY[1].replace("https://github.com", "https://colab.research.google.com/github")

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


def stage(folder: Path) -> None:
    """Writes all pages of the site to a folder, as Markdown."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(DOCS, folder, ignore=shutil.ignore_patterns(".*"))
    if (PHONE_PAGE / "model.tflite").is_file():
        shutil.copytree(PHONE_PAGE, folder / "phone")
        home = folder / "index.md"
        home.write_text(home.read_text(encoding="utf-8").replace(_PICTURES, _LIVE + _PICTURES), encoding="utf-8")
    found = folder / "results.md"
    found.write_text(_with_charts(found.read_text(encoding="utf-8")), encoding="utf-8")
    for guide in (folder / "guides").glob("*.md"):
        title, _, rest = guide.read_text(encoding="utf-8").partition("\n")
        address = f"{_COLAB}/blob/main/examples/guides/{guide.stem}.ipynb"
        button = f"[Open in Colab]({address}){{ .md-button }}"
        guide.write_text(f"{title}\n\n{button}\n{rest}", encoding="utf-8")
    for page in folder.rglob("*.md"):
        page.write_text(_linked(page.read_text(encoding="utf-8"), page.relative_to(folder)), encoding="utf-8")
    (folder / "reference" / "commands.md").write_text(reference(), encoding="utf-8")
    course = (ROOT / "examples" / "course" / "README.md").read_text(encoding="utf-8")
    course = re.sub(r"\(((?:part|report)[\w.]+)\)", r"(../examples/course/\1)", course).replace("../../docs/", "")
    (folder / "course.md").write_text(_linked(course, Path("course.md")), encoding="utf-8")
    (folder / "presets").mkdir()
    for name in PRESETS:
        card = _card(name, (PRESETS_FOLDER / name / "card.md").read_text(encoding="utf-8"))
        (folder / "presets" / f"{name}.md").write_text(card, encoding="utf-8")
        pictures = folder / "presets" / name
        pictures.mkdir()
        for picture in re.findall(rf"\({name}/(\w+\.\w+)\)|\"\.\./{name}/(\w+\.\w+)\"", card):
            file = "".join(picture)
            shutil.copy(PRESETS_FOLDER / name / file, pictures / file)


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
    """A card as a page of the site."""
    text = re.sub(r"\]\(\.\./\.\./docs/", "](../", text)
    text = re.sub(r"\(\.\./\.\./((?:zoo|examples|benchmarks)/[^)]*)", _in_repository, text)
    text = text.replace("| | |\n| --- | --- |", "| property | value |\n| --- | --- |")
    return re.sub(r"(!\[[^\]]*\]\()([\w.]+\))", rf"\1{name}/\2", text)


def _in_repository(found: re.Match[str]) -> str:
    return f"({_REPOSITORY[1]}/blob/main/{found[1]}"


if __name__ == "__main__":
    stage(STAGED)
    zensical = Path(sys.executable).with_name("zensical")
    sys.exit(subprocess.run([zensical, "build", "--clean", "--strict"], cwd=ROOT, check=False).returncode)
