r"""Whether a network that learns from several others as well knows a study better that none of them has seen.

    python saved_models/make.py activity_gru_phone --data DATA --seeds 3 --scratch build/seeds
    python benchmarks/distilling.py --scratch build/seeds --spectra oxford wisdm | tee benchmarks/distilling.json
    python benchmarks/distilling.py --page docs/research/activity.md  # writes its table into the page

Distillation (Hinton, Vinyals, Dean, 2015, arXiv:1503.02531): a network learns from

    (1 - w) L(labels) + w L(the mean of the teachers' probabilities),   w = 1/2

Teachers are another seed of `activity_gru_phone`, `activity_gru_pocket` and `activity_cnn_pocket`, which answer the
same augmented windows; for some studies also, in a second run, the spectral network of `benchmarks/branches.py`. They
and the network are trained without one study, as the networks of `benchmarks/left_out.py`, which are what it is
compared with, calibrated as these. No phone is checked for rest.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import left_out
import mixing
import pages
from pairs import PRESET, SEED, STUDIES, Row, in_workers, trained

from zoo.provenance import versions

TEACHERS = {PRESET: SEED + 1, "activity_gru_pocket": SEED, "activity_cnn_pocket": SEED}
"""Their seeds by name."""
WEIGHT = 0.5
DISTILLED, SPECTRA = "distilled", "distilled, also from spectra"


def distill(teachers: Sequence[Any]) -> None:
    """Makes this process train on the answers of teachers, too."""
    import tensorflow as tf

    from zoo import training
    from zoo.data import pipeline
    from zoo.models.losses import CrossEntropy

    batches = pipeline.training_batches

    def answered(windows: Any, labels: Any) -> tuple[Any, Any]:
        answers = [tf.nn.softmax(teacher(windows, training=False)) for teacher in teachers]
        mean = tf.add_n(answers) / len(answers)
        return windows, tf.concat([tf.cast(tf.reshape(labels, (-1, 1)), mean.dtype), mean], axis=1)

    class Distilled(CrossEntropy):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            own = super().call(tf.cast(y_true[:, 0], tf.int64), y_pred)
            theirs = tf.nn.softmax_cross_entropy_with_logits(labels=y_true[:, 1:], logits=y_pred)
            return (1 - WEIGHT) * tf.reshape(own, (-1,)) + WEIGHT * theirs

    pipeline.training_batches = lambda *args, **options: batches(*args, **options).map(answered)
    training.loss_and_metrics = lambda name, smoothing, weights, sets: (Distilled(smoothing, weights, sets), [])


def measure(task: tuple[str, str], calibration: Mapping[str, float], scratch: Path) -> list[Row]:
    """What the streams of a study show to a network that learned from teachers of all others."""
    from zoo.activity.task import TASK
    from zoo.training import Training

    study, learned = task
    data = TASK.load_data(scratch / "windows.h5")
    held, teachers = data.train.studies == study, []
    for name, seed in TEACHERS.items():
        plan = Training.of(name, {"validation": 0.0, "seed": seed})
        teachers.append(trained(plan, data, held, study, scratch / "teachers" / name)[0])
    if learned == SPECTRA:
        # Filling the page needs no Keras.
        import branches

        plan = branches.plan("spectral")
        teachers.append(trained(plan, data, held, study, scratch / "teachers" / plan.name)[0])
    distill(teachers)
    folder = scratch / learned.replace(" ", "_") / study
    record = trained(Training.of(PRESET, {"validation": 0.0, "seed": SEED}), data, held, study, folder)[1]
    (file,) = folder.glob("folds/*.keras")
    print(study, learned, file=sys.stderr, flush=True)
    found = {"learned": learned, "accuracy_of_windows": record["accuracy"]}
    return [row | found for row in left_out.measure(scratch, file, calibration)]


def main() -> None:
    """Trains all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("build/seeds"))
    parser.add_argument("--studies", nargs="+", choices=STUDIES, default=STUDIES, help="those left out in turn")
    parser.add_argument("--spectra", nargs="*", choices=STUDIES, default=[], help="of these, spectra teach as well")
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"distilling": mixing.table})
        return
    known, rows = pages.measured(left_out.__file__), list[Row]()
    tasks = [(study, DISTILLED) for study in options.studies] + [(study, SPECTRA) for study in options.spectra]
    calibrations = [known["calibrations"][study] for study, _ in tasks]
    for found in in_workers(partial(measure, scratch=options.scratch), tasks, calibrations):
        rows += found
    command = f"python benchmarks/distilling.py --scratch build/seeds --spectra {' '.join(options.spectra)}"
    print(json.dumps({"command": command, "versions": versions(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
