"""The names that a user may rely on: one list, documented where users look."""

import inspect
import re
import typing
from pathlib import Path

import pytest
from running import ROOT, python

import zoo
import zoo.runtime
from zoo.api import data, devices, models, training
from zoo.families import FAMILIES

MODULES = {"zoo": zoo, "zoo.runtime": zoo.runtime}
NAMES = [(module, name) for module, content in MODULES.items() for name in content.__all__]


def in_docs(module):
    text = (ROOT / "docs" / "reference" / "names.md").read_text() + "\n"
    table = re.search(rf"^\| `from {module} import` \|.*?\n\n", text, re.DOTALL | re.MULTILINE)[0]
    first = [line.split("|")[1] for line in table.strip().splitlines()[2:]]
    return [name for cell in first for name in re.findall(r"`(\w+)`", cell)]


@pytest.mark.parametrize("module", MODULES)
def test_the_docs_list_the_public_names_and_no_others(module):
    assert sorted(in_docs(module)) == sorted(MODULES[module].__all__)


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_a_public_name_is_in_the_changelog(module, name):
    assert f"`{name}`" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_a_public_name_has_a_docstring_with_an_example(module, name):
    public = getattr(MODULES[module], name)
    members = [member for key, member in vars(public).items() if not key.startswith("_") and callable(member)]
    texts = [inspect.getdoc(thing) or "" for thing in (public, *members)]
    assert texts[0]
    assert any(">>>" in text for text in texts)


def test_every_public_function_and_every_family_is_a_public_name():
    modules = (data, devices, models, training)
    functions = {name for module in modules for name, part in vars(module).items()
                 if name[0] != "_" and hasattr(part, "__wrapped__") and part.__module__ == module.__name__}  # fmt: skip
    assert len(functions) > 20
    assert functions | {row.class_name for row in FAMILIES.values()} <= set(zoo.__all__) <= set(dir(zoo))


@pytest.mark.parametrize("name", [name for name in zoo.__all__ if inspect.isfunction(getattr(zoo, name))])
def test_the_signature_of_a_public_function_says_what_it_takes(name):
    shown = str(inspect.signature(getattr(zoo, name)))
    assert len(shown) < 1500
    assert not re.search(r"lambda|0x|\b_|FieldInfo", shown)
    assert typing.get_type_hints(getattr(zoo, name))


def test_type_checkers_see_the_public_names_and_no_others():
    seen = re.findall(r"^    from ([\w.]+) import (\w+) as \2$", Path(zoo.__file__).read_text(), re.MULTILINE)
    assert {name: f"{getattr(zoo, name).__module__}" for _, name in seen} == {name: module for module, name in seen}
    assert sorted(name for _, name in seen) == sorted(zoo.__all__)


FILE = ROOT / "saved_models" / "activity_gru_tiny" / "model.keras"
ORDERS = {
    "zoo first": "import zoo, keras",
    "keras first": "import keras, zoo",
    "by TensorFlow": "import zoo, tensorflow, keras",
    "by a layer": "from zoo import TiedDense; import keras",
    "by a module of the zoo": "import zoo.models.losses, keras",
    "by a command": "from zoo.startup import import_keras; import_keras(); import keras, matplotlib, pandas, sklearn",
}


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS)
def test_keras_loads_the_models_however_it_was_imported_and_a_command_imports_no_other_libraries(order):
    program = (
        f"import sys\n{ORDERS[order].partition('import keras, mat')[0]}\n"
        "print(sorted({'matplotlib', 'pandas', 'sklearn'} & set(sys.modules)))\n"
        f"{ORDERS[order]}\nprint(type(keras.saving.load_model({str(FILE)!r})))\n"
    )
    loaded, model = python("-c", program).stdout.splitlines()
    assert (loaded == "[]") == (order == "by a command")
    assert model == "<class 'zoo.models.recurrent.ActivityGRU'>"


def test_the_import_is_fast_and_needs_no_keras():
    program = "import sys; sys.modules['wrapt'] = None; import zoo; print({'numpy', 'keras'} & set(sys.modules))"
    assert python("-c", program).stdout == "set()\n"
