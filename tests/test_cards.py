"""Each preset's card: whole, true to its numbers, and its programs run."""

import re

import pytest
from measured_streams import SHARES
from running import ROOT

from zoo import loading
from zoo.activity.studies import STUDIES
from zoo.catalog import PRESETS_FOLDER, preset_metrics
from zoo.families import task_named
from zoo.files import read_json
from zoo.patches.task import kernel
from zoo.presets import PRESETS
from zoo.report import drawing, for_task
from zoo.report.results import card

SECTIONS = (
    "Intended use", "Evaluation", "Limitations", "Training", "Files", "Usage", "Reproduction",
)  # fmt: skip
ONE_A_FAMILY = ("activity_gru_pocket", "sparse_autoencoder_course", "trigram_lm_course_8_64")


@pytest.fixture(params=PRESETS)
def preset(request):
    return request.param


def text(preset):
    return (PRESETS_FOLDER / preset / "card.md").read_text(encoding="utf-8")


def sections(page):
    """The text below each heading, by its words."""
    return dict(re.findall(r"^## ([^\n]+)\n\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE))


def missing(page, folder):
    """What a card lacks; empty where it is whole."""
    found, records = sections(page), read_json(folder / "metrics.json")["artifacts"]
    lacks = [heading for heading in SECTIONS if not found.get(heading, "").strip()]
    lacks += [
        record["file"] for record in records if f"| `{record['file']}` | {record['bytes'] / 1000:.1f} |" not in page
    ]
    lacks += [name for name in re.findall(r"!\[[^\]]+\]\((.+?)\)", page) if not (folder / name).is_file()]
    lacks += [word for word in ("```python", "```javascript", "zoo/models/") if word not in page]
    lacks += [path for path in re.findall(r"\]\((\.\./[^)#]+)", page) if not (folder / path).is_file()]
    return lacks + [word for word in ("None", "nan", "inf ") if re.search(rf"\b{word}\b", page)]


def documents(preset):
    """Its metrics and its configuration."""
    return [read_json(PRESETS_FOLDER / preset / f"{name}.json") for name in ("metrics", "config")]


def test_a_card_is_the_rendering_of_its_numbers(preset):
    assert text(preset) == card(preset, PRESETS[preset], *documents(preset))


# After a change: python saved_models/make.py --draw. Other figures show data, or words by t-SNE, which differs from
# machine to machine.
def test_the_figures_of_a_card_are_those_of_its_numbers(preset, tmp_path):
    folder = PRESETS_FOLDER / preset
    metrics, history = (read_json(folder / name) for name in ("metrics.json", "history.json"))
    figures = for_task(task_named(metrics["kind"]), "figures")
    drawn = figures.evaluation(metrics["test"], history, {})
    if metrics["kind"] == "patches":
        drawn["features"] = figures.features(kernel(loading.load(folder)), metrics["test"])
    assert drawn
    for picture in drawing.save_all(drawn, tmp_path):
        assert picture.read_bytes() == (folder / picture.name).read_bytes(), picture.name


def test_a_card_has_every_section_file_and_picture_in_its_order(preset):
    page = text(preset)
    assert missing(page, PRESETS_FOLDER / preset) == []
    assert [heading for heading in sections(page) if heading in SECTIONS] == list(SECTIONS)
    assert page.count("![") >= 2
    assert "\n\n\n" not in page


def test_the_first_screen_of_a_card_says_what_for_how_good_how_big_and_how_to_load(preset):
    first = text(preset).partition("<details")[0]
    for word in ("| **test score** |", "baseline", "parameter", " kB, ", "## Intended use", "from_preset("):
        assert word in first
    assert "## Training" not in first


def test_a_card_names_what_it_is_worst_at(preset):
    test, found = documents(preset)[0]["test"], sections(text(preset))["Limitations"]
    if "per_class" in test:
        known = {label: row["f1"] for label, row in test["per_class"].items() if label != "other"}
        worst = min(known, key=known.__getitem__)
        assert f"The worst class is {worst} " in found
        key = "accuracy" if "per_study" in test else "macro_f1"
        worst = min(test["per_subject"], key=lambda who: test["per_subject"][who][key])
        assert f"The worst subject is {worst} " in found
    elif "per_photograph" in test:
        assert f"The worst photograph is {test['worst_photograph']}" in found
    else:
        assert all(f"| `{row['word']}` |" in found for row in test["hardest_words"])


def numbers(document):
    if isinstance(document, dict):
        document = list(document.values())
    if isinstance(document, list):
        return [number for item in document for number in numbers(item)]
    return [float(document)] if isinstance(document, int | float) and not isinstance(document, bool) else []


def as_stairs(report):
    of_walking = dict(zip(report["classes"], report["confusion"][report["classes"].index("walking")], strict=True))
    return (of_walking["upstairs"] + of_walking["downstairs"]) / sum(of_walking.values())


@pytest.mark.parametrize("name", ONE_A_FAMILY)
def test_every_measured_number_of_a_card_is_one_of_its_documents(name):
    page, (metrics, config) = text(name), documents(name)
    known = numbers(metrics) + numbers(config) + numbers(PRESETS[name].arguments)
    photographs = metrics["test"].get("per_photograph", {}).values()
    known += [1 - row["mse"] / row["variance"] for row in photographs] + [0.0]
    # Differences are in points.
    known += [100 * value for row in metrics["test"].get("baselines", {}).values()
              for value in numbers(row.get("difference", {}))]  # fmt: skip
    if set(metrics["test"].get("classes", ())) >= {"walking", "upstairs", "downstairs"}:
        known += [as_stairs(metrics[part]) for part in ("test", "studies") if part in metrics]
    prose = re.sub(r"```.*?```", "", page, flags=re.DOTALL).replace(PRESETS[name].data.text, "")
    for number, share in re.findall(
        r"(?<![\d.,=])[+-]?(\d+\.\d+(?:e[+-]\d+)?)(%?)(?!\.?\d)", prose.partition("## Reproduction")[0]
    ):
        digits = len(number.partition("e")[0].partition(".")[2])
        form = f".{digits}e" if "e" in number else f".{digits}%" if share else f".{digits}f"
        shown = {f"{abs(value / scale):{form}}" for value in known for scale in (1, 1000)}
        assert f"{number}{share}" in shown


def test_a_card_shows_that_the_training_without_a_study_failed():
    name = "activity_gru_phone"
    metrics, config = documents(name)
    del metrics["studies"]["per_study"]["wisdm"]
    page = card(name, PRESETS[name], metrics, config)
    # After the row of its streams.
    *_, row = re.findall(r"^\| wisdm \|.*$", page, re.MULTILINE)
    assert row.endswith("| - | - |")
    assert "The training without wisdm failed." in page
    assert "failed" not in text(name)


def test_a_card_says_on_whom_with_how_many_seeds_and_by_which_rule_everyone_was_scored():
    page, (metrics, _) = text("activity_gru_phone"), documents("activity_gru_phone")
    test, found = metrics["test"], sections(page)
    seeds = "1 seed per group" if test["seeds"] == 1 else f"{test['seeds']} seeds per group"
    assert seeds in found["Evaluation"]
    assert f"Calibration error {test['ece']['before']:.3f} before temperature scaling" in found["Evaluation"]
    assert f"the published weights, {test['temperature']:.3f}, is fitted to these" in found["Evaluation"]
    assert "counts as the one that the model prefers" in found["Limitations"]
    people = {who.partition("/")[0] for who in test["per_subject"]}
    for study in ("motionsense", "wisdm"):
        count = sum(who.startswith(f"{study}/") for who in test["per_subject"])
        assert f"{count} of the {STUDIES[study].people} people of {STUDIES[study].title}" in found["Reproduction"]
    assert people == {*PRESETS["activity_gru_phone"].data.studies}
    assert "GeoTec" not in found["Reproduction"]
    for archive in metrics["made"]["files"]:
        assert f"`{archive}`" in found["Reproduction"]
    assert "prefers" not in text("activity_gru_course")


def test_a_card_says_by_how_much_a_format_that_it_lacks_would_differ():
    name = "activity_rnn_course"
    metrics, config = documents(name)
    found = {"largest_error": 0.25, "mean_error": 0.1, "agreement": 0.5, "rows": 8}
    metrics["refused"] = {
        "int8": found | {"tolerance": {"error": 1.0, "agreement": 0.995}},
        "dynamic": found | {"agreement": None, "tolerance": {"error": 0.2, "agreement": 0.0}},
    }
    files = sections(card(name, PRESETS[name], metrics, config))["Files"]
    assert (
        "No `int8` file: its outputs would differ from Keras by up to 0.25, and its most probable answer would be the "
        "same for 50.00% of 8 windows; at least 99.5% is required.\n"
    ) in files
    assert "No `dynamic` file: its outputs would differ from Keras by up to 0.25 (at most 0.2 is allowed).\n" in files


@pytest.mark.parametrize("name", PRESETS)
def test_a_card_of_a_preset_without_an_int8_file_says_nothing_of_it(name):
    metrics, config = documents(name)
    metrics["artifacts"] = [row for row in metrics["artifacts"] if row["format"] != "int8"]
    assert "model.int8.tflite" not in card(name, PRESETS[name], metrics, config)
    # Nor was it measured on people's streams.
    metrics.get("streams_of_people", {}).pop("int8", None)
    assert "model.int8.tflite" not in card(name, PRESETS[name], metrics, config)


@pytest.mark.parametrize("name", ONE_A_FAMILY)
def test_the_python_programs_of_a_card_run(name, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    first, *programs = re.findall(r"```python\n(.*?)```", text(name), re.DOTALL)
    assert len([line for line in first.splitlines() if line]) == 4
    (second,) = programs
    for program in (first, second):
        exec(compile(program, name, "exec"), {"__name__": "__main__"})
        assert capsys.readouterr().out.strip()
    assert len([line for line in second.splitlines() if line]) <= 5
    assert set(re.findall(r"^(?:from|import) (\w+)", second, re.MULTILINE)) == {"numpy", "ai_edge_litert"}


def test_a_card_has_a_place_for_all_that_is_measured_of_streams():
    """Of studies with several activities and of walking alone; numbers are made up."""
    name = "activity_gru_phone"
    metrics, config = preset_metrics(name), read_json(PRESETS_FOLDER / name / "config.json")
    late = {"changes": 10, "missed": 1, "delay_median": 2.5, "delay_p95": None}
    kinds = ("still or moving", "walking to stairs", "stairs to walking", "others")
    for key, share in (("streams_of_people", 0.75), ("streams_of_studies", 0.25)):
        for study, row in metrics[key]["studies"].items():
            few = {"by_person": {"1": share - 0.125, "2": share + 0.125}, "interval": None, "people": 2}
            many = {"interval": [share - 0.25, share + 0.25], "people": 20}
            shown = {each: {"share": share, **(few if study == "oxford" else many)} for each in SHARES}
            row |= {"all": shown, "settled": shown}
            if "turns" in row:
                slow = late | {"median_of_people": {"interval": [2.25, None]}}
                row["turns"] = {
                    "all": shown, "delays": dict.fromkeys(kinds, slow),
                    "missed": {"share": 0.1, "interval": [0.05, 0.2]}, "false_per_hour": 33.3,
                    "false_of_people": {"interval": None, "people": 2, "by_person": {"1": 40.1, "2": 20.0}},
                }  # fmt: skip
                row["flights"] = dict.fromkeys(("6", "8", "10", "15"), shown | late)
    metrics["by_seed"] = [
        {"people": {"macro_f1": share}, "studies": {"macro_f1": share / 2},
         "streams_of_studies": {study: {each: {"share": share} for each in SHARES} for study in ("oxford", "wisdm")}}
        for share in (0.25, 0.5, 0.75)
    ]  # fmt: skip
    page = card(name, PRESETS[name], metrics, config)
    assert "macro-F1 0.250, 0.500, 0.750 by windows of people left out, and 0.125, 0.250, 0.375 of studies" in page
    lines = page.splitlines()
    stairs = "25.0%, 50.0%, 75.0% | 50.0% |"
    assert f"| wisdm | 0.250, 0.500, 0.750 | 0.500 | {stairs} {stairs}" in lines
    assert f"| oxford | - | - | {stairs} - | - |" in lines
    measured = "0.750 (0.500 to 1.000)"
    percent = "75.0% (50.0% to 100.0%)"
    assert f"| wisdm | these people | {measured} | {measured} | {percent} | {percent} | {percent} |" in lines
    few = "25.0% (12.5% to 37.5%, 2 people)"
    assert f"| oxford | this study | - | - | {few} | {few} | {few} |" in lines
    late = " 2.5 (2.2 to never), never |" * 4
    missed, false = "4 of 40 (5.0% to 20.0%)", "33 (20 to 40, 2 people)"
    assert f"| motionsense | these people | {measured} | {missed} |{late} {false} |" in lines
    assert f"| wisdm | this study |{' 25% (0% to 50%); 1 of 10 never |' * 4}" in lines
