"""Wrong calls from Python: each public function names the argument, what it is and what was expected, in one line."""

import inspect
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from running import data_of

import zoo
from zoo import ZooError, api
from zoo.arguments import Accepts

FUNCTIONS = {name: getattr(api, name) for name in zoo.__all__ if inspect.isfunction(getattr(zoo, name, None))}
NAN, INFINITE = float("nan"), float("inf")


def generator():
    yield from ()


class Strange:
    """Neither a number nor a name nor a file."""


WRONG = {
    int: ["3", 2.5, NAN, None, True, [3], Strange(), 10**30, -1],
    float: ["3", NAN, INFINITE, -INFINITE, None, True, [3.0], Strange(), 1e30, -1.0],
    bool: [1, 0, "yes", 2.0, Strange()],
    str: [3, 2.5, b"a", ["a"], {"a": 1}, Strange(), "a\0b"],
    Path: [3, 2.5, b"a", ["a"], {"a": 1}, Strange(), "a\0b"],
    "a function": [3, "print", Strange()],
    "accepts": [2.5, NAN, True, Strange(), b"a"],
}
"""Values that no parameter of a type takes."""

UNLIMITED = {"trim", "speed", "temperature"}
"""Amounts of any size."""


def kinds(hint: Any) -> list[Any]:
    """The types of an annotation, with `Accepts` in place of what Python users may pass."""
    if get_origin(hint) is Annotated:
        base, *rest = get_args(hint)
        return [*(each for each in rest if isinstance(each, Accepts))] or kinds(base)
    if get_origin(hint) in (Union, UnionType):
        return [kind for each in get_args(hint) for kind in kinds(each)]
    if get_origin(hint) is Literal:
        return [str]
    return [hint if isinstance(hint, type) else "a function"]


def wrong_values(call, name):
    """What a parameter must refuse."""
    known, default = (
        kinds(get_type_hints(call, include_extras=True)[name]),
        inspect.signature(call).parameters[name].default,
    )
    kind = next(kind for kind in known if kind is not NoneType)
    for wrong in WRONG["accepts" if isinstance(kind, Accepts) else kind]:
        valid = isinstance(kind, Accepts) and kind.is_valid(wrong)
        unlimited = name in UNLIMITED and wrong == 1e30
        if not (valid or unlimited or (int in known and type(wrong) is int and kind is str) or wrong is default):
            yield wrong


@pytest.mark.parametrize(("function", "name"), [
    (function, name) for function, call in FUNCTIONS.items() for name in inspect.signature(call).parameters
])  # fmt: skip
def test_a_wrong_value_is_named_with_its_argument(function, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    call = FUNCTIONS[function]
    parameters = inspect.signature(call).parameters
    needed = {key: "x" for key, each in parameters.items() if each.default is each.empty}
    values = list(wrong_values(call, name))
    assert len(values) >= 2
    for wrong in values:
        with pytest.raises(ZooError, match=rf"^{name} (is|holds) ") as error:
            call(**needed | {name: wrong})
        assert "\n" not in str(error.value)
        assert "--" not in str(error.value)
    assert not list(tmp_path.iterdir())


class Watcher:
    """A callback, which is passed as a class by mistake."""

    def on_epoch_end(self, epoch, logs=None):
        pass


WINDOWS = np.full((2, 150, 3), 5.7, np.float32)
PARTLY_IN_G = np.concatenate([WINDOWS, WINDOWS[:1], WINDOWS[:1] / 9.8])
PATCHES = np.zeros((2, 3, 16, 16), np.float32)
ONE_CLASS = data_of(np.repeat(WINDOWS, 4, axis=0), np.zeros(8, int), ["walking"], 50.0, np.repeat(["a", "b"], 4))
UNFIT = [
    (zoo.predict, ("activity_gru_tiny", [["a"]]), {}, "input: holds str"),
    (zoo.predict, ("activity_gru_tiny", [[1, 2], [3]]), {}, "input: is no array"),
    (zoo.predict, ("activity_gru_tiny", WINDOWS.astype(complex)), {}, "input: holds complex128"),
    (zoo.predict, ("activity_gru_tiny", np.full((2, 150, 3), None)), {}, "input: holds object"),
    (zoo.predict, ("activity_gru_tiny", WINDOWS * 1000), {}, "input has a mean magnitude of 9873; expected m/s^2"),
    (zoo.predict, ("activity_gru_tiny", PARTLY_IN_G), {}, "input: 1 of 4 windows have a mean magnitude below 2"),
    (zoo.predict, ("activity_gru_tiny", WINDOWS), {"hop": 5}, "hop: applies with csv=FILE alone"),
    (zoo.predict, ("trigram_lm_course", ["in the right", "he is here"]), {}, "input: 2 texts; expected one"),
    (zoo.predict, ("sparse_autoencoder_course", PATCHES - 5), {}, "input: values from -5 to 0; sparse"),
    (zoo.predict, ("sparse_autoencoder_course", PATCHES), {"out": "codes.npz"}, "out: applies with data=FILE alone"),
    (zoo.predict, ("activity_gru_tiny", WINDOWS), {"top": 5}, "top: does not apply to activity_gru_tiny"),
    (zoo.predict, ("trigram_lm_course", [[5, 9, 2]]), {"top": 5}, "top: does not apply to word ids, whose predictions"),
    (zoo.train, ("activity_gru", "x.h5", {3: 4}), {}, "recipe is of the type dict; expected a Recipe, or its fields"),
    (
        zoo.train,
        ("activity_gru", "x.h5"),
        {"settings": {3: 3}},
        "settings is of the type dict; expected values",
    ),
    (zoo.train, ("activity_gru", ONE_CLASS), {"settings": {"prior": {"run": 0.5}}}, "prior: is decided by training"),
    (zoo.train, ("sparse_autoencoder", ONE_CLASS), {"settings": {"scale": (1, 0, 1)}}, "scale: is decided by training"),
    (zoo.train, ("activity_gru", "x.h5"), {"units": 4, "settings": {"units": 8}}, "units: is in settings, too"),
    (zoo.train, ("activity_gru", "x.h5"), {"callbacks": [Watcher]}, "callbacks holds of the type type; expected Keras"),
    (zoo.finetune, ("activity_gru_tiny", ONE_CLASS), {"verbose": False}, "arrays: all windows are of 'walking', and a"),
    (zoo.train, ("activity_gru", "x.h5"), {"resume": True}, "resume: requires out"),
    (zoo.train, ("activity_gru", "x.h5"), {"epochs": 5}, "epochs: is a field of the recipe; pass recipe={'epochs': 5}"),
    (zoo.train, ("activity_gru", "x.h5"), {"unit": 5}, "unknown argument of train 'unit': did you mean units?"),
    (zoo.evaluate, ("activity_gru_tiny", ONE_CLASS), {"data_dir": "x"}, "data_dir: does not apply to data in memory"),
    (zoo.stream, ("activity_gru_tiny",), {"simulate": "walking", "rate": 50.0}, "rate: applies with csv=FILE alone"),
    (zoo.stream, ("activity_gru_tiny", "x.csv"), {"speed": 0.0}, "speed: applies with simulate=ACTIVITIES alone"),
    *[(call, (300 * "x",), {}, 300 * "x") for call in (zoo.info, zoo.evaluate, zoo.predict, zoo.bench, zoo.load_data)],
    (zoo.cross_validate, ("activity_gru", "."), {"groups": 5000 * "1"}, "groups is 111"),
    (zoo.cross_validate, ("activity_gru", "."), {"groups": np.int64(1)}, "groups is 1; expected 2 or more"),
    (zoo.simulate, (), {}, "simulate: missing a required argument: 'task'; see help(zoo.simulate)"),
    (zoo.simulate, ("activity", "x.h5", 3), {}, "simulate: too many positional arguments; see help(zoo.simulate)"),
    (zoo.cut_windows, ([],), {}, "recordings is empty; expected a path, or several"),
    (zoo.make_text, (["a.txt", 3],), {}, "text holds 3; expected a path, or several"),
    (zoo.load_data, ("data3.h5",), {"levels": 0}, "levels is 0; expected 1 or more"),
    (zoo.load_data, ("tfds:zoo_text",), {"levels": 255}, "levels: does not apply to a build"),
    (zoo.load_data, (300 * "n",), {}, f"{300 * 'n'}: cannot be read"),
    (zoo.import_csv, (300 * "n",), {}, f"{300 * 'n'}: no such file or folder"),
]


@pytest.mark.parametrize(("call", "arguments", "options", "line"), UNFIT)
def test_a_value_that_does_not_fit_is_one_line_in_the_words_of_python(
    call, arguments, options, line, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ZooError) as error:
        call(*arguments, **options)
    assert str(error.value).startswith(line)
    assert "--" not in str(error.value)
