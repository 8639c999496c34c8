"""What is searched: spaces, studies, and what is refused before anything is trained."""

import runpy
import shutil
from pathlib import Path

import h5py
import keras_tuner
import pytest
from running import refused

from zoo import Limits, Recipe, tune
from zoo.activity.augmentation import Augmentation
from zoo.families import FAMILIES, find_family
from zoo.presets import PRESETS
from zoo.search import spaces
from zoo.search.spaces import HyperParameters, Study

NOWHERE = Path("data.h5")


@pytest.mark.parametrize("target", ["activity", *FAMILIES])
def test_whatever_a_space_draws_is_a_model_and_a_recipe(target):
    study = Study(target, NOWHERE, epochs=3, settings={"pixels": 64} if target == "sparse_autoencoder" else {})
    space = keras_tuner.HyperParameters()
    study.plan(space, seed=0)
    random = keras_tuner.oracles.RandomSearchOracle(
        keras_tuner.Objective("score", "max"), 20, hyperparameters=space, seed=1
    )
    for number in range(20):
        hp = space.copy()
        hp.values = random.populate_space(str(number))["values"]
        plan = study.plan(hp, seed=number)
        model = find_family(plan.family).load()(**plan.arguments)
        assert model.count_params() > 0
        assert Recipe.from_json(plan.recipe.to_json()) == plan.recipe
        assert (plan.recipe.seed, plan.recipe.epochs) == (number, 3)


@pytest.mark.parametrize(("space", "preset"), [("activity", "activity_gru_pocket"), ("trigram", "trigram_lm_best")])
def test_a_search_begins_at_its_preset_and_at_the_best_one_without_a_preset(space, preset):
    row, plan = PRESETS[preset], Study(preset, NOWHERE).outline
    assert plan.family == row.family
    assert row.arguments.items() <= plan.arguments.items()
    same = ("optimizer", "learning_rate", "schedule", "warmup_epochs", "weight_decay", "clip_norm", "ema_decay",
            "batch_size", "label_smoothing", "augmentation", "merge_contexts")  # fmt: skip
    assert {name: getattr(plan.recipe, name) for name in same} == {name: getattr(row.recipe, name) for name in same}
    values = {**plan.recipe.to_json(), **plan.arguments, "cell": plan.family.removeprefix("activity_")}
    settings = getattr(spaces, space)(HyperParameters())
    assert {name: values[name] for name in settings} == settings


def test_a_preset_outside_of_the_space_lends_the_values_that_are_in_it():
    plan = Study("activity_lstm_course", NOWHERE).outline
    assert (plan.family, plan.arguments["units"], plan.recipe.optimizer) == ("activity_lstm", 64, "sgd")
    # The rows of a frame, and the rate, are below those of the space.
    assert (plan.arguments["frame"], plan.recipe.learning_rate) == (5, 0.1)


def test_what_is_fixed_is_not_searched():
    hp = keras_tuner.HyperParameters()
    fixed = {"optimizer": "sgd", "units": 17, "sgd_learning_rate": 0.5}
    settings = spaces.activity(HyperParameters(hp, fixed))
    assert (settings["units"], settings["optimizer"], settings["learning_rate"]) == (17, "sgd", 0.5)
    assert {"momentum", "frame"} <= set(hp.values)
    assert not {*fixed, "learning_rate", "adamw_decay"} & set(hp.values)
    plan = Study("activity_lstm", NOWHERE, settings={"augmentation": None, "window": 120, "validation": 0.4}).outline
    assert plan.family == "activity_lstm"
    assert (plan.arguments["window"], plan.recipe.validation, plan.recipe.augmentation) == (120, 0.4, None)
    hp, pinned = keras_tuner.HyperParameters(), {"augmentation": None, "weight_decay": 0.1, "optimizer": "adamw"}
    assert Study("activity_gru", NOWHERE, settings=pinned).plan(hp, 0).recipe.weight_decay == 0.1
    assert not {*Augmentation.model_fields, "sensor", "adamw_decay"} & set(hp.values)
    # What is stated holds with every optimizer.
    assert Study("activity_gru", NOWHERE, settings={"weight_decay": 0.1}).outline.recipe.weight_decay == 0.1
    cnn = keras_tuner.HyperParameters()
    assert Study("activity_cnn", NOWHERE, settings={"filters": 24}).plan(cnn, 0).arguments["filters"] == 24
    assert "kernel_size" in cnn
    assert "filters" not in cnn


def test_what_is_chosen_decides_what_else_is_searched():
    def drawn(target, **choose):
        hp = keras_tuner.HyperParameters()
        study = Study(target, NOWHERE, choose=choose)
        study.plan(hp, 0)
        for value in range(20):
            # As the oracle of a random search does.
            hp.values = {one.name: one.random_sample(value) for one in hp.space}
            yield study.plan(hp, 0)

    for plan in drawn("activity_gru_pocket", optimizer=["sgd", "adam"]):
        assert plan.family == "activity_gru"
        assert (plan.recipe.momentum > 0 or plan.recipe.learning_rate >= 0.1) == (plan.recipe.optimizer == "sgd")
    assert {plan.arguments["dropout"] for plan in drawn("activity_gru", dropout=[0, 0.5])} == {0, 0.5}
    weights = {plan.recipe.class_weights for plan in drawn("activity_gru", class_weights=[None, "balanced"])}
    assert weights == {None, "balanced"}
    assert {plan.family for plan in drawn("activity", cell=["rnn", "lstm"])} == {"activity_rnn", "activity_lstm"}
    assert {plan.recipe.augmentation["spin"] for plan in drawn("activity_gru", spin=[0, 180])} == {0, 180}


def test_options_of_a_function_are_its_own_where_fields_of_the_recipe_have_their_names():
    def build(window, channels, classes, momentum=0.99, weight_decay=0.5):
        raise AssertionError

    plan = Study(build, NOWHERE, choose={"momentum": [0.9]}, settings={"weight_decay": 0.1}).outline
    assert plan.arguments == {"momentum": 0.9, "weight_decay": 0.1}
    assert (plan.recipe.momentum, plan.recipe.weight_decay) == (0.0, 0.0)
    assert Study(build, NOWHERE, choose={"batch_size": [32]}).outline.arguments == {}


def test_bad_studies_are_one_line():
    requests = {
        r"strategy is 'bayes'; expected random, hyperband, bayesian": lambda: tune("activity", strategy="bayes"),
        r"unknown preset or family 'activity_gr': did you mean activity_gru\?": lambda: tune("activity_gr"),
        r"trials is 0; expected 1 or more": lambda: tune("activity", trials=0),
        r"best is 0; expected 1 or more": lambda: tune("activity", best=0),
        r"bytes is -1; expected": lambda: Limits(bytes=-1),
    }
    studies = {
        r"unknown objective of trigram_lm 'macro_f1'": ("trigram_lm", {"objective": "macro_f1"}),
        r"'cours': did you mean course\?": ("sparse_autoencoder", {"space": "cours"}),
        r"unknown setting of activity_gru 'unit': did you mean units\?": ("activity_gru", {"settings": {"unit": 3}}),
        r"dropout is nan; expected a number": ("trigram_lm", {"settings": {"dropout": float("nan")}}),
        r"unknown setting of trigram_lm 7": ("trigram_lm", {"settings": {7: 1}}),
        r"choose: epochs is the same for all trials": ("activity_gru", {"choose": {"epochs": [2, 3]}}),
        r"groups is 3: trigram_lm has no people to hold out": ("trigram_lm", {"groups": 3}),
    }
    for says, request in requests.items():
        refused(says, request)
    for says, (target, options) in studies.items():
        refused(says, Study, target, NOWHERE, **options)


def test_the_folder_of_another_search_is_refused_and_that_of_the_same_is_not(patches, tmp_path):
    for trials in (3, 3, 70):
        patches.study(trials=trials).open(patches.folder)
    other = patches.study(strategy="grid")
    refused(r"holds another search \(strategy 'random', now 'grid'\)", other.open, patches.folder)
    (tmp_path / "thesis.txt").write_text("dear to somebody")
    refused("is not empty and holds no search", other.open, tmp_path)


def test_nobody_for_validation_or_for_the_test_is_one_line(simulated, tmp_path):
    for number, (keys, settings, says) in enumerate((
        (("trS", "tstS"), {}, r"no subject ids \(trS\)"),
        ((), {"validation": 0}, "validation is 0"),
        (("tstX", "tstY", "tstS"), {}, "has no test set"),
    )):  # fmt: skip
        data = shutil.copyfile(simulated, tmp_path / f"{number}.h5")
        with h5py.File(data, "r+") as file:
            for key in keys:
                del file[key]
        refused(says, Study("activity", data, settings=settings).open, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["activity_gru", "--strategy", "annealing"], "annealing"),
        (["activity_gru", "--data", "missing.h5"], "missing.h5: no such file"),
        (["activity_gru", "--data", "torn.h5"], "torn.h5"),
        (["activity_gru", "--set", "units"], "--set 'units': expected NAME=VALUE"),
        (["activity_gru", "--data", "DATA", "--best", "0"], "--best"),
        (["activity_gru", "--data", "DATA", "--save-preset", "."], "is the current folder"),
    ],
)
def test_bad_commands_are_one_line_and_leave_nothing(arguments, words, simulated, zoo_cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "torn.h5").write_bytes(simulated.read_bytes()[:5000])
    status, _, err = zoo_cli("tune", *(str(simulated) if word == "DATA" else word for word in arguments))
    assert status
    (line,) = err.splitlines()
    assert words in line
    assert not list(tmp_path.glob("search/trials"))
    assert "torn.h5" not in arguments or [path.name for path in tmp_path.iterdir()] == ["torn.h5"]


@pytest.mark.parametrize("script", ["activity", "patches", "text"])
def test_a_script_to_copy_is_a_search_that_is_valid(script):
    names = runpy.run_path(Path(__file__).parents[2] / "tuning" / f"search_{script}.py")
    limits = Limits(**names["SEARCH"].pop("limits", {}))
    assert Study(**names["SEARCH"] | {"data": NOWHERE, "limits": limits}).outline
