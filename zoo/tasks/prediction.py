"""Prediction: label, probability and time of windows, from an array, a file of windows, or a CSV file."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from zoo.data import activity, importers
from zoo.data.activity import all_rows, center_crop
from zoo.data.importers import CsvColumns
from zoo.data.recordings import Dropped, check_unit
from zoo.errors import ZooError
from zoo.tasks.activity import check_file, check_windows, logits_of, metadata_of
from zoo.tasks.loading import Loaded


def predict(
    loaded: Loaded, windows: NDArray[np.float32], rate: float, seconds: NDArray[np.floating[Any]] | None = None
) -> list[dict[str, Any]]:
    """Label, probability and time of each window.

    Args:
        loaded: The model.
        windows: `(N, window, 3)`, m/s^2.
        rate: Hz of the rows.
        seconds: `(N,)` time of each window's start; None where windows have no order in time.

    Returns:
        Records with `window` (its number from 0), `time` (None where unknown), `label`, `probability`, `probabilities`.
    """
    check_windows(loaded, "input", windows.shape, rate)
    if not np.isfinite(windows).all():
        raise ZooError("input holds NaN or infinity: drop those rows first")
    check_unit("input", float(np.linalg.norm(windows, axis=2).mean()))
    scaled = logits_of(loaded, windows) / metadata_of(loaded).temperature
    probabilities = softmax(scaled.astype(np.float64), axis=1)
    classes = metadata_of(loaded).classes
    return [
        {
            "window": number,
            "time": None if seconds is None else round(float(seconds[number]), 3),
            "label": classes[int(row.argmax())],
            "probability": float(row.max()),
            "probabilities": dict(zip(classes, row.tolist(), strict=True)),
        }
        for number, row in enumerate(probabilities)
    ]


def predict_csv(
    loaded: Loaded, path: Path, columns: CsvColumns, dropped: Dropped, hop: int | None = None
) -> list[dict[str, Any]]:
    """Predicts the windows of a CSV file; time is seconds from the start of its recording.

    Args:
        loaded: The model.
        path: The file.
        columns: Which column is what.
        dropped: Counts the rows that are left out.
        hop: Rows between the starts of windows; half a window by default.

    Raises:
        ZooError: If the file cannot be read, or is shorter than a window.
    """
    metadata = metadata_of(loaded)
    hop = hop or metadata.window // 2
    cut = activity.Windowing(metadata.window, hop, metadata.rate, trim=0.0)
    windows, seconds = [], []
    for recording in importers.read_csv([path], columns, dropped):
        windows.append(cut.windows(recording))
        seconds.append(recording.start + np.arange(len(windows[-1])) * hop / metadata.rate)
    if not sum(map(len, windows)):
        raise ZooError(f"{path}: shorter than one window of {metadata.window / metadata.rate:g} s without a gap")
    return predict(loaded, np.concatenate(windows), metadata.rate, np.concatenate(seconds))


def predict_file(loaded: Loaded, path: Path) -> list[dict[str, Any]]:
    """Predicts the test windows of a file in the course's layout, beside what they truly are."""
    data = activity.read(path)
    check_file(loaded, path, data)
    windows, labels = all_rows(data.test)
    rows = predict(loaded, center_crop(windows, metadata_of(loaded).window), data.rate)
    return [row | {"true": data.classes[label]} for row, label in zip(rows, labels, strict=True)]
