"""Checks of an installation: versions, incompatible packages, and what is missing for which command.

Requirements are read from the metadata of the installed distribution. `TRAPS` lists versions that are known to break
something, each of them tried. No library is imported to read its version.
"""

import importlib.metadata
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import zoo
from zoo.catalog import preset_names
from zoo.errors import ZooError
from zoo.provenance import machine
from zoo.self_test import STEPS
from zoo.serving.page import INDEX, PAGE_FOLDER

DISTRIBUTION = "pocket-zoo"

EXTRAS = {
    "baselines": "baselines of crossval",
    "beam": "zoo data build --beam",
    "datasets": "TensorFlow Datasets",
    "docs": "make docs",
    "photographs": "photographs of scikit-image",
    "tuning": "zoo tune",
}
"""Purposes of the extras, except those for developers."""

PROGRAMS = {"node": (">=20.19", "make page"), "npm": ("", "make page"), "chromium": ("", "tests of the page")}
"""Required versions and purposes of programs."""

# Time limit of the self-test, and number of lines of its output that are shown if it fails.
_SECONDS, _LINES = 300, 20


@dataclass(frozen=True)
class Trap:
    """A combination of versions that is known to break something.

    Args:
        versions: Specifiers by package, all of which must match. None matches a package that is not installed.
        breaks: What goes wrong.
        mend: How to fix it.
        fatal: Whether it makes models wrong or commands fail.
    """

    versions: Mapping[str, str | None]
    breaks: str
    mend: str
    fatal: bool


TRAPS = (
    Trap(
        {"keras": "<3.14"},
        "KLSparsityRegularizer adds its term times the batch size, since these versions do not divide by it",
        "`pip install 'keras>=3.14'`",
        fatal=True,
    ),
    Trap(
        {"typer": "<0.16", "click": ">=8.2"},
        "zoo COMMAND --help ends with TypeError: make_metavar()",
        "`pip install 'typer>=0.16'`",
        fatal=True,
    ),
    Trap(
        {"keras-tuner": "", "tensorboard": None},
        "every trial of zoo tune fails, since keras-tuner imports tensorboard and does not install it",
        "`pip install 'pocket-zoo[tuning]'`",
        fatal=False,
    ),
    Trap(
        {"tensorboard": "<2.21", "setuptools": ">=82"},
        "the program tensorboard ends with ModuleNotFoundError: pkg_resources",
        "`pip install 'tensorboard>=2.21'`",
        fatal=False,
    ),
)


@dataclass(frozen=True)
class Problem:
    """A problem of an installation: what is wrong or missing, what it breaks, and how to fix it."""

    what: str
    breaks: str
    mend: str
    fatal: bool


def examine(self_test: Callable[[str], None] | None = None) -> dict[str, Any]:
    """Checks this installation.

    Args:
        self_test: Function that is called with the name of each step of the self-test as it begins. None for no
            self-test.

    Returns:
        A document of JSON types: `pocket_zoo`, `python`, `platform`, `machine`, `presets` (number), `page` (whether it
        is built), `packages` and `programs` (each with `name`, `installed`, `needed`, `purpose`, `fits`), `problems`
        (see `Problem`), `self_test` (`step`, `seconds`, `found`; None if it was not run), `self_test_output` (last
        lines of a failed one) and `sound` (whether there is no fatal problem).

    Raises:
        ZooError: If pocket-zoo itself is not installed.
    """
    packages, programs = list(_packages()), list(_programs())
    page = (PAGE_FOLDER / INDEX).is_file()
    problems = [*_environment(), *_unfit(packages), *_conflicts(packages), *traps(_version), *_missing(programs, page)]
    steps, failure, output = (None, [], []) if self_test is None else _self_test(self_test)
    problems += failure
    return {
        "pocket_zoo": zoo.__version__, "python": platform.python_version(), "platform": platform.platform(),
        "machine": machine(), "presets": len(preset_names()), "page": page, "packages": packages, "programs": programs,
        "problems": [asdict(problem) for problem in problems], "self_test": steps, "self_test_output": output,
        "sound": not any(problem.fatal for problem in problems),
    }  # fmt: skip


def traps(version: Callable[[str], str | None]) -> list[Problem]:
    """Finds the `TRAPS` that apply to an installation.

    Args:
        version: Function from the name of a package to its version, or None if it is not installed.

    Example:
        >>> [problem.what for problem in traps({"keras": "3.13.2"}.get)]
        ['keras 3.13.2']
        >>> traps({"keras": "3.15.1", "typer": "0.15.1", "click": "8.1.8"}.get)
        []
    """
    problems = []
    for trap in TRAPS:
        installed = {name: version(name) for name in trap.versions}
        if all(_within(installed[name], versions) for name, versions in trap.versions.items()):
            what = " with ".join(f"{name} {number}" if number else f"no {name}" for name, number in installed.items())
            problems.append(Problem(what, trap.breaks, trap.mend, trap.fatal))
    return problems


def _within(version: str | None, versions: str | None) -> bool:
    if version is None or versions is None:
        return version is versions
    return SpecifierSet(versions).contains(version, prereleases=True)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _requirements(distribution: str, extra: str = "") -> Iterator[Requirement]:
    """Yields the requirements of a distribution, or of one of its extras, that apply to this interpreter."""
    for requirement in map(Requirement, importlib.metadata.requires(distribution) or []):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement


def _packages() -> Iterator[dict[str, Any]]:
    """Yields the requirements of pocket-zoo and of its extras."""
    if _version(DISTRIBUTION) is None:
        raise ZooError(f"{DISTRIBUTION} is not installed: run `pip install .` in its folder")
    extras = importlib.metadata.metadata(DISTRIBUTION).get_all("Provides-Extra") or []
    seen = set()
    for extra in ["", *(extra for extra in extras if extra != "dev")]:
        for requirement in _requirements(DISTRIBUTION, extra):
            if requirement.name not in seen:
                seen.add(requirement.name)
                found = _version(requirement.name)
                yield {
                    "name": requirement.name, "installed": found, "needed": str(requirement.specifier),
                    "purpose": EXTRAS.get(extra, extra) or "everything", "extra": extra or None,
                    "fits": _within(found, str(requirement.specifier)),
                }  # fmt: skip


def _programs() -> Iterator[dict[str, Any]]:
    for name, (versions, purpose) in PROGRAMS.items():
        found = None
        if path := shutil.which(name):
            run = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=60)
            # Such as v22.21.0, 10.9.4, or Chromium 142.0 built on Debian.
            numbers = [word.lstrip("v") for word in run.stdout.split() if word.lstrip("v")[:1].isdecimal()]
            found = numbers[0] if numbers else "unknown"
        fits = found is not None and (not versions or (found != "unknown" and _within(found, versions)))
        yield {"name": name, "installed": found, "needed": versions, "purpose": purpose, "fits": fits}


def _environment() -> list[Problem]:
    """Returns problems of the interpreter and the environment."""
    problems = []
    python = importlib.metadata.metadata(DISTRIBUTION)["Requires-Python"]
    if not _within(platform.python_version(), python):
        breaks = "TensorFlow has no release for it that was tried"
        problems.append(Problem(f"Python {platform.python_version()}", breaks, f"use Python {python}", fatal=True))
    if (backend := os.environ.get("KERAS_BACKEND", "tensorflow")) != "tensorflow":
        breaks = "zoo train, export and tune need TensorFlow; models load, predict, and fit by Keras"
        problems.append(Problem(f"KERAS_BACKEND is {backend}", breaks, "`unset KERAS_BACKEND`", fatal=True))
    return problems


def _unfit(packages: list[dict[str, Any]]) -> Iterator[Problem]:
    """Yields packages that are missing or have an unsupported version."""
    for row in packages:
        if not row["fits"]:
            what = f"{row['name']} {row['installed']}" if row["installed"] else f"no {row['name']}"
            target = f"{DISTRIBUTION}[{row['extra']}]" if row["extra"] else f"{row['name']}{row['needed']}"
            yield Problem(what, f"needed for {row['purpose']}", f"`pip install '{target}'`", fatal=row["extra"] is None)


def _conflicts(packages: list[dict[str, Any]]) -> Iterator[Problem]:
    """Yields unmet requirements of the installed packages."""
    known = {canonicalize_name(row["name"]) for row in packages}
    for row in packages:
        for requirement in _requirements(row["name"]) if row["installed"] else []:
            found, wanted = _version(requirement.name), f"{requirement.name}{requirement.specifier}"
            listed = not found and canonicalize_name(requirement.name) in known
            if not listed and not _within(found, str(requirement.specifier)):
                what = f"{requirement.name} {found}" if found else f"no {requirement.name}"
                needs = f"{row['name']} {row['installed']} needs {wanted}"
                yield Problem(what, needs, f"`pip install '{wanted}'`", fatal=row["extra"] is None)


def _missing(programs: list[dict[str, Any]], page: bool) -> Iterator[Problem]:
    """Yields what is missing to build the page."""
    if page:
        return
    lacking = [row["name"] for row in programs if row["purpose"] == "make page" and not row["fits"]]
    first = f"install {' and '.join(lacking)} (node {PROGRAMS['node'][0]}), then " if lacking else ""
    yield Problem("no page", "needed for zoo serve", f"{first}`make page`, in a checkout", fatal=False)


def _self_test(begin: Callable[[str], None]) -> tuple[list[dict[str, Any]], list[Problem], list[str]]:
    """Runs `zoo.self_test` in a separate process. A crash of the process is reported as a problem.

    Returns:
        The completed steps, the problem that stopped it, if any, and the last lines of its output then.
    """
    done: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as output:
        command = [sys.executable, "-m", "zoo.self_test", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=output, text=True) as child:
            watch = threading.Timer(_SECONDS, child.kill)
            watch.start()
            try:
                begin(STEPS[0])
                for line in child.stdout or ():
                    done.append(json.loads(line))
                    if len(done) < len(STEPS):
                        begin(STEPS[len(done)])
                status = child.wait()
            finally:
                watch.cancel()
                child.kill()
        output.seek(0)
        lines = [line.rstrip() for line in output if line.strip()]
    if len(done) == len(STEPS):
        return done, [], []
    why = lines[-1] if lines else f"it exited with status {status} without a message"
    if status < 0:
        why = f"it crashed with {signal.Signals(-status).name}"
    what = f"self-test ended at {STEPS[len(done)]}"
    return done, [Problem(what, why, "send this whole report", fatal=True)], lines[-_LINES:]
