"""What is released: a wheel with every preset inside, small enough to be mailed, that needs no network."""

import json
import re
import shutil
import subprocess
import zipfile

import pytest
from running import ROOT, miss, python

import zoo
from zoo.presets import PRESETS
from zoo.serving.server import PAGE_FOLDER

BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"
LIMIT, PAGE_BYTES = 10e6, 3e6
# Above this a TFLite file stays out. So do float16, int16x8, dynamic of the recognizers of the course, and float32 of
# all but recognizers, which the page runs.
LARGE = 300_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    # Apart from the checkout: setuptools packs whatever an earlier build left there.
    source = tmp_path_factory.mktemp("source")
    junk = shutil.ignore_patterns("__pycache__", "*.pyc", "saved_model", "*.png")
    for folder in ("zoo", "tuning", "saved_models"):
        shutil.copytree(ROOT / folder, source / folder, ignore=junk)
    for file in ("setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    out = tmp_path_factory.mktemp("wheel")
    run = python("-c", BUILD, out, cwd=source)
    assert run.returncode == 0, run.stderr
    return next(out.glob("pocket_zoo-*.whl"))


@pytest.fixture(scope="module")
def names(wheel):
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_wheel_is_below_ten_megabytes_and_holds_every_module_and_template_and_the_licenses(wheel, names):
    built = (PAGE_FOLDER / "litert").is_dir()
    assert "zoo/page/index.html" in names
    assert wheel.stat().st_size < LIMIT - (0 if built else PAGE_BYTES)
    modules = [*(ROOT / "zoo").rglob("*.py"), *(ROOT / "zoo").rglob("*.j2"), *(ROOT / "tuning").rglob("*.py")]
    assert {path.relative_to(ROOT).as_posix() for path in modules} <= names
    assert "zoo/activity/strides.json" in names  # without which nothing is simulated
    assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_wheel_holds_each_preset_with_its_smaller_files(preset, names):
    folder = ROOT / "saved_models" / preset
    records = json.loads((folder / "metrics.json").read_text())["artifacts"]
    out = {"float16", "int16x8"} | (set() if preset.startswith("activity") else {"float32"})
    if (preset.startswith("activity") and preset.endswith("course")) or preset.startswith("trigram"):
        out.add("dynamic")
    small = {
        record["file"] for record in records
        if record["file"].endswith(".tflite") and record["format"] not in out and record["bytes"] <= LARGE
    }  # fmt: skip
    always = {"model.keras", "config.json", "history.json", "metrics.json", "card.md"}
    inside = f"zoo/saved_models/{preset}/"
    assert {name.removeprefix(inside) for name in names if name.startswith(inside)} == small | always


@pytest.mark.slow
def test_every_preset_loads_from_the_wheel_without_a_network(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    program = """
import socket, sys
def refuse(*_):
    raise OSError("no network here")
socket.socket.connect = socket.getaddrinfo = refuse
import zoo
from zoo.catalog import preset_names
assert zoo.__file__.startswith(sys.argv[1]), zoo.__file__
for name in preset_names():
    print(name, zoo.Model.from_preset(name).count_params())
"""
    run = python("-c", program, tmp_path, cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert run.returncode == 0, run.stderr
    parameters = dict(line.split() for line in run.stdout.splitlines())
    assert {name: int(count) for name, count in parameters.items()} == {
        name: json.loads((ROOT / "saved_models" / name / "metrics.json").read_text())["training"]["parameters"]
        for name in PRESETS
    }


def test_the_version_and_its_date_are_the_same_everywhere(wheel):
    citation = (ROOT / "CITATION.cff").read_text()
    version = re.search(r"^version: (.+)$", citation, re.MULTILINE)[1]
    date = re.search(r"^date-released: (.+)$", citation, re.MULTILINE)[1]
    first = re.search(r"^## (.+ \(\d.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    assert first == f"{version} ({date})"
    assert zoo.__version__ == version
    assert wheel.name.split("-")[1] == version


@pytest.mark.process
def test_the_page_in_the_repository_is_what_a_build_gives(tmp_path):
    phone = ROOT / "examples" / "phone"
    if not (phone / "node_modules" / "vite").is_dir():
        miss("needs vite: make page")
    vite = [phone / "node_modules" / ".bin" / "vite", "build", "--outDir", tmp_path, "--emptyOutDir"]
    subprocess.run(vite, cwd=phone, check=True, capture_output=True)

    def files(folder):
        names = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
        return {name: (folder / name).read_bytes() for name in names if name.parts[0] not in ("litert", "model.tflite")}

    stored, built = files(PAGE_FOLDER), files(tmp_path)
    assert sorted(stored) == sorted(built), "after a change of examples/phone: make page, and commit zoo/page"
    assert [name for name in stored if stored[name] != built[name]] == []
    # A demonstration is loaded where it is asked for.
    demonstration = [name for name in stored if name.name.startswith(("person", "LICENSE-motionsense"))]
    assert len(demonstration) > 2
    assert sum(len(stored[name]) for name in demonstration) < 90_000
    # Nor does a phone load the page for labeling.
    labeling = [name for name in stored if name.name.startswith("label")]
    assert sum(len(stored[name]) for name in labeling) < 50_000
    assert sum(len(stored[name]) for name in stored if name not in [*demonstration, *labeling]) < 300_000


def test_every_action_of_the_workflows_is_pinned_by_its_hash_and_rights_are_least():
    workflows = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    assert len(workflows) >= 3
    for file in workflows:
        text = file.read_text(encoding="utf-8")
        uses = re.findall(r"uses: (\S+)(.*)", text)
        assert uses
        assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name) and version[:4] == " # v" for name, version in uses)
        assert "\npermissions:\n  contents: read\n\n" in text
        assert text.count("actions/checkout@") == text.count("persist-credentials: false")


def test_the_page_on_citing_says_what_the_citation_file_says():
    citation = dict(re.findall(r"^([\w-]+): \"?(.+?)\"?$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE))
    page = dict(re.findall(r"^  (\w+) +?= \{(.*)\},$", (ROOT / "docs" / "cite.md").read_text(), re.MULTILINE))
    keys = {"title": "title", "version": "version", "license": "license", "url": "repository-code"}
    assert {key: page[key] for key in keys} == {key: citation[own] for key, own in keys.items()}
    assert page["year"] == citation["date-released"][:4]


def test_ci_runs_its_script_and_a_commit_runs_lint_and_bug_reports_ask_for_the_doctor():
    yaml = pytest.importorskip("yaml")
    github = ROOT / ".github"
    steps = yaml.safe_load((github / "workflows" / "ci.yml").read_text())["jobs"]["test"]["steps"]
    assert any(step.get("run", "").endswith(".ci/run") for step in steps)
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [hook["entry"] for hook in repository["hooks"]] == ["make lint"]
    asked = yaml.safe_load((github / "ISSUE_TEMPLATE" / "bug.yml").read_text())["body"]
    assert any("zoo doctor" in part["attributes"]["label"] and part["validations"]["required"] for part in asked)
