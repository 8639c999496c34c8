"""The base class of all models: arguments as attributes and configuration, a default loss, loading and saving."""

import contextlib
import functools
import inspect
import json
import re
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, ClassVar, Self, get_args, get_origin, get_type_hints

import keras
import numpy as np
from pydantic import Field

from zoo.catalog import find_folder
from zoo.errors import ArgumentError, StorageError, ZooError, unknown_name
from zoo.files import atomic_write, require_file, write_json
from zoo.models.losses import loss_and_metrics
from zoo.recipe import checked, python_number
from zoo.runtime.metadata import plain

Size = Annotated[int, Field(ge=1, le=16_384)]
"""Of a layer: a GRU of the largest has 3 GB."""
Depth = Annotated[int, Field(ge=1, le=100)]


class Model(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Base class of the models of the zoo: a functional `keras.Model` with a default loss, loading and saving.

    Each argument of a subclass's constructor is an attribute of the model and a key of its configuration.

    Example:
        >>> import tempfile
        >>> from zoo import ActivityGRU, Model
        >>> folder = tempfile.mkdtemp()
        >>> ActivityGRU(units=8, classes=("walk", "run")).save_to_preset(folder)
        >>> Model.from_preset(folder).classes
        ('walk', 'run')

    Attributes:
        fast_with_xla: Whether a training step on a CPU is faster if XLA compiles it.
        loss_name: Name of the default loss: `cross_entropy` or `half_squared_error`.
    """

    fast_with_xla: ClassVar[bool] = True
    loss_name: ClassVar[str]
    __signature__: ClassVar[inspect.Signature]
    seed: int

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            own = inspect.signature(cls.__init__)
            cls.__signature__ = own.replace(parameters=[*own.parameters.values()][1:])
            cls.__init__ = _constructor(cls.__init__)  # type: ignore[method-assign]

    def __init__(self, inputs: Any, outputs: Any, arguments: Mapping[str, Any]) -> None:
        """Creates a model from a graph, with all arguments of the subclass's constructor, checked."""
        super().__init__(inputs=inputs, outputs=outputs, name=arguments["name"])
        self._arguments = tuple(name for name in arguments if name not in ("name", "dtype"))
        for name in self._arguments:
            setattr(self, name, arguments[name])
        if arguments["dtype"] is not None:
            self.dtype_policy = keras.dtype_policies.get(arguments["dtype"])

    def _run_through_graph(self, inputs: Any, *functions: Any, **options: Any) -> Any:
        outputs = super()._run_through_graph(inputs, *functions, **options)
        if isinstance(outputs, keras.KerasTensor):
            # `clone_model` makes the model of the outputs, and knows nothing else of it.
            policy = None if self.dtype_policy.name == "float32" else self.dtype_policy
            outputs._zoo_arguments = {name: getattr(self, name) for name in self._arguments} | {"dtype": policy}
        return outputs

    @classmethod
    def argument_names(cls) -> list[str]:
        """Names of the constructor's arguments."""
        return list(inspect.signature(cls).parameters)

    @classmethod
    def check_names(cls, arguments: Mapping[str, Any]) -> None:
        """Refuses an argument that the constructor lacks, and suggests the closest name."""
        known = cls.argument_names()
        for name in arguments:
            if name not in known:
                raise unknown_name(f"argument of {cls.__name__}", name, known)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, and which layers are frozen or quantized, if any."""
        config = {name: plain(getattr(self, name)) for name in self._arguments} | {"name": self.name}
        policy = keras.dtype_policies.serialize(self.dtype_policy)
        if self.dtype_policy.name != "float32":
            config["dtype"] = policy if isinstance(policy, str) else self.dtype_policy.name
        frozen = [layer.name for layer in self.layers if layer.weights and not layer.trainable]
        quantized = {layer.name: layer.quantization_mode for layer in self.layers if layer.quantization_mode}
        return config | ({"frozen": frozen} if frozen else {}) | ({"quantized": quantized} if quantized else {})

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Creates a model from the result of `get_config`."""
        arguments = dict(config)
        frozen, quantized = arguments.pop("frozen", ()), arguments.pop("quantized", {})
        cls.check_names(arguments)
        model = cls(**arguments)
        # A copy with fewer layers lacks some of them.
        for layer in model.layers:
            if layer.name in quantized:
                layer.quantize(quantized[layer.name])
            if layer.name in frozen:
                layer.trainable = False
        return model

    def copy(self, **changes: Any) -> Self:
        """Returns a copy of the model with some arguments changed.

        The weights of all layers whose shapes do not change are copied.

        Args:
            **changes: Arguments of the constructor.

        Example:
            >>> from zoo import ActivityGRU
            >>> ActivityGRU(units=8).copy(window=300).input_shape
            (None, 300, 3)
        """
        other = type(self).from_config(self.get_config() | changes)
        self._transfer(other)
        return other

    def _transfer(self, other: Self) -> None:
        """Copies weights to those layers of another model that have the same names and shapes."""
        mine = {layer.name: layer for layer in self.layers}
        for layer in other.layers:
            weights = mine[layer.name].get_weights() if layer.name in mine else []
            if weights and [w.shape for w in weights] == [w.shape for w in layer.get_weights()]:
                layer.set_weights(weights)

    def default_loss(self) -> keras.losses.Loss:
        """Returns the default loss, computed from the output of the model."""
        return loss_and_metrics(self.loss_name)[0]

    def default_metrics(self) -> list[keras.metrics.Metric]:
        """Returns the default metrics."""
        return loss_and_metrics(self.loss_name)[1]

    def compile(self, optimizer: Any = "adam", loss: Any = None, metrics: Any = None, **options: Any) -> None:
        """Compiles the model, by default with Adam and the default loss and metrics of its class.

        Args:
            optimizer: Optimizer, as in `keras.Model.compile`.
            loss: Loss. By default that of the class, which takes the output of the model: for classifiers logits, not
                probabilities.
            metrics: Metrics. By default those of the class if `loss` is the default as well, else none.
            **options: Other arguments of `keras.Model.compile`. `jit_compile` is `"auto"` by default, or False if
                `fast_with_xla` is False.
        """
        options = {"jit_compile": "auto" if self.fast_with_xla else False} | options
        names = ("sparse_categorical_crossentropy", "categorical_crossentropy")
        if loss in names or getattr(loss, "from_logits", True) is False:
            own = f"{type(self.default_loss()).__name__}(), its default" if loss in names else "from_logits=True"
            warnings.warn(
                f"{type(self).__name__} returns logits, and this loss takes probabilities: use {own}", stacklevel=2
            )
        if loss is None:
            loss, metrics = self.default_loss(), self.default_metrics() if metrics is None else metrics
        super().compile(optimizer=optimizer, loss=loss, metrics=metrics, **options)

    @functools.wraps(keras.Model.fit)
    def fit(self, *values: Any, **options: Any) -> Any:  # noqa: D102
        labels = values[1] if len(values) > 1 else options.get("y")
        if isinstance(labels, list | tuple | np.ndarray) and len(labels) and isinstance(labels[0], str):
            raise ZooError(
                "labels are texts; pass their numbers, such as [model.classes.index(label) for label in labels]"
            )
        with self._traced_again():
            return super().fit(*values, **options)

    @functools.wraps(keras.Model.evaluate)
    def evaluate(self, *values: Any, **options: Any) -> Any:  # noqa: D102
        with self._traced_again():
            return super().evaluate(*values, **options)

    @contextlib.contextmanager
    def _traced_again(self) -> Iterator[None]:
        """Leaves no function behind whose first call failed: TensorFlow lets none of them create variables later."""
        try:
            yield
        except BaseException:
            self.train_function = self.test_function = None
            raise

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model as it was saved. Keras requires this of classes that override `compile`."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    @classmethod
    def from_preset(cls, name_or_path: str | Path, **arguments: Any) -> Self:
        """Loads a model with its weights. Uses the network only for a model on a hub.

        Args:
            name_or_path: A preset such as `activity_gru_pocket`, a folder written by `save_to_preset` or `zoo train`,
                a `.keras` file, or a model on a hub such as `hf://owner/name@revision`.
            **arguments: Arguments of the constructor to change, such as `classes=("walk", "run")`. Layers whose shapes
                change are initialized again; labels in common keep their weights in the last layer.

        Returns:
            A model of the class that was saved, not compiled.

        Raises:
            ZooError: If there is no such preset, or if it is not of this class.

        Example:
            >>> from zoo import Model
            >>> Model.from_preset("activity_gru_course", classes=("walking", "cycling")).output_shape
            (None, 2)
        """
        named_file = str(name_or_path).endswith(".keras")
        file = Path(name_or_path) if named_file else find_folder(name_or_path) / "model.keras"
        model = load_file(file)
        if not isinstance(model, cls):
            raise ZooError(f"{file}: holds {type(model).__name__}; expected {cls.__name__}: use Model.from_preset")
        return model.copy(**arguments) if arguments else model

    def save_to_preset(self, folder: str | Path, **details: Any) -> None:
        """Saves the model with its weights and its configuration.

        Args:
            folder: Folder to write to. Created if missing.
            **details: Additional entries of `config.json`, of JSON types.
        """
        folder = Path(checked("folder", str | Path, folder))
        with atomic_write(folder / "model.keras") as temporary:
            self.save(temporary)
        write_json(folder / "config.json", {"class": type(self).__name__, "arguments": self.get_config()} | details)


def _constructor(create: Callable[..., None]) -> Callable[..., None]:
    """A constructor that takes numbers of NumPy too, and that `clone_model` calls with a graph to keep the class.

    Keras calls constructors so that take any arguments. What they are in truth is the signature of the class.
    """

    def __init__(self: Any, *values: Any, **options: Any) -> None:  # noqa: N807
        known = getattr(values[1], "_zoo_arguments", None) if len(values) == 2 and set(options) == {"name"} else None
        if known is not None:
            Model.__init__(self, values[0], values[1], known | options)
        else:
            create(self, *map(python_number, values), **{name: python_number(value) for name, value in options.items()})

    __init__.__doc__, __init__.__annotations__ = create.__doc__, create.__annotations__
    return __init__


def load_file(file: Path) -> Model:
    """Loads a `.keras` file of the zoo."""
    require_file(file)
    try:
        _check_archive(file)
        model = keras.saving.load_model(file, compile=False)
    except ZooError as error:
        kind = StorageError if isinstance(error, StorageError) else ZooError
        raise kind(f"{file}: {error}") from error
    except Exception as error:
        # A damaged archive can raise exceptions of zipfile, zlib, json, h5py and Keras.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ZooError(f"{file}: cannot be read as a Keras model ({reason})") from error
    if not isinstance(model, Model):
        raise ZooError(f"{file}: holds {type(model).__name__}; expected a model of the zoo")
    for weight in model.weights:
        if not np.isfinite(np.asarray(weight)).all():
            raise ZooError(f"{file}: weights {weight.path} hold NaN or infinity: train the model again")
    return model


_PARTS = re.compile(r"config\.json|metadata\.json|model\.weights\.h5|assets/(?!.*\.\.).*")
"""What Keras writes into a model's archive."""

_MOST_BYTES, _MOST_JSON, _LONGEST = 1 << 32, 1 << 24, 10_000
"""Largest model that is unpacked, largest document in it, and longest text of its configuration: Keras repeats names in
the path of each weight, so that one of 10 MB would take gigabytes."""


def _check_archive(file: Path) -> None:
    """Refuses an archive that would unpack to more than any model has, or of which a part is damaged."""
    with zipfile.ZipFile(file) as archive:
        sizes = [(member.filename, member.file_size) for member in archive.infolist()]
        if other := next((name for name, _ in sizes if not _PARTS.fullmatch(name)), None):
            raise ZooError(f"{other!a} in it is no part of a Keras model: save the model again with Keras")
        if (size := sum(size for _, size in sizes)) > _MOST_BYTES:
            raise ZooError(f"unpacks to {size} bytes; expected a model of at most {_MOST_BYTES}")
        if large := [pair for pair in sizes if pair[0].endswith(".json") and pair[1] > _MOST_JSON]:
            raise ZooError(f"{large[0][0]} in it unpacks to {large[0][1]} bytes; expected at most {_MOST_JSON}")
        if len(dict(sizes)) < len(sizes):
            twice = next(name for name, count in Counter(name for name, _ in sizes).items() if count > 1)
            raise StorageError(f"{twice} is in it twice: copy the file again")
        if damaged := archive.testzip():
            raise StorageError(f"{damaged} in it is damaged: copy the file again")
        longest = max(map(len, _texts(json.loads(archive.read("config.json")))), default=0)
        if longest > _LONGEST:
            raise ZooError(f"config.json in it has a name of {longest} letters; expected at most {_LONGEST}")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _texts(each)


# TensorFlow traces a training step in a scope of this name.
_NAME = re.compile(r"[a-zA-Z0-9._-]{1,200}")


def arguments_of(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the arguments of a constructor, from its local variables at its start.

    Numbers, flags and texts are checked against its annotations, which have their ranges; what has several types, the
    constructor checks itself.
    """
    hints = get_type_hints(variables["__class__"].__init__, include_extras=True)
    found = {name: value for name, value in variables.items() if name not in ("self", "__class__")}
    for name, value in found.items():
        kinds = (hints[name],) if get_origin(hints[name]) is Annotated else get_args(hints[name]) or (hints[name],)
        if all(get_origin(kind) is Annotated or kind in (int, float, str, bool, NoneType) for kind in kinds):
            found[name] = checked(name, hints[name], value)
        elif any(get_origin(kind) is Mapping for kind in kinds) and not isinstance(value, Mapping | NoneType):
            raise ArgumentError(name, f" is {value!r}; expected values by name")
    name = found["name"]
    if name is not None and not _NAME.fullmatch(name):
        raise ArgumentError("name", f" is {name!r:.60}; expected at most 200 of the characters a-z A-Z 0-9 . _ -")
    try:
        keras.dtype_policies.get(found["dtype"])
    except (ValueError, TypeError):
        raise ArgumentError("dtype", f" is {found['dtype']!r}; expected a policy, such as mixed_float16") from None
    for key, hint in _RECORDED.items():
        if (value := (found["provenance"] or {}).get(key)) is not None:
            checked(f"provenance[{key!r}]", hint, value)
    return found


_RECORDED: dict[str, Any] = {
    "source": str, "license": str, "data_sha256": str, "simulated": bool, "split_by": str,
    "subjects": list[str] | tuple[str, ...], "still": list[str] | tuple[str, ...],
    "class_frequencies": Mapping[str, float],
}  # fmt: skip
"""Types of what training records of the origin of weights."""


def numbers_of(name: str, values: Any, above: float = -np.inf) -> tuple[float, ...]:
    """Numbers of a sequence; refuses what is not finite and above a limit."""
    try:
        found = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        found = (np.nan,)
    if not all(above < value < np.inf for value in found):
        raise ArgumentError(name, f" is {values!r}; expected finite numbers{'' if above < 0 else f' above {above:g}'}")
    return found


@contextlib.contextmanager
def dtype_policy(dtype: Any) -> Iterator[None]:
    """Sets the global dtype policy within a `with` block; None leaves it unchanged."""
    before = keras.config.dtype_policy()
    if dtype is not None:
        keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def check_activation(name: str, activation: str | None) -> None:
    """Refuses an argument that is not the name of a Keras activation."""
    try:
        keras.activations.get(activation)
    except ValueError:
        raise ZooError(f"{name} is {activation!r}; expected the name of a Keras activation, such as relu") from None
