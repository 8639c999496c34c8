"""The report of a cross-validation: a page of Markdown with figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.files import atomic_write
from zoo.report.cards.page import table
from zoo.report.figures import activity as figures
from zoo.report.figures import drawing
from zoo.report.tables.activity import claim
from zoo.report.tables.layout import interval, number

REPORT = "report.md"

Result = Mapping[str, Any]


def write(result: Result, folder: Path) -> Path:
    """Writes `report.md` and its figures.

    Args:
        result: What `tasks.crossval.cross_validate` returns.
        folder: Where to.

    Returns:
        The page.
    """
    by_person = result["split_by"] == "subject"
    parts = [
        f"# Cross-validation of {result['preset']}", _protocol(result), "## What it came to", _methods(result),
        _spread(result), _differences(result), *(_people(result, folder) if by_person else []), "## Confusion",
        _figure(folder, "confusion.png", figures.confusion({**result, "split": "cross-validation"})),
        _confusion(result), _random(result), _failures(result), _made(result),
    ]  # fmt: skip
    path = folder / REPORT
    with atomic_write(path) as temporary:
        temporary.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")
    return path


def _protocol(result: Result) -> str:
    simulated = "**SIMULATED data: no person made these windows.** " if result["simulated"] else ""
    if result["split_by"] == "window":
        return (
            f"{simulated}{result['data']} has no subject ids, so {result['groups']} groups of windows drawn at random "
            "were left out in turn. **Windows of one person are learned from and measured on: these numbers claim too "
            "much.**"
        )
    loso = result["groups"] == result["people"]
    how = "each left out once" if loso else f"in {result['groups']} groups, each left out once"
    inside = (
        f"normalization, the epoch at which training stops and the temperature (on {result['recipe']['validation']:.0%}"
        " of the others, set aside)"
        if result["recipe"]["validation"]
        else "normalization"
    )
    whose, test = (
        (", all of", "**The people of the test part are among them: what is chosen by this cannot be tested on them.**")
        if result["everyone"]
        else (" of the training part of", "The test part was not touched.")
    )
    return (
        f"{simulated}{result['people']} people{whose} {result['data']}, {how}, with "
        f"{result['seeds']} seed{'s' if result['seeds'] > 1 else ''}. Each window is predicted by models that never "
        f"saw its person; whatever is fitted, {inside} included, is fitted on the other people alone. {test}"
    )


def _methods(result: Result) -> str:
    over = "95 % over people" if result["split_by"] == "subject" else "95 % over windows"
    random = result["random"] or {}
    head = ["", "macro-F1", over, "accuracy", "mean of folds", "± groups", "± seeds", "worst group"]
    rows = []
    for name, row in ({result["preset"]: result} | result["baselines"]).items():
        words = name.replace("_", " ")
        rows.append([
            f"**{name}**" if row is result else words, number(row["macro_f1"]), interval(row["macro_f1_interval"]),
            *(number(row[key]) for key in ("accuracy", "mean", "group_deviation", "seed_deviation", "worst_group")),
            *([number(random[name]["macro_f1"])] if name in random else []),
        ])  # fmt: skip
    return table([*head, *(["random windows claim"] if random else [])], rows)


def _spread(result: Result) -> str:
    ece = result["ece"]
    after = "" if ece["after"] is None else f", {ece['after']:.3f} after each fold's own temperature"
    return (
        "macro-F1 and accuracy are of all windows together; the interval draws "
        f"{'people' if result['split_by'] == 'subject' else 'windows'} with replacement. ± is the standard deviation "
        "of the mean macro-F1 of groups, and of seeds (- where there is one alone, or where nothing is random). "
        f"Calibration error {ece['before']:.3f}{after}."
    )


def _differences(result: Result) -> str:
    lines = []
    for name, row in result["baselines"].items():
        if gap := row.get("difference"):
            low, high = gap["interval"]
            lines.append(
                f"- {result['preset']} less the {name.replace('_', ' ')}: {100 * gap['macro_f1']:+.1f} points of "
                f"macro-F1 a person (95 % over people: {100 * low:+.1f} to {100 * high:+.1f}), better for "
                f"{gap['people']} of {gap['of']} people."
            )
    return "\n".join(lines)


def _people(result: Result, folder: Path) -> list[str]:
    worst = ", ".join(
        f"{name} ({result['per_subject'][name]['macro_f1']:.3f})" for name in result.get("worst_subjects", [])
    )
    others = list(result["baselines"])
    rows = [
        (
            name, f"{row['windows']:,}", number(row["macro_f1"]), number(row["accuracy"]),
            *(number(result["baselines"][other]["per_subject"].get(name, {}).get("macro_f1")) for other in others),
        )
        for name, row in sorted(result["per_subject"].items(), key=lambda item: item[1]["macro_f1"])
    ]  # fmt: skip
    head = ("subject", "windows", "macro-F1", "accuracy", *(f"{other.replace('_', ' ')}" for other in others))
    return [
        "## People", f"Worst: subjects {worst}.", _figure(folder, "subjects.png", figures.people(result)),
        table(head, rows), *(["Columns of the baselines: macro-F1."] if others else []),
    ]  # fmt: skip


def _confusion(result: Result) -> str:
    head = ("true", *result["classes"], "F1")
    rows = [
        (name, *(f"{count:,}" if count else "." for count in row), number(result["per_class"][name]["f1"]))
        for name, row in zip(result["classes"], result["confusion"], strict=True)
    ]
    again = f", each counted once a seed of {result['seeds']}" if result["seeds"] > 1 else ""
    return f"{table(head, rows)}\n\nAll folds together{again}."


def _random(result: Result) -> str:
    return f"## What random windows would have claimed\n\n{claim(result)}" if result["random"] else ""


def _failures(result: Result) -> str:
    methods = {result["preset"]: result} | result["baselines"]
    failed = [
        (name, ", ".join(fold.get("subjects") or ["-"]), str(fold["seed"]), fold["reason"])
        for name, row in methods.items()
        for fold in row["folds"]
        if fold["status"] == "failed"
    ]
    if not failed:
        return ""
    shown = table(("", "subjects", "seed", "reason"), failed)
    return f"## Folds that failed\n\nTheir windows are missing above.\n\n{shown}"


def _made(result: Result) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    command = f"\n\n    {result['command']}" if result["command"] else ""
    return (
        f"## How it was made{command}\n\nData: {result['source']}, sha256 `{result['data_sha256'][:16]}...`. First "
        f"seed {result['seed']}. {versions}; {result['machine']}. All numbers: `results.json`."
    )


def _figure(folder: Path, name: str, figure: Any) -> str:
    drawing.save(figure, folder / name)
    return f"![{name.removesuffix('.png')}]({name})"
