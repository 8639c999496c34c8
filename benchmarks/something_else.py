"""What a class "other" costs and what it finds, in the recommended recognizer.

    python benchmarks/something_else.py --data DATA --scratch FOLDER | tee benchmarks/something_else.json
    python benchmarks/something_else.py --page docs/splits.md  # writes its tables into the page

`DATA` has the archives of four studies. The recipe of `activity_gru_phone` is cross-validated over people and over
studies, as in saved_models/make.py, with a seventh class: catching, dribbling and kicking a ball (WISDM), and simulated
shaking, three windows for each hundred others. Nobody's folding of clothes is in any training, and so it is unknown to
both recognizers; of the other movements, people are new. The recognizer without the class is the published one, whose
streams are in its `metrics.json`. The class is assumed to be that of 5% of the windows; the other rows of the table of
windows are of the same networks, whose bias of the class is that of another share.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "saved_models"))

import numpy as np
import pages
from studies import PRESET

from zoo import crossval
from zoo.activity import metrics
from zoo.catalog import preset_metrics
from zoo.data.loading import load_data
from zoo.files import read_arrays
from zoo.presets import PRESETS
from zoo.provenance import versions
from zoo.report import markdown
from zoo.runtime.labels import forgive, resolve

MOVEMENTS, NEVER = ("catching_ball", "dribbling_ball", "kicking_ball"), "folding_clothes"
SHAKEN = 0.03
SHARES, TRAINED = (0.2, 0.1, 0.05, 0.02, 0.01), 0.05
"""Shares that the class is assumed to have, and that which training assumes (`zoo.activity.task.OTHER_SHARE`)."""


def by_share(folder: Path, found: Mapping[str, Any], data: Path) -> list[dict[str, Any]]:
    """Scores of windows for several shares that the class is assumed to have; 0 for networks without their class."""
    known = load_data(data, task="activity")
    fold_of = [crossval.Fold(PRESET, found["split_by"], each["seed"], each["group"]) for each in found["folds"]]
    parts = [read_arrays(fold.file(folder, "npz")) for fold in fold_of]
    labels, logits = (
        np.concatenate(each)
        for each in ([known.train.labels[part["rows"]] for part in parts], [part["logits"] for part in parts])
    )
    alike = np.repeat(np.arange(len(parts)), [len(part["rows"]) for part in parts])
    rows = []
    for share in (*SHARES, 0.0):
        change = -np.inf if not share else _odds(share) - _odds(TRAINED)
        moved = logits + np.append(np.zeros(logits.shape[1] - 1), change)
        truth, predicted = resolve(labels, moved, known.label_sets), moved.argmax(axis=1)
        for place, record in enumerate(found["folds"]):
            own = alike == place
            predicted[own] = forgive(truth[own], predicted[own], record["indistinct"])
        among, answers = metrics.of_known(truth, predicted, known.other_class)
        rows.append({
            "share": share, "macro_f1": metrics.macro_f1(truth[among], answers[among]),
            "known_as_other": float((answers[among] == -1).mean()),
            "standing_as_other": float((answers[truth == known.classes.index("standing")] == -1).mean()),
            "found": float((answers[~among] == -1).mean()) if (~among).any() else None,
        })  # fmt: skip
    return rows


def _odds(share: float) -> float:
    return float(np.log(share / (1 - share)))


def measure(archives: Path, scratch: Path) -> dict[str, Any]:
    """Cross-validates, and measures windows and streams."""
    # Filling the page needs no TensorFlow.
    import make
    import measured_streams

    from zoo.training import Training

    augmentation = {**(PRESETS[PRESET].recipe.augmentation or {}), "shaken": SHAKEN}
    plan = Training.of(PRESET, {"validation": 0.0, "augmentation": augmentation})
    data = make.cut(STUDIES, archives, scratch, MOVEMENTS)
    found = make.cross_validated(plan, data, scratch)
    calibration = {key: found["people"][key] for key in ("temperature", "threshold")}
    kept = ("macro_f1", "macro_f1_interval", "accuracy", "per_study", "confusion", "classes")
    return {
        "windows": {what: {key: each[key] for key in kept} for what, each in found.items()},
        "by_share": {what: by_share(scratch / what, each, data) for what, each in found.items()},
        **measured_streams.of(found, data, scratch, calibration, integers=False),
    }  # fmt: skip


def windows_table(document: dict[str, Any]) -> str:
    """Scores of windows by the share that the class is assumed to have."""
    published = preset_metrics(PRESET)
    rows: list[Sequence[str]] = []
    pairs = zip(document["by_share"]["people"], document["by_share"]["studies"], strict=True)
    for people, studies in pairs:
        name = f"{people['share']:.0%}" if people["share"] else "left out of the answers"
        rows.append((
            name, f"{people['macro_f1']:.3f}", f"{people['known_as_other']:.1%}", f"{people['found']:.0%}",
            f"{studies['macro_f1']:.3f}", f"{studies['known_as_other']:.1%}", f"{studies['standing_as_other']:.1%}",
        ))  # fmt: skip
    old = [published[key]["macro_f1"] for key in ("test", "studies")]
    rows.append(("no such class", f"{old[0]:.3f}", "", "", f"{old[1]:.3f}", "", ""))
    head = (
        "assumed share", "new people: macro-F1", "called other", "movements called other", "study left out: macro-F1",
        "called other", "of standing",
    )  # fmt: skip
    return markdown.table(head, rows)


def flat(row: Mapping[str, Any]) -> dict[str, float]:
    """What a cell shows of the streams of a study; delays and false changes are those of an older measurement."""
    found = {key: row["settled"][key]["share"] for key in ("right", "walking_as_stairs")}
    if turns := row.get("turns"):
        late = turns["delays"]
        found |= {"delay": late["still or moving"]["delay_median"], "other_delay": late["others"]["delay_median"],
                  "false_per_hour": turns["false_per_hour_of_all"]}  # fmt: skip
    return found


def streams_table(document: dict[str, Any]) -> str:
    """What is shown of streams, without and with the class."""
    columns = [(source[f"streams_of_{what}"]["studies"]) for what in ("people", "studies")
               for source in (preset_metrics(PRESET), document)]  # fmt: skip
    rows = [(study, *(pages.stream_cell(flat(column[study])) for column in columns)) for study in sorted(columns[0])]
    for name in (*MOVEMENTS, NEVER):
        shares = [column["wisdm"]["shown_as_known"][name] for column in columns]
        rows.append((name.replace("_", " "), *(f"{share:.0%}" for share in shares)))
    return markdown.table(("", "new people", "with the class", "study left out", "with the class"), rows)


def main() -> None:
    """Measures all and prints one JSON document."""
    parser = pages.parser(__doc__)
    parser.add_argument("--data", type=Path, default=Path())
    parser.add_argument("--scratch", type=Path, default=Path("build/something-else"))
    options = parser.parse_args()
    if options.page:
        pages.fill(options.page, __file__, {"other, windows": windows_table, "other, streams": streams_table})
        return
    options.scratch.mkdir(parents=True, exist_ok=True)
    print(json.dumps({"preset": PRESET, **measure(options.data, options.scratch), "versions": versions()}, indent=1))


if __name__ == "__main__":
    main()
