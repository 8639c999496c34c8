"""What others reach on the same people: the pocket recognizer beside MiniRocket, a random forest and a plain Keras GRU.

    python benchmarks/rivals.py --zip A_DeviceMotion_data.zip --data data3.h5

The protocol is that of `zoo crossval`: the 15 training people in five groups, each predicted by a model that never saw
it, macro-F1 over all their windows. Then each is fitted on all 15 and measured once on the 600 test windows of
data3.h5. The rivals get all overlapping windows of 150 rows; the pocket recognizer's numbers are those of its
`metrics.json`. MiniRocket takes part where aeon is installed.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from zoo.catalog import preset_metrics
from zoo.data import activity, importers, recordings
from zoo.data.activity import everything_of
from zoo.evaluation import baselines, recognition
from zoo.tasks.provenance import versions

GROUPS, EPOCHS, BATCH = 5, 20, 64
Predict = Callable[[Any], Any]


def minirocket(windows: np.ndarray, labels: np.ndarray) -> Predict:
    """Ten thousand random kernels and a ridge classifier, with aeon's defaults."""
    from aeon.classification.convolution_based import MiniRocketClassifier

    fitted = MiniRocketClassifier(n_kernels=10_000, n_jobs=-1, random_state=0)
    fitted.fit(windows.transpose(0, 2, 1), labels)
    return lambda test: fitted.predict(test.transpose(0, 2, 1))


def keras_gru(windows: np.ndarray, labels: np.ndarray) -> Predict:
    """What the first page of a tutorial gives: normalization, GRU of 64, Adam."""
    import keras

    keras.utils.set_random_seed(0)
    normalization = keras.layers.Normalization()
    normalization.adapt(windows)
    model = keras.Sequential(
        [keras.Input(windows.shape[1:]), normalization, keras.layers.GRU(64), keras.layers.Dense(6)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, jit_compile=True)
    whole = len(windows) // BATCH * BATCH
    model.fit(windows[:whole], labels[:whole], batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return lambda test: model.predict(test, batch_size=512, verbose=0).argmax(axis=1)


RIVALS: dict[str, Callable[[np.ndarray, np.ndarray], Predict]] = {
    "random_forest": baselines.random_forest,
    "minirocket": minirocket,
    "keras_gru_64": keras_gru,
}


def measure(fit: Callable[[np.ndarray, np.ndarray], Predict], train: Any, test: Any) -> dict[str, Any]:
    """Cross-validation over groups of people, then the test people once."""
    windows, labels = everything_of(train)
    people, answers = np.array(train.people()), np.zeros_like(labels)
    scores, started = [], time.perf_counter()
    for group in np.array_split(np.random.default_rng(0).permutation(people), GROUPS):
        aside = np.isin(train.subjects, group)
        answers[aside] = fit(windows[~aside], labels[~aside])(windows[aside])
        scores.append(recognition.macro_f1(labels[aside], answers[aside]))
    seconds = time.perf_counter() - started
    found = recognition.by_subject(labels, answers, train.subjects)
    test_windows, test_labels = everything_of(test)
    tested = np.asarray(fit(windows, labels)(test_windows))
    return {
        "crossval_macro_f1": recognition.macro_f1(labels, answers),
        "worst_group": min(scores),
        "worst_subject": min(found, key=lambda name: found[name]["macro_f1"]),
        "test_macro_f1": recognition.macro_f1(test_labels, tested),
        "test_by_subject": {
            name: row["macro_f1"] for name, row in recognition.by_subject(test_labels, tested, test.subjects).items()
        },
        "crossval_seconds": round(seconds, 1),
    }


def main() -> None:
    """Runs the comparison and prints one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--zip", type=Path, default=Path("A_DeviceMotion_data.zip"))
    parser.add_argument("--data", type=Path, default=Path("data3.h5"))
    options = parser.parse_args()
    test = activity.read(options.data).test
    pocket = preset_metrics("activity_gru_pocket")
    result: dict[str, Any] = {
        "activity_gru_pocket": {
            "crossval_macro_f1": pocket["crossval"]["macro_f1"], "worst_group": pocket["crossval"]["worst_group"],
            "worst_subject": pocket["crossval"]["worst_subject"], "test_macro_f1": pocket["test"]["macro_f1"],
        }
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        raw, cut = Path(scratch) / "recordings.h5", Path(scratch) / "windows.h5"
        recordings.write(raw, importers.read_motionsense(options.zip, recordings.Dropped()), source="MotionSense")
        activity.write_windows(recordings.read(raw), cut, activity.Cut(), test.people())
        train = activity.read(cut).train
        for name, fit in RIVALS.items():
            try:
                result[name] = measure(fit, train, test)
            except ImportError as error:
                result[name] = {"left_out": str(error)}
    print(json.dumps(result | {"windows": len(train), "versions": versions()}, indent=2))


if __name__ == "__main__":
    main()
