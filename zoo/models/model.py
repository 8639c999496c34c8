"""The base class of all models: a functional network with its arguments, a default loss, loading and saving."""

import contextlib
import functools
import inspect
import json
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, get_type_hints

import keras
import numpy as np
from annotated_types import Ge, Le
from pydantic import AfterValidator, BeforeValidator

from zoo.catalog import find_folder
from zoo.errors import ArgumentError, StorageError, ZooError, shown, unknown_name
from zoo.files import atomic_write, require_file, write_json
from zoo.models.losses import loss_and_metrics
from zoo.provenance import known_of, signed
from zoo.recipe import Positive, checked, python_number
from zoo.runtime.metadata import plain

Size = Annotated[int, Ge(1), Le(16_384)]
"""Of a layer: a GRU of the largest has 3 GB."""
Depth = Annotated[int, Ge(1), Le(100)]

_AS_LIST, _AS_TUPLE = BeforeValidator(lambda values: np.atleast_1d(values).tolist()), AfterValidator(tuple)
Numbers = Annotated[Sequence[float], _AS_LIST, _AS_TUPLE]
PositiveNumbers = Annotated[Sequence[Positive], _AS_LIST, _AS_TUPLE]

MOST_BYTES, MOST_JSON = 1 << 32, 1 << 24
"""Largest model that is unpacked, and largest documents in its file."""

# TensorFlow traces a training step in a scope of this name.
_NAME = re.compile(r"[a-zA-Z0-9._-]{1,200}")


class Model(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Base class of the models of the zoo: a functional `keras.Model` with a default loss, loading and saving.

    A subclass builds its network from the arguments of its constructor, stores each of them as an attribute, and
    returns them from `get_config`, as Keras recommends. `copy` copies a model with its weights;
    `keras.models.clone_model` returns a plain functional model.

    Example:
        >>> import tempfile
        >>> from zoo import ActivityGRU, Model
        >>> folder = tempfile.mkdtemp()
        >>> ActivityGRU(units=8, classes=("walk", "run")).save_to_preset(folder)
        >>> Model.from_preset(folder).classes
        ('walk', 'run')

    Attributes:
        is_compiled_by_user: Whether `compile` was called since it was built; what trains by a recipe refuses it then.
        fast_with_xla: Whether a training step on a CPU is faster if XLA compiles it.
        loss_name: Name of the default loss: `cross_entropy` or `half_squared_error`.
    """

    fast_with_xla: ClassVar[bool] = True
    loss_name: ClassVar[str]

    def __new__(cls, *values: Any, **arguments: Any) -> Self:
        """Refuses arguments that the constructor does not take, and to compute where TensorFlow only draws graphs."""
        import tensorflow as tf

        names = list(cls.argument_types())
        if unknown := next((name for name in arguments if name not in names), None):
            raise unknown_name(f"argument of {cls.__name__}", unknown, names)
        if not tf.compat.v1.executing_eagerly_outside_functions():
            raise ZooError("eager execution is off: remove tf.compat.v1.disable_eager_execution() from the program")
        model: Self = super().__new__(cls, *values, **arguments)
        return model

    def __init__(
        self, inputs: Any, outputs: Any, *, provenance: Mapping[str, Any] | None, seed: int, dtype: Any,
        name: str | None,
    ) -> None:  # fmt: skip
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        self.provenance, self.seed, self.is_compiled_by_user = provenance, seed, False
        if dtype is not None:
            self.dtype_policy = keras.dtype_policies.get(dtype)

    @classmethod
    def argument_types(cls) -> dict[str, Any]:
        """Types of the constructor's arguments by name, also of those that a subclass passes on with `**`."""
        parameters = [*inspect.signature(cls.__init__).parameters.values()][1:]
        types = get_type_hints(cls.__init__, include_extras=True)
        named = {p.name: types.get(p.name, Any) for p in parameters if p.kind is not p.VAR_KEYWORD}
        base: Any = cls.__mro__[1]
        return named if len(named) == len(parameters) else named | base.argument_types()

    @classmethod
    def checked(cls, **arguments: Any) -> list[Any]:
        """Checks arguments against the constructor's annotations, and returns them; numbers of NumPy as Python's."""
        types = cls.argument_types()
        values = {name: checked(name, types[name], value) for name, value in arguments.items()}
        if "name" in values and not _NAME.fullmatch(values["name"] or "none"):
            expected = "at most 200 of the characters a-z A-Z 0-9 . _ -"
            raise ArgumentError("name", value=values["name"], expected=expected)
        try:
            keras.dtype_policies.get(values.get("dtype"))
        except (ValueError, TypeError):
            expected = "a policy, such as mixed_float16"
            raise ArgumentError("dtype", value=values["dtype"], expected=expected) from None
        return [*values.values()]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, and which layers are frozen or quantized, if any."""
        config = {"provenance": plain(self.provenance), "seed": self.seed, "name": self.name}
        if self.dtype_policy.name != "float32":
            config["dtype"] = self.dtype_policy.name
        frozen = [layer.name for layer in self.layers if layer.weights and not layer.trainable]
        quantized = {layer.name: layer.quantization_mode for layer in self.layers if layer.quantization_mode}
        return config | ({"frozen": frozen} if frozen else {}) | ({"quantized": quantized} if quantized else {})

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Creates a model from the result of `get_config`."""
        arguments = dict(config)
        frozen, quantized = arguments.pop("frozen", ()), arguments.pop("quantized", {})
        if "dtype" in cls.argument_types():
            # It was saved without one in float32, whatever the policy is now.
            arguments.setdefault("dtype", "float32")
        model = cls(**arguments)
        # A copy with fewer layers lacks some of them.
        for layer in model.layers:
            if layer.name in quantized:
                layer.quantize(quantized[layer.name])
            if layer.name in frozen:
                layer.trainable = False
        return model

    @classmethod
    def parameter_formula(cls, *sizes: Any, **arguments: Any) -> int:
        """Returns the number of trainable parameters with these arguments, for which the module has a formula.

        Example:
            >>> from zoo import ActivityGRU
            >>> ActivityGRU.parameter_formula(32)
            3654
        """
        return int(cls(*sizes, **arguments).count_params())

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
        if "provenance" not in changes and "weights_sha256" in (self.provenance or {}):
            other.provenance = signed(other, known_of(self))
        return other

    def _transfer(self, other: Self) -> None:
        """Copies weights to those layers of another model that have the same names and shapes."""
        mine = {layer.name: layer for layer in self.layers}
        for layer in other.layers:
            weights = mine[layer.name].get_weights() if layer.name in mine else []
            if weights and [w.shape for w in weights] == [w.shape for w in layer.get_weights()]:
                set_weights(layer, weights)

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
            instead = f"{type(self.default_loss()).__name__}(), its default" if loss in names else "from_logits=True"
            warnings.warn(
                f"{type(self).__name__} returns logits, and this loss takes probabilities: use {instead}", stacklevel=2
            )
        if loss is None:
            loss, metrics = self.default_loss(), self.default_metrics() if metrics is None else metrics
        super().compile(optimizer=optimizer, loss=loss, metrics=metrics, **options)
        # A recipe compiles by the method of Keras.
        self.is_compiled_by_user = True

    @functools.wraps(keras.Model.fit)
    def fit(self, *values: Any, **options: Any) -> Any:  # noqa: D102
        labels = values[1] if len(values) > 1 else options.get("y")
        if isinstance(labels, list | tuple | np.ndarray) and len(labels) and isinstance(labels[0], str):
            raise ZooError(
                "labels are texts; pass their numbers, such as [model.classes.index(label) for label in labels]"
            )
        # Older files do not say which weights they describe.
        if "weights_sha256" not in (self.provenance or {}):
            self.provenance = signed(self, self.provenance or {})
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
        # The file of a trained model holds what its recipe compiled.
        self.is_compiled_by_user = "data_sha256" not in (self.provenance or {})
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
        model = read_model(file)
        if not isinstance(model, cls):
            raise ZooError(f"{file}: holds {type(model).__name__}; expected {cls.__name__}: use Model.from_preset")
        if model.provenance and "weights_sha256" not in model.provenance:
            model.provenance = signed(model, model.provenance)
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


def set_weights(layer: Any, weights: Sequence[Any]) -> None:
    """Sets the weights of a layer or a model; a `Normalization` in it that was adapted computes with its new ones."""
    layer.set_weights(weights)
    for part in layer._flatten_layers():
        if isinstance(part, keras.layers.Normalization):
            part.finalize_state()


def is_graph(network: keras.Model) -> bool:
    """Whether Keras knows all that a network computes: it is of layers alone, without a `call` of its own."""
    mine = [kind for kind in type(network).__mro__ if not kind.__module__.startswith("keras.")]
    return bool(getattr(network, "outputs", None)) and not any("call" in kind.__dict__ for kind in mine)


def read_model(file: Path) -> Any:
    """A model from a `.keras` file. No code of the file runs, and its size is checked before memory is taken."""
    require_file(file)
    try:
        _check(file)
        model = keras.saving.load_model(file, compile=False)
    except ZooError as error:
        kind = StorageError if isinstance(error, StorageError) else ZooError
        raise kind(f"{file}: {error}") from error
    except Exception as error:
        # A damaged archive can raise exceptions of zipfile, zlib, json, h5py and Keras.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ZooError(f"{file}: cannot be read as a Keras model ({reason})") from error
    for weight in model.weights:
        if not np.isfinite(np.asarray(weight)).all():
            raise ZooError(f"{file}: weights {weight.path} hold NaN or infinity: train the model again")
    return model


def _check(file: Path) -> None:
    """Refuses an archive that is damaged, unpacks to more than any model has, or holds another kind of model."""
    with zipfile.ZipFile(file) as archive:
        sizes = [(member.file_size, member.filename) for member in archive.infolist()]
        documents = [pair for pair in sizes if pair[1].endswith(".json")]
        for pairs, most in ((sizes, MOST_BYTES), (documents, MOST_JSON)):
            if sum(size for size, _ in pairs) > most:
                size, name = max(pairs)
                raise ZooError(f"{name} in it unpacks to {size} bytes; expected at most {most}")
        if damaged := archive.testzip():
            raise StorageError(f"{damaged} in it is damaged: copy the file again")
        config = json.loads(archive.read("config.json"))
    # Keras builds its own models before anything can be checked: with a name of 10 MB, each weight would repeat it.
    if str(config.get("module")).startswith("keras"):
        raise ZooError(f"holds {config.get('class_name')}; expected a model of the zoo")
    # Keras would print the whole configuration of the model.
    if keras.saving.get_registered_object(config.get("registered_name")) is None:
        instead = "import the module that registers it with keras.saving.register_keras_serializable"
        raise ZooError(f"holds {config.get('class_name')}, which Keras does not know: {instead}")


def names_of(parameter: str, value: Any, unnamed: str = "{}") -> tuple[str, ...]:
    """Different names; where only their number is known, they are numbered."""
    value = python_number(value)
    if isinstance(value, int):
        return tuple(map(unnamed.format, range(checked(parameter, Annotated[int, Ge(1), Le(1_000_000)], value))))
    named = isinstance(value, list | tuple) and all(isinstance(name, str) and name for name in value)
    if not named or not value or len(set(value)) < len(value) or not "".join(value).isprintable():
        raise ArgumentError(parameter, value=value, expected="different names, or how many there are")
    return tuple(value)


def check_activation(name: str, activation: str | None) -> None:
    """Refuses an argument that is not the name of a Keras activation."""
    try:
        keras.activations.get(activation)
    except ValueError:
        raise ZooError(
            f"{name} is {shown(activation)}; expected the name of a Keras activation, such as relu"
        ) from None
