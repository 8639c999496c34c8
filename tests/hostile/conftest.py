"""What the cases of all areas share: the files that they damage, and what each refusal must look like."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

UNEXPECTED = 70
"""The status of a bug."""


class Materials(NamedTuple):
    """Files that are sound. Cases damage copies of them."""

    recordings: Path
    csv: Path
    windows: Path
    patches: Path
    trigrams: Path
    recognizer: Path
    exported: Path
    autoencoder: Path
    language_model: Path


def walk(seconds: float = 20.0, rate: float = 50.0, seed: int = 0) -> list[str]:
    """Lines of CSV of somebody who walks."""
    times = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).normal(0, 0.3, (len(times), 3))
    rows = noise + np.stack([np.sin(9 * times), 9.8 + 2 * np.sin(11 * times), np.cos(5 * times)], axis=1)
    return ["time,x,y,z"] + [f"{t:.3f},{x:.5f},{y:.5f},{z:.5f}" for t, (x, y, z) in zip(times, rows, strict=True)]


@pytest.fixture(scope="session")
def materials(
    make_once, zoo_cli, simulated, simulated_patches, simulated_trigrams, recognizer, exported_recognizer, autoencoder,
    language_model,
) -> Materials:  # fmt: skip
    """The files of all kinds, each made once a run."""

    def fill(folder: Path) -> None:
        for number, (subject, activity) in enumerate([(s, a) for s in ("ann", "bob", "cem") for a in ("run", "walk")]):
            file = folder / "csv" / subject / f"{activity}.csv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("\n".join(walk(seed=number)) + "\n")
        layout = ("--layout", "{subject}/{activity}.csv")
        status, _, err = zoo_cli("data", "import", "csv", folder / "csv", *layout, "-o", folder / "recordings.h5")
        assert status == 0, err

    folder = make_once("hostile", fill)
    return Materials(
        folder / "recordings.h5", folder / "csv", simulated, simulated_patches, simulated_trigrams, recognizer,
        exported_recognizer, autoencoder, language_model,
    )  # fmt: skip


def listing(folder: Path) -> dict[str, bytes | None]:
    """Each path below a folder with the bytes of regular files."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() and not path.is_symlink() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def refused(zoo_cli, tmp_path) -> Callable[..., str]:
    """Runs a command that must end in one line of error and change nothing in `tmp_path`; returns the line.

    `refused(arguments, "what the line says", ...)`: a number in place of a text is a status that is allowed as well.
    """

    def check(arguments: Sequence[object], *says: str) -> str:
        before = listing(tmp_path)
        status, out, err = zoo_cli(*arguments)
        lines = [line for line in err.splitlines() if line.startswith("zoo: ") and "zoo: warning: " not in line]
        assert status not in (0, UNEXPECTED), f"status {status}: {out[:300]}{err}"
        assert out == ""
        assert len(lines) == 1, err
        assert err.strip().endswith(lines[0]), err
        for text in says:
            assert text in lines[0]
        assert listing(tmp_path) == before
        return lines[0]

    return check
