"""Reports of cross-validations, and tables of recognizers."""

from pathlib import Path

from zoo.report import markdown as md
from zoo.report.markdown import Document

_LEFT_OUT = {"subject": ("subjects", "people", "person"), "study": ("studies", "studies", "study"),
             "window": ("windows", "windows", "window")}  # fmt: skip
"""What is left out by each way of splitting: as a group, in a sentence, and one of them."""


def calibration(report: Document) -> str:
    """Returns the calibration error as text."""
    ece = report["ece"]
    scaled = ece["after"] not in (None, ece["before"])
    after = f", {ece['after']:.3f} after temperature scaling" if scaled else ""
    return f"calibration error {ece['before']:.3f}{after}"


def methods(report: Document, name: str) -> list[tuple[str, Document]]:
    """Returns a model and its baselines by name."""
    return [(f"**{name}**", report), *((md.label(key), row) for key, row in report.get("baselines", {}).items())]


def confusion(report: Document) -> str:
    """Renders the confusion matrix."""
    rows = [
        (md.escape(name), *(f"{windows:,}" if windows else "." for windows in row))
        for name, row in zip(report["classes"], report["confusion"], strict=True)
    ]
    return md.table(("true \\ predicted", *map(md.escape, report["classes"])), rows)


def classes(report: Document) -> str:
    """Renders precision, recall and F1 of each class."""
    rows = [(md.escape(name), report["per_class"][name]) for name in report["classes"]]
    return md.columns(rows, ("windows", "precision", "recall", "f1"), "class")


def studies(report: Document) -> str:
    """Renders the scores of each study, by the labels that it tells apart; empty if studies are not known."""
    if "per_study" not in report:
        return ""
    rows = [(md.escape(name) or "none", row) for name, row in report["per_study"].items()]
    return md.columns(rows, ("windows", "accuracy", "macro_f1"), "study")


def cross_validation(result: Document) -> str:
    """Renders the whole report. Its figures are `confusion.png` and, if people are held out, `subjects.png`."""
    random, scored = result["random"] or {}, {result["preset"]: result} | result["baselines"]
    rows = [
        (name, {**row, "mean of folds": row["mean"], "random windows": random.get(key, {}).get("macro_f1")})
        for key, (name, row) in zip(scored, methods(result, md.escape(result["preset"])), strict=True)
    ]
    keys = ("macro_f1", "macro_f1_interval", "accuracy", "mean of folds", "group_deviation", "seed_deviation",
            "worst_group")  # fmt: skip
    failed = [
        {"model": name, "subjects": fold.get("subjects"), "seed": fold["seed"], "reason": fold["reason"]}
        for name, row in scored.items()
        for fold in row["folds"]
        if fold["status"] == "failed"
    ]
    people = () if result["split_by"] == "window" else (
        f"Worst: {md.show(result['worst_subjects'])}.", md.figures("subjects.png"), _people(result)
    )  # fmt: skip
    return md.page(
        f"# Cross-validation of {md.escape(result['preset'])}",
        _protocol(result),
        md.section(
            "Results", md.columns(rows, (*keys, "random windows"), "model"),
            "Scores are those of all windows together; 95% intervals are over "
            f"{'subjects' if people else 'windows'}. ± is the standard deviation of the mean macro-F1 over groups and "
            f"over seeds. {calibration(result).capitalize()}.",
            _differences(result),
        ),
        md.section("Studies", studies(result)),
        md.section("Subjects", *people),
        md.section("Confusion", md.figures("confusion.png"), confusion(result)),
        md.section("Classes", classes(result)),
        md.section(f"Random windows instead of {_LEFT_OUT[result['split_by']][0]}", claim(result) if random else ""),
        md.section("Failed folds", "Their windows are missing above.", md.records(failed)) if failed else "",
        _provenance(result),
        *map(md.note, result["notes"]),
    )  # fmt: skip


def _people(result: Document) -> str:
    """Renders the macro-F1 of each subject with each method, the worst first."""
    others = {md.label(name): row["per_subject"] for name, row in result["baselines"].items()}
    rows = [
        (md.escape(name), row | {other: scores.get(name, {}).get("macro_f1") for other, scores in others.items()})
        for name, row in sorted(result["per_subject"].items(), key=lambda item: item[1]["macro_f1"])
    ]
    table = md.columns(rows, ("windows", "accuracy", "macro_f1", *others), "subject")
    return md.page(table, "Columns of baselines: macro-F1." if others else "")


def _protocol(result: Document) -> str:
    simulated = "**SIMULATED data: these windows are synthetic.** " if result["simulated"] else ""
    if result["split_by"] == "window":
        return (
            f"{simulated}{md.escape(result['data'])} has no subject ids, so {result['groups']} groups of random "
            "windows were left out in turn. **Training and test windows come from the same people, so these scores are "
            "too high.**"
        )
    groups = f"in {result['groups']} groups"
    if result["split_by"] == "study" or result["groups"] == result["people"]:
        groups = f"one {result['split_by']} at a time"
    validation = result["recipe"]["validation"] if result["ece"]["temperature"] is not None else 0.0
    stopping = "early stopping and " if result["recipe"].get("patience") else ""
    fitted = f", {stopping}temperature (on {validation:.0%} of the other subjects)" if validation else ""
    whose, test = (
        ("both sets", "**They include the test subjects: do not test on them what is chosen by these scores.**")
        if result["everyone"]
        else ("the training set", "No test set was used.")
    )
    return (
        f"{simulated}{md.count(result['people'], 'subject')} of {whose} of {md.escape(result['data'])}, left out "
        f"{groups}, with {md.count(result['seeds'], 'seed')}. Each window is predicted by models that were not trained "
        f"on its {result['split_by']}; normalization{fitted} and baselines are fitted without it as well. {test}"
    )


def write(result: Document, folder: Path) -> Path:
    """Writes `report.md` and its figures into the folder of a cross-validation, and returns its path."""
    # Drawing takes a second to import.
    from zoo.activity.figures import crossval

    crossval(result, folder)
    return md.write(folder / "report.md", cross_validation(result))


def _differences(result: Document) -> str:
    return "\n".join(
        f"- {md.escape(result['preset'])} minus {md.label(name)}: {100 * gap['macro_f1']:+.1f} points of macro-F1 per "
        f"subject (95% over subjects: {' to '.join(f'{100 * bound:+.1f}' for bound in gap['interval'])}), better for "
        f"{gap['people']} of {gap['of']} subjects."
        for name, row in result["baselines"].items()
        if (gap := row.get("difference"))
    )


def claim(result: Document) -> str:
    """Renders the scores that a split by random windows would have reported."""
    honest, claimed = result["macro_f1"], result["random"][result["preset"]]["macro_f1"]
    groups, others, one = _LEFT_OUT[result["split_by"]]
    baselines = "".join(
        f" {md.label(name).capitalize()}: {result['random'][name]['macro_f1']:.3f} instead of {row['macro_f1']:.3f}."
        for name, row in result["baselines"].items()
        if name in result["random"]
    )
    why = (
        f"The difference of {100 * (claimed - honest):.1f} points is due to windows of the same {one}, some of them "
        f"overlapping, in both sets. It does not carry over to new {others}."
        if claimed > honest
        else f"Here it is not higher, but in general it is, since windows of the same {one} are in both sets."
    )
    return (
        f"With random windows left out instead of {groups}, the same recipe would have reported a macro-F1 of "
        f"{claimed:.3f}; on {others} it was not trained on it is {honest:.3f}. {why}{baselines}"
    )


def _provenance(result: Document) -> str:
    return md.section(
        "Reproduction",
        f"```console\n$ {result['command']}\n```" if result["command"] else "",
        f"Data: {md.escape(result['source'])}, sha256 `{result['data_sha256'][:16]}...`. First seed {result['seed']}. "
        f"{md.show(result['versions'])}; {result['machine']}. All numbers: `results.json`.",
    )
