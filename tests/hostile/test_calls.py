"""Wrong calls from Python: each public function names the argument, what it is and what was expected, in one line."""

import inspect
import re
from collections.abc import Callable
from types import NoneType
from typing import Annotated, get_args, get_origin

import numpy as np
import pytest
from running import message

import zoo
from zoo.api.door import members

FUNCTIONS = {name: getattr(zoo, name) for name in zoo.__all__ if inspect.isfunction(getattr(zoo, name))}
NAN, INFINITE = float("nan"), float("inf")


class Strange:
    """Neither a number nor a name nor a file."""


WRONG = {
    int: [2.5, NAN, True, [3], b"a", Strange(), 10**30, -1],
    float: [NAN, INFINITE, -INFINITE, True, [3.0], b"a", Strange(), -1.0],
    bool: [1, 0, "yes", 2.0, Strange()],
    Callable: [3, "print", Strange()],
}
"""Values that no parameter with a type takes."""

ARRAYS = {("predict", "x"), ("load_data", "source"), ("load_data", "subjects")}
OTHERS = [2.5, NAN, True, b"a", [Strange()], Strange(), "a\0b", str]


def wrong_values(annotation):
    kinds = [kind for kind in members(annotation) if kind is not NoneType]
    bases = {get_args(kind)[0] if get_origin(kind) is Annotated else get_origin(kind) or kind for kind in kinds}
    return OTHERS if str in bases else next((wrong for kind, wrong in WRONG.items() if kind in bases), OTHERS)


@pytest.mark.parametrize(("function", "name"), [
    (function, name) for function, call in FUNCTIONS.items() for name in inspect.signature(call).parameters
])  # fmt: skip
def test_a_wrong_value_is_named_with_its_argument(function, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call = FUNCTIONS[function]
    parameters = inspect.signature(call).parameters
    needed = {
        key: 2.0 if wrong_values(parameter.annotation) is WRONG[float] else "x"
        for key, parameter in parameters.items() if parameter.default is parameter.empty
    }  # fmt: skip
    values = wrong_values(parameters[name].annotation)
    # What arrays hold is checked where they are read.
    held = (bytes, list) if (function, name) in ARRAYS else ()
    for wrong in values:
        if isinstance(wrong, held):
            continue
        refusal = message(lambda wrong=wrong: call(**needed | {name: wrong}))
        assert re.match(rf"{name} (is|holds) ", refusal)
        assert "--" not in refusal
    assert not list(tmp_path.iterdir())


class Watcher:
    """A callback, which is passed as a class by mistake."""

    def on_epoch_end(self, epoch, logs=None):
        pass


WINDOWS = np.full((2, 150, 3), 5.7, np.float32)
PARTLY_IN_G = np.concatenate([WINDOWS, WINDOWS[:1], WINDOWS[:1] / 9.8])
PATCHES = np.zeros((2, 3, 16, 16), np.float32)
ONE_CLASS = zoo.load_data(
    (np.repeat(WINDOWS, 4, axis=0), np.zeros(8, int)), classes=["walking"], rate=50.0, subjects=np.repeat(["a", "b"], 4)
)
ALONE = zoo.load_data((np.repeat(WINDOWS, 4, axis=0), np.arange(8) % 2), rate=50.0, subjects=["a"] * 8)
UNFIT = [
    (zoo.predict, ("activity_gru_tiny", [["a"]]), {}, "input: holds str"),
    (zoo.predict, ("activity_gru_tiny", [[1, 2], [3]]), {}, "input: is no array"),
    (zoo.predict, ("activity_gru_tiny", WINDOWS.astype(complex)), {}, "input: holds complex128"),
    (zoo.predict, ("activity_gru_tiny", np.full((2, 150, 3), None)), {}, "input: holds object"),
    (zoo.predict, ("activity_gru_tiny", WINDOWS * 1000), {}, "input: holds 5700, beyond 160 m/s^2"),
    (zoo.predict, ("activity_gru_tiny", PARTLY_IN_G), {}, "input: 1 of 4 windows have a mean magnitude below 2"),
    (zoo.predict, ("activity_gru_tiny", WINDOWS), {"hop": 5}, "hop: applies with csv=FILE alone"),
    (zoo.predict, ("trigram_lm_course", ["in the right", "he is here"]), {}, "input: 2 texts; expected one"),
    (zoo.predict, ("sparse_autoencoder_course", PATCHES - 5), {}, "input: values from -5 to 0; sparse"),
    (
        zoo.predict,
        ("sparse_autoencoder_course", PATCHES),
        {"out": "codes.npz"},
        "out: applies with a photograph or data=FILE alone",
    ),
    (zoo.predict, ("activity_gru_tiny", WINDOWS), {"top": 5}, "top: does not apply to activity_gru_tiny"),
    (zoo.predict, ("trigram_lm_course", [[5, 9, 2]]), {"top": 5}, "top: does not apply to word ids, whose predictions"),
    (zoo.train, ("activity_gru", "x.h5", {3: 4}), {}, "recipe holds 3; expected a Recipe or values by name"),
    (zoo.train, ("activity_gru", "x.h5"), {"settings": {3: 3}}, "settings holds 3; expected values by name"),
    (zoo.train, ("activity_gru", ONE_CLASS), {"settings": {"prior": {"run": 0.5}}}, "prior: is decided by training"),
    (zoo.train, ("sparse_autoencoder", ONE_CLASS), {"settings": {"scale": (1, 0, 1)}}, "scale: is decided by training"),
    (zoo.train, ("activity_gru", "x.h5"), {"units": 4, "settings": {"units": 8}}, "units: is in settings, too"),
    (zoo.train, ("activity_gru", "x.h5"), {"callbacks": [Watcher]}, "callbacks holds of the type type; expected Keras"),
    (zoo.finetune, ("activity_gru_tiny", ONE_CLASS), {"verbose": False}, "arrays: all windows are of 'walking'; a"),
    (zoo.train, ("activity_gru", "x.h5"), {"resume": True}, "resume: requires out"),
    (zoo.train, ("activity_gru", "x.h5"), {"epochs": 5}, "epochs: is a field of the recipe; pass recipe={'epochs': 5}"),
    (zoo.ActivityGRU, (), {"unit": 5}, "unknown argument of ActivityGRU 'unit': did you mean units?"),
    (zoo.train, ("activity_gru", "x.h5"), {"unit": 5}, "unknown argument of train 'unit': did you mean units?"),
    (zoo.evaluate, ("activity_gru_tiny", "x.h5"), {"data_dir": "x"}, "data_dir: describes data; pass data=load_data("),
    (zoo.stream, ("activity_gru_tiny",), {"simulate": "walking", "rate": 50.0}, "rate: applies with csv=FILE alone"),
    (zoo.stream, ("activity_gru_tiny", "x.csv"), {"speed": 0.0}, "speed: applies with simulate=ACTIVITIES alone"),
    *[(call, (300 * "x",), {}, "unknown preset or folder 'xxx") for call in (zoo.info, zoo.evaluate, zoo.predict)],
    *[(call, (300 * "x",), {}, 300 * "x") for call in (zoo.bench, zoo.load_data)],
    (zoo.cross_validate, ("activity_gru", "."), {"groups": 5000 * "1"}, "groups is 111"),
    (zoo.cross_validate, ("activity_gru", "."), {"groups": np.int64(1)}, "groups is 1; expected 2 or more"),
    (zoo.adopt, (3,), {"classes": {"sit"}, "rate": 50.0}, "classes is {'sit'}; expected a text or a list of texts"),
    (
        zoo.cross_validate,
        ("activity_cnn", ALONE),
        {},
        "arrays: one person in training (key 'trS'), whom no fold can hold",
    ),
    (zoo.benchmark, ("activity_cnn", "x.h5"), {"learning_curve": [0]}, "learning_curve holds 0; expected 1 or more"),
    (zoo.tune, ("activity_cnn", ONE_CLASS), {"choose": {"filters": []}}, "choose: no value for filters; expected one"),
    (zoo.simulate, ("activity", "x.h5"), {"subjects": 1}, "subjects is 1; expected 2 or more"),
    (zoo.simulate, ("activity", "x.h5"), {"sentences": 10}, "sentences: does not apply to activity; leave it out"),
    (zoo.simulate, (), {}, "simulate: missing a required argument: 'task'; see help(zoo.simulate)"),
    (zoo.simulate, ("activity", "x.h5", 3), {}, "simulate: too many positional arguments; see help(zoo.simulate)"),
    (zoo.cut_windows, ([],), {}, "recordings is empty; expected a path, or several"),
    (zoo.make_text, (["a.txt", 3],), {}, "text holds 3; expected a text, a path or several"),
    (zoo.load_data, ("data3.h5",), {"levels": 0}, "levels is 0; expected 1 or more"),
    (zoo.load_data, ((WINDOWS, [0, 1]),), {"classes": "sit,run"}, "classes is 'sit,run'; expected a list of texts"),
    (zoo.load_data, ((WINDOWS.reshape(2, 450), [0, 1]),), {"rate": 50.0}, "x: has shape (2, 450); expected (N, T, C)"),
    (zoo.load_data, ((WINDOWS, [0, np.nan]),), {"rate": 50.0}, "y: none in window 1 (nan); name the activity"),
    (zoo.evaluate, ("activity_gru_tiny", ONE_CLASS), {"figures": ""}, "figures is ''; expected a path"),
    (zoo.predict, ("activity_gru_tiny", WINDOWS), {"threshold": 1}, "threshold is 1; expected below 1"),
    (zoo.load_data, ("tfds:zoo_text",), {"levels": 255}, "levels: does not apply to a build"),
    (zoo.load_data, (300 * "n",), {}, f"{300 * 'n'}: cannot be read"),
    (zoo.import_csv, (300 * "n",), {}, f"{300 * 'n'}: no such file or folder"),
]


@pytest.mark.parametrize(("call", "arguments", "options", "line"), UNFIT)
def test_a_value_that_does_not_fit_is_one_line_in_the_words_of_python(
    call, arguments, options, line, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    refusal = message(lambda: call(*arguments, **options))
    assert refusal.startswith(line)
    assert "--" not in refusal
