"""The door of the public functions: what they accept, and the check of arguments against their annotations.

Models, data, tables and arrays are described by protocols, as importing this module imports neither NumPy nor Keras.
"""

import errno
import inspect
import os
import re
import shlex
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import cache, wraps
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar, Union, get_args, get_origin, runtime_checkable

from annotated_types import Ge, Le, Lt
from pydantic import ConfigDict, InstanceOf, TypeAdapter, ValidationError

from zoo.catalog import find_folder, function_in, split_names
from zoo.errors import COMMAND, ArgumentError, UsageError, ZooError, either, option, refuse, shown, unknown_name
from zoo.families import FAMILIES, OWN, TASKS, unknown_family
from zoo.files import exclusive_folder
from zoo.jobs import MOST_WORKERS
from zoo.presets import PRESETS, find
from zoo.recipe import Columns, Limits, Recipe, Settings, expectation, python_number
from zoo.report import screen
from zoo.results import Document, FigureFormat
from zoo.startup import import_keras

if TYPE_CHECKING:
    from zoo.loading import Loaded
    from zoo.task import Task


@runtime_checkable
class KerasModel(Protocol):
    """A Keras model, such as one that `train` returned."""

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of its constructor."""

    def count_params(self) -> int:
        """Returns the number of its parameters."""


@runtime_checkable
class Callback(Protocol):
    """A Keras callback."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Is called at the end of each epoch, counted from 0."""


@runtime_checkable
class Estimator(Protocol):
    """An estimator of scikit-learn, such as a pipeline."""

    def fit(self, X: Any, y: Any) -> Any:
        """Fits it."""

    def predict(self, X: Any) -> Any:
        """Returns labels."""

    def get_params(self) -> dict[str, Any]:
        """Returns its parameters, with which it is cloned."""


@runtime_checkable
class Data(Protocol):
    """Data of `load_data`: the splits `train`, `validation` and `test`, and what is known of them, such as `classes`.

    A split has `arrays()`, `dataset(batch_size)`, `to_frame()` and `len()`; it is empty where the data has none.
    """

    def splits(self) -> dict[str, Any]:
        """Returns the splits by name, without those that are empty."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...


@runtime_checkable
class Table(Protocol):
    """A DataFrame."""

    @property
    def columns(self) -> Any:
        """The names of its columns."""

    @property
    def index(self) -> Any:
        """The names of its rows, which tables of other libraries lack."""


@runtime_checkable
class Array(Protocol):
    """An array of numbers, or a DataFrame."""

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the array of NumPy."""


@runtime_checkable
class Cluster(Protocol):
    """A client of a Dask cluster."""

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the future of a call."""

    def nthreads(self) -> dict[str, int]:
        """Returns the threads of each worker."""


FilePath = str | os.PathLike[str]
Model = KerasModel | str | os.PathLike[str]
Plan = KerasModel | Callable[..., Any] | str | os.PathLike[str]
Plans = str | Iterable[Plan] | Mapping[str, Plan]
Baselines = str | Iterable[str | Estimator] | Mapping[str, Estimator]
Source = Data | Array | str | os.PathLike[str]
Callbacks = Callback | Iterable[Callback]
Metrics = Callable[..., Any] | Iterable[Callable[..., Any]] | Mapping[str, Callable[..., Any]]
Names = str | Iterable[str]
People = str | int | Iterable[str | int]
Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
Changes = Recipe | Mapping[str, Any] | None
Count = Annotated[int, Ge(1), Lt(2**63)]
Size = Annotated[int, Ge(1), Le(1_000_000)]
Repeats = Annotated[int, Ge(1), Le(1000)]
Seed = Annotated[int, Ge(0), Lt(2**63)]
Rate = Annotated[float, Ge(0.1), Le(100_000)]
Seconds = Annotated[float, Ge(0), Le(86_400)]
Amount = Annotated[float, Ge(0)]
Share = Annotated[float, Ge(0), Lt(1)]
Levels = Annotated[float, Ge(1), Le(65_535)]
Workers = Annotated[int, Ge(0), Le(MOST_WORKERS)]
FoldWorkers = int | str | Cluster
Labels = str | Sequence[str] | Mapping[str, str | Sequence[str]]
Shares = str | Mapping[str, float]
Rows = str | tuple[Annotated[int, Ge(0)], Annotated[int, Ge(0)]]

F = TypeVar("F", bound=Callable[..., Any])
D = TypeVar("D", bound=Document)

_STRICT = ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)


_FORMER = {
    "import_csv": dict.fromkeys(Columns.model_fields, "columns"), "finetune": {"preset": "model"},
    "simulate": {"path": "out"},
}  # fmt: skip
"""Arguments of version 0.3 by function, with those that took their place."""


def public(function: F) -> F:
    """Makes a function check its arguments against their annotations before it begins, and name the wrong one."""
    signature, former = inspect.signature(function), _FORMER.get(function.__name__, {})

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for name in former.keys() & kwargs.keys():
            now, value = former[name], kwargs.pop(name)
            kwargs[now] = {**dict(kwargs.get(now) or {}), name: value} if now == "columns" else value
            instead = f"deprecated and leaves with version 0.5; pass {now}={shown(kwargs[now])}"
            warnings.warn(f"{function.__name__}: {name} is {instead}", DeprecationWarning, stacklevel=2)
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise _misnamed(function.__name__, signature, kwargs, error) from None
        for name, value in bound.arguments.items():
            parameter = signature.parameters[name]
            if value is not parameter.default:
                bound.arguments[name] = _checked(name, parameter.annotation, value)
        try:
            return function(*bound.args, **bound.kwargs)
        except UnicodeEncodeError as error:
            raise ZooError(f"{error.object}: not a UTF-8 name, as HDF5 and TensorFlow need: choose another") from None
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            raise ZooError(f"{error.filename}: the name is too long: choose a shorter one") from None

    return call  # type: ignore[return-value]


def members(hint: Any) -> list[Any]:
    """The types of a union, or the one type; those of Annotated with their limits."""
    return list(get_args(hint)) if get_origin(hint) in (Union, UnionType) else [hint]


def _checked(name: str, hint: Any, value: Any) -> Any:
    """A value as its annotation wants it: numbers of Python in place of NumPy's, a list in place of an iterable."""
    value, kinds = _plain(value), members(hint)
    if isinstance(value, str | Path) and "\0" in str(value):
        raise _wrong(name, str(value), "text without null characters")
    if isinstance(value, str) and not value and os.PathLike[str] in kinds:
        # As a path, it would be the current folder.
        raise _wrong(name, value, "a path or a name")
    if getattr(value, "ndim", 0) == 1 and hasattr(value, "tolist") and Array not in kinds:
        # Names are often in an array or a column of a table.
        value = value.tolist()
    if isinstance(value, Mapping) and any(python_number(part) is not part for part in value.values()):
        value = {key: python_number(part) for key, part in value.items()}
    # An array, a table or a text is no list of names.
    plain = isinstance(value, str | bytes | Mapping | Estimator)
    single = plain or hasattr(value, "shape") or not isinstance(value, Iterable)
    if not single and any(get_origin(kind) is Iterable for kind in kinds):
        # The order of a set differs from run to run.
        value = [_plain(part) for part in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
    elif isinstance(value, tuple):
        value = tuple(map(_plain, value))
    # A class has the methods of its instances.
    held = value if isinstance(value, list) else [value, *(value.values() if isinstance(value, Mapping) else ())]
    kind = next((part for part in held if isinstance(part, type)), None)
    if kind is not None:
        raise _wrong(name, kind, _expected(kinds), "is" if kind is value else "holds")
    try:
        checked = _adapter(hint).validate_python(value)
    except ValidationError as error:
        problems = error.errors()
        part = next((one["input"] for one in problems if any(type(key) is int for key in one["loc"])), value)
        # What pydantic says of a single type, such as its limits, is more than its name.
        names = ("dict_type", "callable_type", "sequence_str")
        scalar = {*map(type, problems[0]["loc"])} <= {int} and problems[0]["type"] not in names
        words = expectation(problems[0]) if scalar else _expected(kinds)
        raise _wrong(name, part, words, "is" if part is value else "holds") from None
    return checked if isinstance(value, int | float) else value


def _plain(value: Any) -> Any:
    """A number of Python in place of NumPy's, and a `Path` in place of anything else that stands for one."""
    if isinstance(value, os.PathLike) and not isinstance(value, Path):
        return Path(os.fsdecode(value))
    return python_number(value)


def _wrong(name: str, value: Any, expected: str, verb: str = "is") -> ArgumentError:
    error = ArgumentError(name, f" {verb} {shown(value)}; expected {expected}", value=value, expected=expected)
    error.status = UsageError.status
    return error


@cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(_eager(hint), config=_STRICT)


def _eager(hint: Any) -> Any:
    """The annotation that pydantic checks: settings are not read from names and values, nor lists when asked for."""
    if get_origin(hint) in (Union, UnionType):
        return Union[tuple(map(_eager, get_args(hint)))]  # noqa: UP007
    if get_origin(hint) is Iterable:
        return list[get_args(hint)[0]]  # type: ignore[misc]
    if isinstance(hint, type) and issubclass(hint, Settings):
        return Annotated[hint, InstanceOf()]  # type: ignore[type-arg]
    return hint


_WORDS: dict[Any, str] = {
    str: "a text", int: "a whole number", float: "a number", bool: "true or false", tuple: "a pair",
    os.PathLike: "a path", Mapping: "values by name", dict: "a dictionary", Callable: "a function",
    Iterable: "several", Sequence[str]: "a list of texts", Sequence: "a list", KerasModel: "a Keras model",
    Data: "data of `load_data`", Estimator: "an estimator of scikit-learn",
    Array: "an array of numbers or a DataFrame", Table: "a DataFrame", Callback: "Keras callbacks",
}  # fmt: skip


def _expected(kinds: list[Any]) -> str:
    """What an argument may be, in words."""
    kinds = [kind for kind in kinds if kind is not NoneType]
    plain = [kind if kind in _WORDS else get_origin(kind) or kind for kind in kinds]
    words = [_WORDS.get(kind, f"a {getattr(kind, '__name__', kind)}") for kind in plain]
    if any(get_origin(kind) is Iterable and get_args(kind)[0] is Callback for kind in kinds):
        words = [_WORDS[Callback]]
    return either(dict.fromkeys(words))


_MOVED = ("levels", "data_dir")
"""Arguments of `load_data` that other functions had until version 0.3."""


def _misnamed(function: str, signature: inspect.Signature, given: Mapping[str, Any], error: TypeError) -> ZooError:
    """What is wrong with the names of arguments, of which one may be a field of the recipe."""
    names = list(signature.parameters)
    name = next((word for word in given if word not in names), None)
    if name is None:
        return ZooError(f"{function}: {error}; see help(zoo.{function})")
    if name in _MOVED and {"data", "file"} & set(names):
        return ArgumentError(name, f": describes data; pass data=load_data(..., {name}={shown(given[name])})")
    for place, kind in (("recipe", Recipe), ("limits", Limits), ("columns", Columns)):
        if place in names and name in kind.model_fields:
            return ArgumentError(name, f": is a field of the {place}; pass {place}={{{name!r}: {shown(given[name])}}}")
    return unknown_name(f"argument of {function}", name, names)


def names_of(names: Any) -> list[str]:
    """Names of a list, of one, or of a text with commas."""
    if names is None:
        return []
    if isinstance(names, str):
        return split_names(names)
    return [str(name).strip() for name in (names if isinstance(names, list | tuple) else [names])]


def several(values: Any) -> list[Any]:
    """One path, callback or table as a list, or those of several."""
    return [values] if isinstance(values, str | os.PathLike | Callback | Table) else list(values)


def paths_of(name: str, files: Paths) -> list[Path]:
    """Paths that exist, at least one."""
    for file in several(files):
        require_file(file)
    if not (paths := [Path(file) for file in several(files)]):
        raise ArgumentError(name, " is empty; expected a path, or several")
    return paths


def baselines_of(baselines: Baselines) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Names of the zoo's baselines, and estimators of a user's own by name."""
    if isinstance(baselines, Mapping):
        return (), dict(baselines)
    parts = [baselines] if isinstance(baselines, str) else list(baselines)
    own = [part for part in parts if not isinstance(part, str)]
    names = [name for part in parts if isinstance(part, str) for name in split_names(part) if name != "none"]
    steps = ["-".join(dict(getattr(part, "steps", ())) or [type(part).__name__]) for part in own]
    require_names([*names, *steps])
    return tuple(names), dict(zip(steps, own, strict=True))


def require_names(methods: Sequence[str]) -> None:
    """Refuses methods of one name, and names that cannot be those of files."""
    for name in methods:
        if methods.count(name) > 1 or not re.fullmatch(r"(?a)[\w-][\w.-]*", name):
            why = "two methods have this name" if methods.count(name) > 1 else "expected a-z A-Z 0-9 _ . -"
            raise ZooError(f"{shown(name)}: {why}: name each once, in Python as {{'NAME': model}}")


_SCORED = ("accuracy confusion cross_entropy data ece group_deviation groups loss macro_f1 mean model other people "
           "prior recipe seed seed_deviation seeds steps temperature threshold windows worst_group")  # fmt: skip
"""Names that results have already."""


def metrics_of(metrics: Metrics) -> dict[str, Callable[..., Any]]:
    """Metrics of a user's own by name: that of Keras, or of the function."""
    pairs = list(metrics.items()) if isinstance(metrics, Mapping) else []
    for metric in () if pairs else [metrics] if callable(metrics) else metrics:
        function = getattr(metric, "func", metric)
        pairs.append((getattr(function, "name", None) or getattr(function, "__name__", "metric"), metric))
    for name in (names := [name for name, _ in pairs]):
        if name in _SCORED.split() or names.count(name) > 1:
            raise ArgumentError("metrics", f": {shown(name)} is taken: name it otherwise, as in {{'mine': metric}}")
    return dict(pairs)


@contextmanager
def drawing(folder: FilePath | None, form: FigureFormat | None) -> Iterator[Callable[[D], D]]:
    """Yields what draws the figures of a result; a folder that cannot be written to is refused before the work."""
    if folder is None:
        refuse(f"applies with {option('figures', 'FOLDER')} alone", figure_format=form)

    def drawn(result: D) -> D:
        if folder is None:
            return result
        result.figures(Path(folder), form or "png")
        return replace(result, written=f"figures in {folder}")

    with nullcontext() if folder is None else exclusive_folder(Path(folder)):
        yield drawn


def given(**values: Any) -> dict[str, Any]:
    """The values that are not None, by name."""
    return {name: value for name, value in values.items() if value is not None}


def quoted(path: FilePath) -> str:
    """A path as a word of a command."""
    return shlex.quote(str(path))


def quiet(doing: str = "") -> AbstractContextManager[Any]:
    """Hides in a command what the C++ code of TensorFlow and LiteRT prints."""
    return screen.quiet(doing) if COMMAND in os.environ else nullcontext()


def load_keras() -> None:
    """Imports TensorFlow and Keras, which takes seconds."""
    if "keras" in sys.modules:
        return
    with quiet("loading TensorFlow"):
        try:
            # Who programs in Python may want what Keras has for pandas and scikit-learn.
            import_keras() if COMMAND in os.environ else import_module("keras")
        except (ImportError, ValueError) as error:
            backend = os.environ.get("KERAS_BACKEND")
            if backend in (None, "tensorflow"):
                raise
            raise ZooError(f"KERAS_BACKEND is {backend}, which does not load ({error}): unset it") from error


def run(file: FilePath = "") -> None:
    """Runs a file of Python that a user names, which may register layers with Keras."""
    if not Path(file).is_file():
        raise UsageError(f"--code {file}: expected a file of Python that is there")
    load_keras()
    from zoo.jobs import CODE
    from zoo.models.function import run_file

    run_file(Path(file).resolve())
    os.environ[CODE] = os.pathsep.join(filter(None, (os.environ.get(CODE), str(Path(file).resolve()))))


def load(model: Model) -> "Loaded":
    """A model with its task and its metadata, by a name, a file or a folder; Keras is imported for it."""
    load_keras()
    from zoo.loading import load

    return load(model)


def silent(step: Any) -> None:
    """Shows no progress."""


def for_recognizers(loaded: Any, *, prior: Shares | None = None, metrics: Metrics = (), **more: Any) -> dict[str, Any]:
    """Returns the options that were passed, which only recognizers have."""
    if loaded.task.name != "activity":
        refuse(f"does not apply to {loaded.name}", prior=prior, metrics=metrics or None, **more)
    if isinstance(prior, str):
        from zoo.runtime.labels import parse_prior

        prior = parse_prior(prior)
    return given(prior=prior, own=metrics_of(metrics) or None, **more)


def read(task: "Task", data: Any, *, default: bool = True) -> Any:
    """The data of a task; where none is given, the file that bears its usual name, or None."""
    if data is None and not default:
        return None
    return task.load_data(_default(task.data_file) if data is None else data)


def _default(file: str) -> str:
    """The file that is read where no data is given, which must be there."""
    if not Path(file).exists():
        raise ZooError(
            f"no data was given, and there is no {file}, the default, in {Path.cwd()}: pass {option('data', 'FILE')}"
        )
    return file


def require_file(data: Any, model: Any = None) -> None:
    """Checks that a data file is there, or the one that a model reads by default."""
    if data is None and isinstance(model, str):
        family = PRESETS[model].family if model in PRESETS else OWN if function_in(model) else model
        if family in FAMILIES:
            _default(TASKS[FAMILIES[family].task].file)
    # Of a name that is too long, Path.exists raises.
    is_file = isinstance(data, str | os.PathLike) and not str(data).startswith("tfds:")
    if is_file and not os.path.exists(data):  # noqa: PTH110
        raise ZooError(f"{data}: no such file")


def require_model(model: Any) -> None:
    """Checks that a name is that of a model, without loading it."""
    if isinstance(model, str | Path):
        path = Path(model)
        if path.suffix not in (".keras", ".tflite"):
            find_folder(model)
        else:
            require_file(model)


def require_plan(model: Any, recipe: Changes, settings: Mapping[str, Any]) -> None:
    """Checks that a name is that of a family, a preset or a function in a file, and the values of its recipe."""
    if isinstance(model, str | os.PathLike) and str(model) not in (*FAMILIES, *PRESETS) and not function_in(model):
        if os.path.exists(model):  # noqa: PTH110
            raise ZooError(
                f"{model}: is a file or folder; expected a preset (see `zoo list`) or a family; to start from the "
                f"weights of a model, use `zoo finetune {model}` or `zoo crossval {model} --finetune`"
            )
        if "_" not in str(model):
            raise unknown_family(str(model))
        find(str(model), (*FAMILIES,))
    base, fields = (recipe, {}) if isinstance(recipe, Recipe) else (Recipe(steps=1), recipe or {})
    changes = {name: value for name, value in {**fields, **settings}.items() if name in Recipe.model_fields}
    base.replace(**changes).require_epochs()
