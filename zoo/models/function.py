r"""Functions of one's own that build networks, such as `my_networks.py:separable`, and losses and metrics of one's own.

    network = function(facts that it names, options)      whatever Keras can say
    recognizer = ActivityNetwork(network, ...)

The facts are those of the data: `window`, `channels` (their number), `classes` (labels), `rate` and `seed`. All other
parameters are options. A `Function` stands where a training has the class of a family: its arguments are the options
and those of `ActivityNetwork`.

A file runs when a command names it, and again in each process that a training starts. It has to be the same file then:
its text is a part of the run.
"""

import ast
import hashlib
import importlib.util
import inspect
import operator
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from zoo import jobs
from zoo.catalog import function_in
from zoo.errors import ZooError, shown, unknown_name
from zoo.models.model import names_of
from zoo.models.network import ActivityNetwork, require_same, seeded
from zoo.provenance import spelled
from zoo.recipe import checked

FACTS = ("window", "channels", "classes", "rate", "seed")
"""What a function is told of the data and the run, if it has parameters of these names."""

_KINDS: dict[type, Any] = {bool: bool, int: float, float: float, str: str, list: list | tuple, tuple: list | tuple}
"""What a value of an option must be, by the type of its default."""

_OPTIONS = ("baselines batch_size best choose data data_dir deterministic epochs everyone figure_format figures "
            "finetune groups json learning_curve learning_rate max_bytes max_latency max_parameters model objective "
            "out patience resume save_preset seeds set space strategy tensorboard trials workers")  # fmt: skip
"""Names of options of commands, which a function that one of them names would not get."""


@dataclass(frozen=True)
class Function:
    """A function that builds a network.

    `source` is how it was named, `code` the text of its file, `beside` that of the files next to it that it imports.
    """

    source: str
    code: str
    call: Callable[..., Any] = field(compare=False, repr=False)
    beside: str = ""

    @classmethod
    def of(cls, named: Any) -> "Function | None":
        """The function of a text `FILE:FUNCTION`, or of a function; None for anything else, such as a model."""
        if isinstance(named, Function):
            return named
        if isinstance(named, str | os.PathLike):
            if (found := function_in(named)) is None:
                return None
            file, name = found
            code, beside = file.read_text("utf-8", "replace"), _text_beside(file)
            module = run_file(file.resolve(), hashlib.sha256((code + beside).encode()).hexdigest())
            functions = [key for key, value in vars(module).items() if inspect.isfunction(value)]
            if name not in functions:
                raise unknown_name(f"function of {file}", name, functions)
            return cls(str(named), code, getattr(module, name), beside)._checked(_OPTIONS.split())
        if not callable(named) or isinstance(named, keras.Model | type):
            return None
        function, code = getattr(named, "func", named), ""
        home = inspect.getmodule(function)
        for part in list[Any]([home, function]):
            # A notebook knows the text of its functions alone, and other interpreters none.
            with suppress(OSError, TypeError):
                code = code or inspect.getsource(part)
        if held := _held(named, function):
            code += spelled(f"\n# with {held}\n")
        beside = _text_beside(Path(getattr(home, "__file__", None) or ""))
        # A loss of Keras is an object with a configuration.
        config = getattr(named, "get_config", str)()
        return cls(f"{getattr(function, '__name__', type(named).__name__)}{config}", code, named, beside)._checked()

    def _checked(self, others: Sequence[str] = ()) -> "Function":
        taken = {*ActivityNetwork.argument_types(), *others} - {*FACTS}
        if twice := next((name for name in self._parameters if name in taken), None):
            raise ZooError(f"{self.source}: its parameter {twice} is one of every recognizer or command: rename it")
        return self

    @property
    def name(self) -> str:
        """The name of the function, or of the file of one that is called build, which its models bear."""
        file, _, function = self.source.rpartition(":")
        name = Path(file).stem if file and function == "build" else function.replace("<lambda>", "network")
        return re.sub(r"[^a-zA-Z0-9._-]", "_", name)

    @property
    def sha256(self) -> str:
        """Hash of its code, and of that next to it."""
        return hashlib.sha256((self.code + self.beside).encode()).hexdigest()

    @property
    def _parameters(self) -> dict[str, inspect.Parameter]:
        """Its parameters by name, without those that take any other."""
        named = inspect.signature(self.call).parameters
        return {name: row for name, row in named.items() if row.kind not in (row.VAR_KEYWORD, row.VAR_POSITIONAL)}

    @property
    def options(self) -> list[str]:
        """Names of its parameters that are no facts."""
        return [name for name in self._parameters if name not in FACTS]

    def argument_types(self) -> dict[str, Any]:
        """Types of the arguments, as those of the class of a family."""
        types = {name: kind for name, kind in ActivityNetwork.argument_types().items() if name != "network"}
        return types | dict.fromkeys(self.options, Any)

    def parameter_formula(self, **arguments: Any) -> int:
        """The number of parameters with these arguments."""
        return int(self(**arguments).count_params())

    def __call__(self, **arguments: Any) -> ActivityNetwork:
        """Builds the network, and the recognizer around it."""
        options = {name: arguments.pop(name) for name in self.options if name in arguments}
        for name, value in options.items():
            # The terminal reads 3 as a number, and 8,16 as a text.
            kind = _KINDS.get(type(self._parameters[name].default), Any)
            if isinstance(value, str) or (kind is str and isinstance(value, int | float)):
                checked(name, kind, value)
        needed = [name for name in self.options if self._parameters[name].default is inspect.Parameter.empty]
        if missing := [name for name in needed if name not in options]:
            raise ZooError(
                f"{self.source}: needs {missing[0]}, which is no fact of the data ({', '.join(FACTS)}): give it a "
                "default, or a value as a setting"
            )
        usual = {name: row.default for name, row in inspect.signature(ActivityNetwork).parameters.items()}
        facts = {name: value for name, value in (usual | arguments).items() if name in FACTS}
        facts |= {"classes": names_of("classes", facts["classes"], "class {}")}
        if not isinstance(facts["channels"], int):
            facts["channels"] = len(facts["channels"])
        facts = {name: value for name, value in facts.items() if name in self._parameters}
        with (
            seeded(arguments.get("seed", 0)),
            _explained(self.source, getattr(getattr(self.call, "__code__", None), "co_filename", "")),
        ):
            network = self.call(**facts, **options)
            if not isinstance(network, keras.Model):
                raise ZooError(f"{self.source}: returned {shown(network)}; expected a Keras model")
            if network.compiled:
                raise ZooError(
                    f"{self.source}: returned a network that is compiled, which a recipe would replace: return it "
                    "without, and state loss, optimizer and learning_rate for the training"
                )
            model = ActivityNetwork(network, **arguments)
            require_same(network, model)
        return model

    def __reduce__(self) -> Any:
        """Another process finds the function in its file, or by the name of its module."""
        if function_in(self.source):
            return _found_again, (self.source, self.sha256)
        function = getattr(self.call, "func", self.call)
        if function.__module__ == "__main__" or "<" in getattr(function, "__qualname__", ""):
            raise ZooError(
                f"{self.source}: other processes cannot import it: put it into a file and pass 'FILE:FUNCTION', or "
                "pass workers=0"
            )
        return Function.of, (self.call,)

    def to_json(self) -> dict[str, Any]:
        """How it was named, with the hash of its code."""
        return {"source": self.source, "sha256": self.sha256}


def own_loss(loss: Callable[..., Any] | None, data: Any) -> Callable[..., Any] | None:
    """A loss of a user's own as a function of class numbers `(batch,)` and logits; refuses data that it cannot read."""
    if loss is not None and data.label_sets:
        raise ZooError(f"loss: {data} has labels that mean one of several classes, which only the zoo's reads: omit it")
    return loss and _of_numbers("loss", loss, len(data.classes), operator.lt)


def measure(
    own: Mapping[str, Callable[..., Any]], labels: NDArray[np.int64], predicted: NDArray[np.int64],
    logits: NDArray[np.floating[Any]] | None = None, other: int | None = None,
) -> dict[str, float | None]:  # fmt: skip
    """Metrics of a user's own by name: those and losses of Keras, of logits `(N, K)`, or functions of class numbers.

    They are of windows of known activities, where a prediction of the class `other` is -1. What is not finite is None,
    as are metrics and losses of Keras without logits.
    """
    known, found = labels != other, dict[str, float | None].fromkeys(own)
    labels, predicted = labels[known], np.where(predicted == other, -1, predicted)[known]
    for name, metric in own.items():
        with _explained(f"metrics: {name}"):
            if not isinstance(metric, (keras.metrics.Metric, keras.losses.Loss)):
                found[name] = float(metric(labels, predicted))
            elif logits is not None:
                tells = operator.lt if isinstance(metric, keras.losses.Loss) else operator.ne
                call = _of_numbers(f"metrics: {name}", partial(_result, metric), logits.shape[1], tells)
                found[name] = call(labels, logits[known].astype("float32"))
    return {name: None if value is None or not np.isfinite(value) else value for name, value in found.items()}


def _result(metric: keras.metrics.Metric | keras.losses.Loss, labels: Any, logits: Any) -> float:
    if isinstance(metric, keras.metrics.Metric):
        metric.reset_state()
    return float(metric(labels, logits))


def _of_numbers(
    name: str, function: Callable[..., Any], classes: int, tells: Callable[[float, float], bool]
) -> Callable[..., Any]:
    """A function of labels and logits that gets class numbers, though it may read one-hot labels.

    Which it reads is tried on answers that are right and wrong: the function has to tell them apart, also where all
    logits are above 1. One of probabilities does not, which Keras would not notice.
    """

    def of_one_hot(labels: Any, logits: Any) -> Any:
        return function(keras.ops.one_hot(keras.ops.cast(labels, "int32"), classes), logits)

    right = np.arange(classes + 1) % classes
    wrong, one_hot = (right + 1) % classes, np.eye(classes, dtype="float32")
    logits = 10 * one_hot[right] - 4 * one_hot[wrong] - 5
    for call in (function, of_one_hot):
        # What fails on one kind of labels is made for the other.
        with suppress(Exception):
            pairs = [[float(keras.ops.mean(call(labels.astype("float32"), answers))) for labels in (right, wrong)]
                     for answers in (logits, logits + 20)]  # fmt: skip
            # NaN is unequal to everything.
            if np.isfinite(pairs).all() and all(tells(*pair) for pair in pairs):
                return call
    expected = "class numbers or one-hot labels, and of logits, as with from_logits=True"
    raise ZooError(f"{name}: does not tell right answers from wrong ones; expected a function of {expected}")


def _found_again(source: str, sha256: str) -> Function:
    function = Function.of(source)
    if function is None or function.sha256 != sha256:
        raise ZooError(f"{source}: the file has changed since the run began: start again")
    return function


def _held(named: Any, function: Any) -> list[Any]:
    """What decides what a function does, beside its text: what it is called with, closes over, or is a method of."""
    owner = getattr(function, "__self__", function)
    held = [getattr(named, name, None) for name in ("args", "keywords")]
    held += [getattr(function, name, None) for name in ("__defaults__", "__kwdefaults__")]
    with suppress(TypeError, ValueError):
        held.append(inspect.getclosurevars(function).nonlocals)
    return [value for value in (*held, getattr(owner, "__dict__", None)) if value]


def _text_beside(file: Path) -> str:
    return "".join(part.read_text("utf-8", "replace") for part in _beside(file.resolve()))


def _beside(file: Path) -> list[Path]:
    """The files beside a file that it imports, all of a package, and those that they import."""
    found = [file]
    for part in found:
        # What is wrong with a file is said where it runs.
        with suppress(OSError, SyntaxError, ValueError):
            nodes = [node for node in ast.walk(ast.parse(part.read_bytes()))
                     if isinstance(node, ast.Import | ast.ImportFrom)]  # fmt: skip
            names = [getattr(node, "module", None) or alias.name for node in nodes for alias in node.names]
            # In a checkout of the zoo, it lies beside as well.
            for name in sorted({name.partition(".")[0] for name in names} - {"zoo"}):
                near = [file.with_name(f"{name}.py"), *sorted(file.with_name(name).rglob("*.py"))]
                found += [other for other in near if other.is_file() and other not in found]
    return found[1:]


def run_code() -> None:
    """Runs the files that a command names by `--code`, in a child process of it."""
    for file in filter(None, os.environ.get(jobs.CODE, "").split(os.pathsep)):
        run_file(Path(file))


@cache
def run_file(file: Path, sha256: str = "") -> ModuleType:
    """Runs a file of Python as a module, once for each text; it imports what lies next to it."""
    name = f"{file.stem}_{sha256[:8]}"
    spec = importlib.util.spec_from_file_location(name, file)
    if not file.is_file() or spec is None or spec.loader is None:
        raise ZooError(f"{file}: expected a file of Python, such as my_networks.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    beside = {other.relative_to(file.parent).parts[0].removesuffix(".py") for other in _beside(file)}
    # Such as modules of these names beside another file, or of other texts by now.
    for place in [place for place in sys.modules if place.partition(".")[0] in beside]:
        del sys.modules[place]
    folder = str(file.parent)
    sys.path.insert(0, folder)
    try:
        with _explained(str(file), str(file)):
            # Not by the loader, which takes a text of the same second and length for the one that it has compiled.
            exec(compile(file.read_bytes(), file, "exec"), vars(module))
    finally:
        sys.path.remove(folder)
        if folder not in sys.path:
            # Its functions may import what lies there as well.
            sys.path.append(folder)
    return module


@contextmanager
def _explained(source: str, file: str = "") -> Iterator[None]:
    """Says in one line what went wrong in code of a user's own, and where."""
    try:
        yield
    except ZooError:
        raise
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
        line = getattr(error, "lineno", None) if isinstance(error, SyntaxError) else (lines or [None])[-1]
        # What Keras says of a layer has its reason in bold letters, below a first line.
        what = re.sub("\x1b.*?m", "", " ".join(str(error).split()))[:300] or "no message"
        raise ZooError(f"{source}{f', line {line}' if line else ''}: {type(error).__name__}: {what}") from error
