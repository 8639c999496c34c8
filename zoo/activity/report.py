"""Reports of activity recognizers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean

from zoo.activity.crossval_report import calibration, classes, confusion, methods, studies
from zoo.activity.studies import STUDIES
from zoo.presets import Preset
from zoo.report import card as cards
from zoo.report import markdown as md
from zoo.report.markdown import Document
from zoo.runtime.label_sets import COUNTED

TITLE = "Activity recognizers"
SCORE, MAXIMIZE = "macro_f1", True
FILE_SCORES = ("accuracy", "macro_f1")
EXAMPLE = "window"
_PERSONAL = (
    " `model.personal.tflite` can be trained on the device; a call to its signature `infer` also reads a whole window."
)
_OTHER_PLACES = " (training also included walking with the phone in a hand, in a bag, or on an arm)"
RESULTS = ("accuracy", "macro_f1", "macro_f1_interval")


def training(summary: Document) -> str:
    """Renders the summary of a training run."""
    found = summary["validation"]
    if found is None:
        validation = "No validation: probabilities are not calibrated."
        return md.trained(summary, "window", "train_windows", validation)
    who = {
        "subject": (
            f"leave one person out, {md.count(found['folds'], 'fold')}"
            if "folds" in found
            else md.subjects(found["subjects"])
        ),
        "time": "the last windows of each activity of the same people, which overestimate the score on other people",
        "window": "random windows, which overestimate the score",
    }[found["by"]]
    scores = f"{md.say(found, 'macro_f1', 'accuracy')}, {calibration(found)}"
    validation = f"Validation: {scores} ({md.count(found['windows'], 'window')}; {who})."
    if "baseline" in found:
        baseline = found["baseline"]
        fewer = baseline["windows"] < found["windows"] and baseline["of_model"] != found["macro_f1"]
        where = f" on windows of one class, where the model has {baseline['of_model']:.3f}" if fewer else ""
        validation += f" {md.label(baseline['name']).capitalize()}: {md.say(baseline, 'macro_f1', 'accuracy')}{where}."
    if "folds" in found:
        several = found["by"] == "subject"
        whose, whom = (
            (f"{found['folds']} other models, one per fold", f"all {len(found['subjects'])} people")
            if several
            else ("another model", "all windows")
        )
        validation += f" The scores are those of {whose}; the saved model was trained on {whom}."
    return md.trained(summary, "window", "train_windows", validation, md.given(found, "answered", _answered))


def evaluation(report: Document) -> str:
    """Renders an evaluation: scores with baselines, confusion, classes, people, calibration, robustness."""
    simulated = " of SIMULATED data" if report["simulated"] else ""
    return md.page(
        f"# {md.escape(report['model'])} on {md.escape(report['data'])}",
        f"{md.count(report['windows'], 'window')}{simulated}, {report['split']} set, split by {report['split_by']}.",
        _scores(report),
        f"{_intervals(report)}{calibration(report).capitalize()}.",
        md.given(report, "prior", _prior),
        md.given(report, "answered", _answered),
        md.section("Confusion", confusion(report)),
        md.section("Classes", classes(report)),
        md.section("Studies", studies(report)),
        md.section("Subjects", _subjects(report)),
        md.section("Robustness", _robustness(report)),
        *map(md.note, report["notes"]),
    )


def _scores(report: Document) -> str:
    return md.columns(methods(report, "this model"), RESULTS if _intervals(report) else FILE_SCORES, "model")


def _intervals(report: Document) -> str:
    """Says what intervals are over. Empty for a single person, for whom there is no interval over people."""
    people = len(report["per_subject"])
    return "" if people == 1 else f"95% intervals are over {'subjects' if people else 'windows'}. "


def _prior(prior: Document) -> str:
    expected = "" if prior["accuracy"] is None else f"; accuracy at these frequencies {prior['accuracy']:.3f}"
    return f"Class frequencies assumed: {shares(prior['classes'])}{expected}."


def shares(prior: Mapping[str, float]) -> str:
    """Formats class frequencies."""
    return ", ".join(f"{md.escape(name)} {share:.3g}" for name, share in prior.items())


def _answered(found: Document) -> str:
    accuracy = "" if found["accuracy"] is None else f"; accuracy of the others {found['accuracy']:.3f}"
    return f"Not sure (below {found['threshold']:.3f}): {found['refused']:.1%} of windows{accuracy}."


def _subjects(report: Document) -> str:
    """Renders the scores of each person, the worst first."""
    rows = sorted(report["per_subject"].items(), key=lambda item: item[1]["macro_f1"])
    keys = ("windows", "accuracy", "macro_f1")
    return md.columns([(md.escape(name), row) for name, row in rows], keys, "subject") if rows else ""


def _robustness(report: Document) -> str:
    rows = [(row["meaning"], row) for row in report.get("robustness", {}).values()]
    return md.columns(rows, ("macro_f1", "drop"), "disturbance") if rows else ""


def predictions(rows: Sequence[Document]) -> str:
    """Renders predictions, one row per window."""
    first = "window" if not rows or rows[0]["time"] is None else "time"
    keys = (first, "label", "true", "probability")
    shown = [{key: row[key] for key in keys if key in row} for row in rows]
    shown = [row | ({"label": "not sure"} if row["label"] is None else {}) for row in shown]
    return md.records(shown, text=len(shown[0]) - 1 if shown else 1)


def streaming(report: Document) -> str:
    """Renders an evaluation of continuous recognition."""
    simulated = " SIMULATED data." if report["simulated"] else ""
    names = {
        "hours": "hours", "window_accuracy": "by window", "accuracy": "by row", "settled_accuracy": "settled",
        "coverage": "labeled", "delay_median": "delay, s:.1f", "delay_p95": "95% delay, s:.1f",
        "false_alarms_per_hour": "false alarms per hour:.1f",
    }  # fmt: skip
    parts = {"recordings": "each recording", "spliced": "activities in turn"}
    rows = [
        (signal, {name.partition(":")[0]: report[part][key] for key, name in names.items()})
        for part, signal in parts.items()
        if report[part]
    ]
    spliced = report["spliced"]
    return md.page(
        f"Streamed recordings of {md.subjects(report['subjects'])}.{simulated}",
        md.columns(rows, list(names.values()), "signal"),
        "The first three scores are the accuracy of single windows, of all rows of the stream, and of the rows more "
        "than 5 s after a change (settled). Labeled: share of rows with a label. Delay: time until a change is "
        "recognized, median and 95th percentile.",
        f"Accuracy by row of the activities in turn, from the first to the last part of the stream: "
        f"{md.show(spliced['accuracy_by_time'])}."
        if spliced
        else "Nobody recorded two activities, so there are no activities in turn.",
    )


def headline(test: Document) -> tuple[str, str]:
    """Returns the score on test data, and that of the best baseline."""
    how = ", cross-validated" if test["split"] == "cross-validation" else ""
    measured = f"{md.say(test, SCORE)} ({md.show(test['macro_f1_interval'], 'interval')}){how}"
    rows: Mapping[str, Document] = test.get("baselines", {})
    best = max(rows, key=lambda name: rows[name][SCORE], default="")
    return measured, f"{md.label(best)} {rows[best][SCORE]:.3f}" if best else "-"


def interface(known: Document) -> dict[str, str]:
    """Describes input and output of a model."""
    labels = known["classes"]
    return {
        "input": f"windows of {known['window']} rows at {known['rate']:g} Hz, {known['unit']}, gravity included; axes "
        f"{md.show(known.get('axes', ['x', 'y', 'z']))} with {str(known['convention']).title()}'s sign"
        + (", rotation rate in rad/s" if "gyro_x" in known.get("axes", []) else ""),
        "output": md.show(labels) if isinstance(labels, list | tuple) else f"{labels} classes",
        **_decisions(known),
    }


def _decisions(known: Document) -> dict[str, str]:
    """Describes the prior and the threshold of a model that has them."""
    found = {}
    # Arguments have a prior by label; metadata in the order of the labels.
    if known.get("prior"):
        found["prior (class frequencies)"] = shares(dict(zip(known["classes"], known["prior"], strict=True)))
    if known.get("threshold"):
        found["not sure"] = f"below a probability of {known['threshold']:.3f}"
    return found


def card(name: str, preset: Preset, metrics: Document, known: Document) -> dict[str, tuple[str, ...]]:
    """Renders the parts of a card that only recognizers have, by heading."""
    test, shape = metrics["test"], [1, known["window"], len(known.get("axes", "xyz"))]
    array = f'np.zeros({tuple(shape)}, "float32")'
    return {
        "Intended use": (
            "Recognizing the activity of a person with a phone in a trouser pocket"
            f"{_OTHER_PLACES if preset.everyone else ''}, for teaching, and for logging and counting activities. Not "
            "for medical or safety decisions, nor for monitoring people without their consent.",
        ),
        "Training": (
            md.given(metrics, "seeds", _seeds) + md.given(metrics, "normalized", _normalized), preset.note,
            md.figures("training.png"),
        ),
        "Evaluation": (
            _scores(test),
            _everyone(test, metrics["studies"]) if preset.everyone else
            f"Split by person: the test set has {md.count(test['windows'], 'window')} of subjects "
            f"{md.show(list(test['per_subject']))}, none of whom is in a training or validation window. "
            f"{_intervals(test)}{calibration(test).capitalize()}.",
            md.given(test, "reliability", lambda bins: md.figures("reliability.png")),
        ),
        "Limitations": (
            _limitations(test),
            f"{COUNTED[0].upper()}{COUNTED[1:]}." if COUNTED in test["notes"] else "",
            md.figures("confusion.png", "subjects.png"),
        ),
        "Robustness": (_robustness(test),),
        "Files": (
            "A call to `window` reads a whole window"
            f"{'; a call to `step` reads one frame' if known.get('states') else ''}."
            f"{_PERSONAL if any(row['format'] == 'personal' for row in metrics['artifacts']) else ''}",
            md.given(metrics, "plain_c", lambda found: _plain_c(name, found, known)),
        ),
        "Usage": (
            cards.usage(
                name, metrics, f"print(model({array}))  # logits of a window in {known['unit']}",
                f'window(window={array})["probabilities"]', f"new Float32Array({shape[1] * shape[2]}), {shape}",
            ),
            "Probabilities are in the order of the classes above. `zoo.runtime.Recognizer` runs the same files, and "
            "recognizes continuous signals at any rate: `Recognizer(file).stream()`.",
        ),
        "Reproduction": (_people_used(test) if preset.everyone else "",),
    }  # fmt: skip


def _plain_c(name: str, found: Document, known: Document) -> str:
    rows = [
        (
            md.code(row["format"]),
            f"{row['flash'] / 1000:.1f}",
            *(f"{row[key]:,}" for key in ("state", "stack", "instructions")),
        )
        for row in found["formats"]
    ]
    return md.page(
        f"As plain C (`zoo export {name} --formats {','.join(row['format'] for row in found['formats'])}`) on an "
        f"emulated {found['processor']}, compiled by {found['compiler']}; a second of signal takes "
        f"{known['rate'] / known['frame']:g} steps:",
        md.table(("format", "flash, kB", "state, bytes", "stack, bytes", "instructions per step"), rows),
    )


def _seeds(runs: Sequence[Document]) -> str:
    chosen = next(run for run in runs if run["chosen"])
    return (
        f"Trained with seeds {md.show([run['seed'] for run in runs])}; seed {chosen['seed']}, which has the lowest "
        f"validation loss, is published. Test accuracy of all seeds: {_test_accuracy(runs)}."
    )


def _normalized(runs: Sequence[Document]) -> str:
    return (
        f" If the model normalizes its inputs and nothing else is changed (`--set normalize=true`), the test accuracy "
        f"of {md.count(len(runs), 'seed')} is {_test_accuracy(runs)}."
    )


def _test_accuracy(runs: Sequence[Document]) -> str:
    return f"{md.span(runs, 'test_accuracy')}, mean {fmean(run['test_accuracy'] for run in runs):.3f}"


def _everyone(people: Document, held_out: Document) -> str:
    """Renders the scores of a recipe whose weights were trained on everyone: those of models that left some out."""
    left_out = {key: f"{md.label(key)}, study left out" for key in FILE_SCORES}
    rows = [
        (study, {**row, **{name: held_out["per_study"].get(study, {}).get(key) for key, name in left_out.items()}})
        for study, row in people["per_study"].items()
    ]
    failed = [study for study in people["per_study"] if study not in held_out["per_study"]]
    return md.page(
        f"The published weights were trained on everyone, so these scores are from a cross-validation of the same "
        f"recipe: {md.count(people['windows'], 'window')} of {people['people']} subjects in {people['groups']} groups, "
        f"each window predicted by a model that was not trained on its subject ({md.count(people['seeds'], 'seed')} "
        "per group). "
        f"{_intervals(people)}{calibration(people).capitalize()} before temperature scaling; the temperature of the "
        f"published weights, {people['temperature']:.3f}, is fitted to these predictions, so no error is measured "
        "after it.",
        md.columns(rows, ("windows", *FILE_SCORES, *left_out.values()), "study"),
        "Each study is scored by the labels that it distinguishes; a study with nothing but walking has no macro-F1. "
        "The last two columns are the scores of models that were trained on the other studies; over all windows, they "
        f"reach {md.say(held_out, 'macro_f1')}. {_as_stairs(people)} of the walking windows were mistaken for stairs, "
        f"{_as_stairs(held_out)} when their study was left out."
        + (f" The training without {md.show(failed)} failed." if failed else ""),
    )


def _people_used(test: Document) -> str:
    """Says of which studies not everyone is in the data."""
    used = Counter(name.partition("/")[0] for name in test["per_subject"])
    parts = [
        f"{count} of the {STUDIES[study].people} people of {STUDIES[study].title}"
        for study, count in sorted(used.items())
        if study in STUDIES and count < STUDIES[study].people
    ]
    return (
        f"The archives that were used contain only {' and '.join(parts)}; the keys of `test.per_subject` in "
        "`metrics.json` are their ids. With complete archives, the numbers will differ."
        if parts
        else ""
    )


def _as_stairs(report: Document) -> str:
    """Returns the share of windows of walking that were taken for stairs."""
    names = report["classes"]
    row = report["confusion"][names.index("walking")]
    stairs = sum(row[names.index(name)] for name in ("upstairs", "downstairs"))
    return md.show(stairs / sum(row) if sum(row) else None, form=".1%")


def _limitations(test: Document) -> str:
    # People of several studies do not all do the same activities.
    scores, people, key = test["per_class"], test["per_subject"], "accuracy" if "per_study" in test else "macro_f1"
    person = min(people, key=lambda name: people[name][key])
    worst = min(scores, key=lambda name: scores[name]["f1"])
    row = zip(test["confusion"][test["classes"].index(worst)], test["classes"], strict=True)
    mistaken = sorted(((windows, name) for windows, name in row if name != worst and windows), reverse=True)[:2]
    taken = " and ".join(f"{md.escape(name)} ({md.count(windows, 'window')})" for windows, name in mistaken)
    return (
        f"The worst class is {md.escape(worst)} ({md.say(scores[worst], 'f1')}), most often mistaken for "
        f"{taken or 'nothing else'}. The worst subject is {md.escape(person)} "
        f"({md.say(people[person], key)})."
    )
