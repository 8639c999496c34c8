"""Export from end to end: every artefact is written aside, run, compared with Keras, and only then named."""

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from zoo.errors import ZooError
from zoo.export import parity, saved_model, tflite
from zoo.files import require_empty, sha256, whole_folder, write_json
from zoo.metadata import embed
from zoo.runtime import Interpreter
from zoo.tasks.loading import Loaded

FORMATS = ("keras", "saved_model", *tflite.FORMATS)
"""What `export` can write."""

Run = Callable[[NDArray[np.float32]], NDArray[Any]]


def export(
    loaded: Loaded, folder: Path, windows: NDArray[np.float32], formats: Sequence[str] = FORMATS,
) -> list[dict[str, Any]]:  # fmt: skip
    """Writes a model in several formats, all or none.

    Args:
        loaded: The model; a `.tflite` file cannot be exported again.
        folder: Where to; must be empty.
        windows: `(N, window, 3)` on which artefacts and Keras are compared.
        formats: Of `FORMATS`.

    Returns:
        A record for each artefact: `format`, `file`, `bytes`, `sha256`, `largest_error`, `mean_error`, `agreement`,
        `windows`, `milliseconds` (median of a window on one thread, where the artefact runs by itself).

    Raises:
        ZooError: If a format is unknown, the converter fails, or an artefact differs from Keras.
    """
    if loaded.model is None:
        raise ZooError(f"{loaded.name}: is an exported file already; export from a preset, a folder or a .keras file")
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise ZooError(f"format {unknown[0]!r}: expected {', '.join(FORMATS)}")
    require_empty(folder)
    temperature = loaded.metadata.temperature
    expected = softmax(loaded.logits(windows).astype(np.float64) / temperature, axis=1)
    with tempfile.TemporaryDirectory() as name:
        aside = Path(name)
        converted = {key: aside / file for key, file in tflite.FORMATS.items() if key in formats}
        if converted:
            tflite.convert(loaded.model, temperature, converted)
        records = []
        for kind in formats:
            path = _write(loaded, kind, aside)
            run, median = _runner(kind, path, temperature)
            found = parity.compare(str(folder / path.name), expected, run(windows), parity.TOLERANCES[kind])
            records.append({
                "format": kind, "file": path.name, "bytes": _size(path),
                "sha256": sha256(path) if path.is_file() else None, **asdict(found),
                "milliseconds": median(windows) if median else None,
            })  # fmt: skip
        _publish(aside, folder, [record["file"] for record in records])
    return records


def _write(loaded: Loaded, kind: str, aside: Path) -> Path:
    assert loaded.model is not None
    if kind == "keras":
        path = aside / "model.keras"
        loaded.model.save(path)
        write_json(aside / "config.json", loaded.config)
    elif kind == "saved_model":
        path = aside / "saved_model"
        saved_model.write(loaded.model, path, loaded.metadata.temperature)
    else:
        path = aside / tflite.FORMATS[kind]
        embed(path, loaded.metadata)
    return path


def _runner(kind: str, path: Path, temperature: float) -> tuple[Run, Callable[[NDArray[np.float32]], float] | None]:
    """How to run an artefact on windows, and how to time it."""
    if kind == "keras":
        model = keras.saving.load_model(path, compile=False)
        return lambda windows: softmax(
            np.asarray(model.predict_on_batch(windows), np.float64) / temperature, axis=1
        ), None
    if kind == "saved_model":
        endpoint = saved_model.load(path)
        return lambda windows: np.asarray(endpoint(window=windows)["probabilities"]), None
    interpreter = Interpreter(path)

    def median(windows: NDArray[np.float32]) -> float:
        times = []
        for window in windows[:200]:
            start = time.perf_counter()
            interpreter.run("window", window=window[None])
            times.append(time.perf_counter() - start)
        return round(1e3 * float(np.median(times)), 4)

    return interpreter.probabilities, median


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else sum(f.stat().st_size for f in path.rglob("*") if f.is_file())


def _publish(aside: Path, folder: Path, names: list[str]) -> None:
    if (aside / "config.json").is_file():
        names = [*names, "config.json"]
    with whole_folder(folder) as temporary:
        for name in names:
            _copy(aside / name, temporary / name)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)
