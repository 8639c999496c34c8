"""What is searched: spaces, studies, and what is refused before anything is trained."""

import sys
from pathlib import Path

import h5py
import keras_tuner
import pytest

from zoo import Recipe, ZooError
from zoo.cli import main
from zoo.families import FAMILIES, find_family
from zoo.presets import PRESETS
from zoo.recipe import Limits
from zoo.search import spaces
from zoo.search.spaces import HyperParameters, Pinned
from zoo.search.study import Study

NOWHERE = Path("data.h5")


@pytest.mark.parametrize("target", ["activity", *FAMILIES])
def test_whatever_a_space_draws_is_a_model_and_a_recipe(target):
    study = Study(target, NOWHERE, epochs=3, settings={"pixels": 64} if target == "sparse_autoencoder" else {})
    space = keras_tuner.HyperParameters()
    spaces.find(study.task.name, None)(Pinned(space, study.pinned))
    random = keras_tuner.oracles.RandomSearchOracle(
        keras_tuner.Objective("score", "max"), 20, hyperparameters=space, seed=1
    )
    for number in range(20):
        hp = space.copy()
        hp.values = random.populate_space(str(number))["values"]
        random._tried_so_far.add(random._compute_values_hash(hp.values))
        plan = study.plan(hp, seed=number)
        model = find_family(plan.family).load()(**plan.arguments)
        assert model.count_params() > 0
        assert Recipe.from_json(plan.recipe.to_json()) == plan.recipe
        assert (plan.recipe.seed, plan.recipe.epochs) == (number, 3)


def test_the_space_of_recognizers_begins_at_the_pocket_preset():
    preset = PRESETS["activity_gru_pocket"]
    arguments, recipe = spaces.activity(HyperParameters())
    assert arguments.pop("cell") == "gru"
    assert {name: arguments[name] for name in preset.arguments if name != "window"} == {
        name: value for name, value in preset.arguments.items() if name != "window"
    }
    same = ("optimizer", "learning_rate", "schedule", "warmup_epochs", "clip_norm", "ema_decay", "batch_size",
            "label_smoothing", "augmentation")  # fmt: skip
    assert {name: getattr(recipe, name) for name in same} == {name: getattr(preset.recipe, name) for name in same}


def test_the_space_of_language_models_begins_at_the_best_preset():
    preset = PRESETS["trigram_lm_best"]
    arguments, recipe = spaces.trigram(HyperParameters())
    assert arguments == preset.arguments
    same = ("optimizer", "learning_rate", "schedule", "warmup_epochs", "weight_decay", "batch_size", "merge_contexts")
    assert {name: getattr(recipe, name) for name in same} == {name: getattr(preset.recipe, name) for name in same}


def test_what_is_fixed_is_not_searched():
    hp = keras_tuner.HyperParameters()
    arguments, recipe = spaces.activity(Pinned(hp, {"optimizer": "sgd", "units": 17, "sgd_learning_rate": 0.5}))
    assert (arguments["units"], recipe.optimizer, recipe.learning_rate) == (17, "sgd", 0.5)
    assert {"momentum", "frame"} <= set(hp.values)
    assert not {"optimizer", "units", "sgd_learning_rate", "learning_rate", "adamw_decay"} & set(hp.values)
    study = Study("activity_lstm", NOWHERE, settings={"augmentation": None, "window": 120, "validation": 0.4})
    plan = study.plan(Pinned(HyperParameters(), study.pinned), seed=3)
    assert plan.family == "activity_lstm"
    assert (plan.arguments["window"], plan.recipe.validation, plan.recipe.augmentation) == (120, 0.4, None)


def test_a_preset_begins_the_search_at_its_own_values():
    values = Study("activity_lstm_course", NOWHERE).first_values()
    assert (values["cell"], values["units"], values["optimizer"]) == ("lstm", 64, "sgd")
    assert values["sgd_learning_rate"] == pytest.approx(32 * 2e-4)
    assert Study("activity_gru", NOWHERE).first_values() == {}


def test_bad_studies_are_one_line():
    requests = {
        r"unknown strategy 'bayes': did you mean bayesian\?": lambda: Study("activity", NOWHERE, "bayes"),
        r"unknown preset or family 'activity_gr': did you mean activity_gru\?": lambda: Study("activity_gr", NOWHERE),
        r"unknown objective of trigram_lm 'macro_f1': known are cross_entropy, top1": lambda: Study(
            "trigram_lm", NOWHERE, objective="macro_f1"
        ),
        r"unknown space of patches 'cours': did you mean course\?": lambda: Study(
            "sparse_autoencoder", NOWHERE, space="cours"
        ),
        r"unknown setting of activity_gru 'unit': did you mean units\?": lambda: Study(
            "activity_gru", NOWHERE, settings={"unit": 3}
        ),
        r"trials is 0; expected 1 or more": lambda: Study("activity", NOWHERE, trials=0),
        r"limits: bytes is -1; expected 1 or more": lambda: Limits(bytes=-1),
        r"groups is 3: trigram_lm has no people to hold out": lambda: Study("trigram_lm", NOWHERE, groups=3),
    }  # fmt: skip
    for words, request in requests.items():
        with pytest.raises(ZooError, match=words):
            request()


def test_the_folder_of_another_search_is_refused_and_that_of_the_same_is_not(leaves, tmp_path):
    first = Study("sparse_autoencoder", leaves, "random", settings={"pixels": 64})
    first.open(tmp_path / "out")
    first.open(tmp_path / "out")
    Study("sparse_autoencoder", leaves, "random", 70, settings={"pixels": 64}).open(tmp_path / "out")
    with pytest.raises(ZooError, match=r"holds another search \(strategy 'random', now 'grid'\)"):
        Study("sparse_autoencoder", leaves, "grid", settings={"pixels": 64}).open(tmp_path / "out")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("dear to somebody")
    with pytest.raises(ZooError, match="is not empty and holds no search"):
        first.open(tmp_path / "other")


def test_nobody_for_validation_is_one_line(simulated, tmp_path):
    unknown = tmp_path / "data3.h5"
    unknown.write_bytes(simulated.read_bytes())
    with h5py.File(unknown, "r+") as file:
        del file["trS"], file["tstS"]
    with pytest.raises(ZooError, match=r"no subject ids \(trS\), so no person can be held out for validation"):
        Study("activity", unknown).parts  # noqa: B018
    with pytest.raises(ZooError, match="validation is 0"):
        Study("activity", simulated, settings={"validation": 0}).parts  # noqa: B018


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["activity_gru", "--strategy", "annealing"], "unknown strategy 'annealing'"),
        (["activity_gur"], "unknown preset or family 'activity_gur': did you mean activity_gru?"),
        (["activity_gru", "--data", "missing.h5"], "missing.h5: no such file"),
        (["activity_gru", "--set", "units"], "--set units: expected NAME=VALUE"),
        (["activity_gru", "--data", "DATA", "--best", "0"], "--best '0': expected a whole number, 1 or more"),
        (["activity_gru", "--data", "DATA", "--role", "worker"], "role worker: pass --chief HOST:PORT"),
        (["activity_gru", "--data", "DATA", "--save-preset", "."], "is the current folder"),
    ],
)
def test_bad_commands_are_one_line_and_leave_nothing(arguments, words, simulated, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["zoo", "tune", *(str(simulated) if w == "DATA" else w for w in arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    # A value that no command could accept is an error of usage.
    assert end.value.code == (2 if "--best" in arguments else 1)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert words in lines[0]
    assert not list(tmp_path.glob("search/trials"))


def test_a_torn_file_is_one_line_and_leaves_nothing(simulated, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "torn.h5").write_bytes(simulated.read_bytes()[:5000])
    monkeypatch.setattr(sys, "argv", ["zoo", "tune", "activity_gru", "--data", "torn.h5"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "torn.h5" in line
    assert [path.name for path in tmp_path.iterdir()] == ["torn.h5"]
