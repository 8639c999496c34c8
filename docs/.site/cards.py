"""Cards of presets as pages of the site, which begin with what can be done at once; and the phone page next to them."""

import json
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import address
import numpy as np

from zoo.catalog import PRESETS_FOLDER, START, read_config
from zoo.families import FAMILIES
from zoo.patches.data import LUMINANCE, cut, shipped_photographs
from zoo.presets import PRESETS
from zoo.serving.server import MODEL, MODELS, PAGE_FOLDER


class Trial(NamedTuple):
    """How the models of a task are tried: their format, the guide with a notebook about them, and what is said."""

    format: str
    guide: str
    said: str


_TRIALS = {
    "activity": Trial(
        "float32", "recordings",
        "*Try it* runs this model on your phone; on a computer, it plays the recording of a simulated person.",
    ),
    "patches": Trial(
        "float16", "photographs",
        "The patches are of a photograph that the model was not trained on, by vultilion (CC BY 2.0): the flower of "
        "[scikit-learn](https://scikit-learn.org/stable/modules/generated/sklearn.datasets.load_sample_image.html).",
    ),
    "text": Trial("float16", "text", "The model runs in your browser: what you type never leaves it."),
}  # fmt: skip

PHOTOGRAPH, _PATCHES, _SIZE = "flower.jpg", 8, 16
"""What patches to choose from are cut from, held out by all autoencoders of the zoo; how many, and their width."""


def put_page(folder: Path) -> None:
    """Puts the phone page into a folder, with the models that are tried; it lists recognizers, the first to open."""
    shutil.copytree(PAGE_FOLDER, folder, ignore=shutil.ignore_patterns(MODEL))
    (folder / "models").mkdir()
    listed = []
    for name, preset in PRESETS.items():
        task, file = FAMILIES[preset.family].task, f"models/{name}.tflite"
        if task in _TRIALS:
            shutil.copy(_model(name, _TRIALS[task]), folder / file)
        if task == "activity":
            listed.append({"name": name, "file": file})
    listed.sort(key=lambda model: model["name"] != START)
    (folder / MODELS).write_text(json.dumps(listed), encoding="utf-8")


def put_cards(folder: Path, colab: str, repository: str) -> None:
    """Puts the cards into a folder, with their pictures. Notebooks are at `colab`, and sources at `repository`."""
    folder.mkdir()
    (folder / "patches.json").write_text(json.dumps({"patches": _patches()}), encoding="utf-8")
    for name in PRESETS:
        text = _card(name, (PRESETS_FOLDER / name / "card.md").read_text(encoding="utf-8"), colab, repository)
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
        (folder / name).mkdir()
        for picture in re.findall(rf"\({name}/(\w+\.\w+)\)|\"\.\./{name}/(\w+\.\w+)\"", text):
            file = "".join(picture)
            shutil.copy(PRESETS_FOLDER / name / file, folder / name / file)


def _card(name: str, text: str, colab: str, repository: str) -> str:
    table = re.search(r"^\| \|.*?\n\n(?=```)", text, re.DOTALL | re.MULTILINE)
    python = re.search(r"```python.*?```\n\n", text, re.DOTALL)
    assert table, python
    confusion = re.search(r"!\[[^\]]*\]\(confusion\.png\)\s", text)
    begin = _at_once(name, colab)
    if confusion:
        # What is seen first.
        text, begin = text.replace(confusion[0], ""), f"{confusion[0].strip()}{{ .confusion width=280 }}\n\n{begin}"
    text = text.replace(python[0], "").replace(table[0], f"{begin}{python[0]}{table[0]}")
    text = re.sub(r"\]\(\.\./\.\./docs/", "](../", text)
    text = re.sub(r"\(\.\./\.\./((?:zoo|examples|benchmarks)/[^)]*)", rf"({repository}/blob/main/\1", text)
    text = text.replace("| | |\n| --- | --- |", "| property | value |\n| --- | --- |")
    return re.sub(r"(!\[[^\]]*\]\()([\w.]+\))", rf"\1{name}/\2", text)


def _at_once(name: str, colab: str) -> str:
    """What can be done with a preset without installing it: try it, download it, open a notebook about its kind."""
    task, published = FAMILIES[PRESETS[name].family].task, address.published()
    if task not in _TRIALS:
        return ""
    trial, model = _TRIALS[task], f"phone/models/{name}.tflite"
    page = f"phone/?model={name}" if task == "activity" else f"presets/{name}/"
    buttons = {
        f"Download, {_model(name, trial).stat().st_size / 1000:,.0f} kB": f"../{model}",
        "Open in Colab": f"{colab}/blob/main/examples/guides/{trial.guide}.ipynb",
    }
    parts = []
    if task == "activity":
        buttons = {"Try it": f"../{page}"} | buttons
    else:
        # Addresses in attributes that Markdown does not know are those of the page, not of its source.
        parts.append(
            f'<div class="try" data-task="{task}" data-model="../../{model}" data-patches="../patches.json">'
            "This model runs in your browser, which needs JavaScript.</div>\n"
            '<script type="module" src="../phone/try.js"></script>'
        )
    links = "".join(f'<a class="md-button" href="{where}">{title}</a>' for title, where in buttons.items())
    code = address.code(published + page) if published else ""
    return "\n\n".join([f'<div class="at-once">{links}{code}</div>', *parts, trial.said, ""])


def _model(name: str, trial: Trial) -> Path:
    return PRESETS_FOLDER / name / f"model.{trial.format}.tflite"


def _patches() -> list[list[int]]:
    """Patches of a photograph, on each of which there is something to see, as whole numbers from 0 to 255."""
    for name in PRESETS:
        if FAMILIES[PRESETS[name].family].task == "patches":
            assert PHOTOGRAPH in read_config(PRESETS_FOLDER / name)["metadata"]["held_out"], name
    photograph = next(photograph for photograph in shipped_photographs() if photograph.name == PHOTOGRAPH)
    drawn, _ = cut(photograph, 50 * _PATCHES, _SIZE, np.random.default_rng(0))
    clear = [patch for patch in drawn if np.tensordot(LUMINANCE, patch, 1).std() > 0.12]
    return [np.rint(255 * patch).astype(int).ravel().tolist() for patch in clear[:_PATCHES]]
