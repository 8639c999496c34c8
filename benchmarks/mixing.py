r"""Whether training on mixtures of windows helps on studies that a network was trained without.

    python benchmarks/mixing.py --scratch build/seeds | tee benchmarks/mixing.json
    python benchmarks/mixing.py --page docs/research/activity.md  # writes its table into the page

Mixup (Zhang et al., ICLR 2018, arXiv:1710.09412): a network learns from

    w x_i + (1 - w) x_j   with the loss   w L(y_i) + (1 - w) L(y_j),   w ~ Beta(alpha, alpha)

where j is the next window of a shuffled batch, which is mostly of another study, and w is drawn for each batch. The
network, the recipe and the seed are those of `activity_gru_phone`, each time without one study, as the networks of
`benchmarks/left_out.py`, which are what it is compared with, calibrated as these. No phone is checked for rest.
"""

import json
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import left_out
import pages
from pairs import PRESET, SEED, STUDIES, Row, in_workers, trained

from zoo.provenance import versions
from zoo.report import markdown

ALPHA = 0.2
PLAIN = "plain"
"""How a row is called of a network that learned from windows as they are."""


def mix_up(alpha: float) -> None:
    """Makes this process train on mixtures of pairs of windows, whose weights have a beta distribution."""
    import tensorflow as tf

    from zoo import training
    from zoo.data import pipeline
    from zoo.models.losses import CrossEntropy

    labels, thousandths = 100, 1000  # the target holds both labels and the weight
    batches = pipeline.training_batches

    def mixed(number: Any, batch: Any) -> Any:
        draws = tf.random.stateless_gamma((2,), tf.stack([tf.cast(SEED, tf.int64), number]), alpha)
        weight = tf.round(thousandths * draws[0] / tf.reduce_sum(draws))
        share, (windows, own) = weight / thousandths, batch
        both = own + labels * (tf.roll(own, 1, axis=0) + labels * tf.cast(weight, own.dtype))
        return share * windows + (1 - share) * tf.roll(windows, 1, axis=0), both

    class Mixed(CrossEntropy):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            code = tf.cast(y_true, tf.int64)
            share = tf.cast(code // labels**2, y_pred.dtype) / thousandths
            own, other = (super(Mixed, self).call(part, y_pred) for part in (code % labels, code // labels % labels))
            return tf.reshape(share, (-1,)) * own + (1 - tf.reshape(share, (-1,))) * other

    pipeline.training_batches = lambda *args, **options: batches(*args, **options).enumerate().map(mixed)
    training.loss_and_metrics = lambda name, smoothing, weights, sets: (Mixed(smoothing, weights, sets), [])


def measure(study: str, calibration: Mapping[str, float], scratch: Path) -> list[Row]:
    """What the streams of a study show to a network that learned from mixtures of all others."""
    from zoo.activity.task import TASK
    from zoo.training import Training

    data = TASK.load_data(scratch / "windows.h5")
    training = Training.of(PRESET, {"validation": 0.0, "seed": SEED})
    mix_up(ALPHA)
    folder = scratch / "mixed" / study
    trained(training, data, data.train.studies == study, study, folder)
    (file,) = folder.glob("folds/*.keras")
    print(study, file=sys.stderr, flush=True)
    return [row | {"learned": f"mixed, {ALPHA}"} for row in left_out.measure(scratch, file, calibration)]


def table(document: Mapping[str, Any]) -> str:
    """Right, walking as stairs, stairs as walking and without a label, by study; of walking alone, two of these.

    The first column has the networks of `left_out`, for the studies of the document.
    """
    measured = {row["study"] for row in document["rows"]}
    plain = [row for row in pages.measured(left_out.__file__)["rows"] if row["seed"] == SEED]
    found: dict[str, dict[str, str]] = {}
    for row in [*(row | {"learned": PLAIN} for row in plain if row["study"] in measured), *document["rows"]]:
        kinds = ("right", "walking_as_stairs", "stairs_as_walking", "unlabeled")
        kinds = kinds[1::2] if row["stairs_as_walking"]["share"] is None else kinds
        shares = [row[key]["share"] for key in kinds]
        found.setdefault(row["learned"], {})[row["study"]] = " / ".join(f"{share:.1%}" for share in shares)
    studies = sorted(next(iter(found.values())))
    return markdown.table(
        ["study left out", *found], [[study, *(row.get(study, "") for row in found.values())] for study in studies]
    )


def main() -> None:
    """Trains all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--scratch", type=Path, default=Path("build/seeds"))
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"mixing": table})
        return
    known, rows = pages.measured(left_out.__file__), list[Row]()
    calibrations = [known["calibrations"][study] for study in STUDIES]
    for found in in_workers(partial(measure, scratch=options.scratch), STUDIES, calibrations):
        rows += found
    command = "python benchmarks/mixing.py --scratch build/seeds"
    print(json.dumps({"command": command, "alpha": ALPHA, "versions": versions(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
