"""What all families share: arguments that are attributes and configuration, a default loss, and saved folders."""

import contextlib
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import keras

from zoo.catalog import find_folder, unknown_name
from zoo.errors import ZooError
from zoo.families import register_with_keras
from zoo.files import atomic_write, write_json


class Model(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A thin class over a functional graph: a `keras.Model` in every way.

    Each argument of a constructor is an attribute of the model and a key of its configuration.

    Example:
        >>> import tempfile
        >>> from zoo import ActivityGRU, Model
        >>> folder = tempfile.mkdtemp()
        >>> ActivityGRU(units=8, classes=("walk", "run")).save_to_preset(folder)
        >>> Model.from_preset(folder).classes
        ('walk', 'run')
    """

    seed: int

    def __init__(self, inputs: Any, outputs: Any, arguments: Mapping[str, Any]) -> None:
        """Makes the model of a graph.

        Args:
            inputs: What the graph reads.
            outputs: What it returns.
            arguments: All arguments of the family's constructor, checked.
        """
        super().__init__(inputs=inputs, outputs=outputs, name=arguments["name"])
        self._arguments = tuple(name for name in arguments if name not in ("name", "dtype"))
        for name in self._arguments:
            setattr(self, name, arguments[name])
        if arguments["dtype"] is not None:
            self.dtype_policy = keras.dtype_policies.get(arguments["dtype"])

    @classmethod
    def argument_names(cls) -> list[str]:
        """Names of the constructor's arguments."""
        return [name for name in inspect.signature(cls.__init__).parameters if name not in ("self", "facts")]

    @classmethod
    def check_names(cls, arguments: Mapping[str, Any]) -> None:
        """Refuses arguments that the constructor does not have.

        Raises:
            ZooError: Names the first one, and the nearest that exists.
        """
        known = cls.argument_names()
        for name in arguments:
            if name not in known:
                raise unknown_name(f"argument of {cls.__name__}", name, known)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, and which layers are frozen or quantized, where any are."""
        config = {name: _plain(getattr(self, name)) for name in self._arguments} | {"name": self.name}
        policy = keras.dtype_policies.serialize(self.dtype_policy)
        if self.dtype_policy.name != "float32":
            config["dtype"] = policy if isinstance(policy, str) else self.dtype_policy.name
        frozen = [layer.name for layer in self.layers if layer.weights and not layer.trainable]
        quantized = {layer.name: layer.quantization_mode for layer in self.layers if layer.quantization_mode}
        return config | ({"frozen": frozen} if frozen else {}) | ({"quantized": quantized} if quantized else {})

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """The inverse of `get_config`.

        Raises:
            ZooError: If a key is not an argument of the constructor.
        """
        arguments = dict(config)
        frozen, quantized = arguments.pop("frozen", ()), arguments.pop("quantized", {})
        cls.check_names(arguments)
        model = cls(**arguments)
        for name, mode in quantized.items():
            model.get_layer(name).quantize(mode)
        for name in frozen:
            model.get_layer(name).trainable = False
        return model

    def copy(self, **changes: Any) -> Self:
        """The same model with other arguments; the weights of all layers that keep their shapes are taken over.

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
        """Copies weights to the layers of another model that have the same names and shapes."""
        mine = {layer.name: layer for layer in self.layers}
        for layer in other.layers:
            weights = mine[layer.name].get_weights() if layer.name in mine else []
            if weights and [w.shape for w in weights] == [w.shape for w in layer.get_weights()]:
                layer.set_weights(weights)

    def default_loss(self) -> keras.losses.Loss:
        """The loss of the family, on what the model returns."""
        raise NotImplementedError

    def default_metrics(self) -> list[keras.metrics.Metric]:
        """What the family is measured by in training."""
        raise NotImplementedError

    def compile(self, optimizer: Any = "adam", loss: Any = None, metrics: Any = None, **options: Any) -> None:
        """Compiles the model; without arguments with Adam and the family's own loss and metrics.

        Args:
            optimizer: As of `keras.Model.compile`.
            loss: The family's own by default, from what the model returns: logits, not probabilities.
            metrics: The family's own by default, where the loss is the family's own.
            **options: As of `keras.Model.compile`.
        """
        if loss is None:
            loss, metrics = self.default_loss(), self.default_metrics() if metrics is None else metrics
        super().compile(optimizer=optimizer, loss=loss, metrics=metrics, **options)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model as it was saved: Keras leaves that to whoever overrides `compile`."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    @classmethod
    def from_preset(cls, name_or_path: str | Path, **arguments: Any) -> Self:
        """Loads a model with its weights. Needs no network.

        Args:
            name_or_path: A preset such as `activity_gru_pocket`, a folder that `save_to_preset` or `zoo train` wrote,
                or a `.keras` file.
            **arguments: Other arguments of the constructor, such as `classes=("walk", "run")`. Layers whose shapes
                change start anew, but for what is known: the rows of equal labels.

        Returns:
            A model of the class that was saved, not compiled.

        Raises:
            ZooError: If there is no such preset, or it is of another class than this one.

        Example:
            >>> from zoo import Model
            >>> Model.from_preset("activity_gru_course", classes=("walking", "cycling")).output_shape
            (None, 2)
        """
        path = Path(name_or_path)
        file = path if path.suffix == ".keras" else find_folder(name_or_path) / "model.keras"
        model = load_file(file)
        if not isinstance(model, cls):
            raise ZooError(f"{file}: holds {type(model).__name__}; expected {cls.__name__}: use Model.from_preset")
        return model.copy(**arguments) if arguments else model

    def save_to_preset(self, folder: str | Path, **details: Any) -> None:
        """Writes the model with its weights and its configuration.

        Args:
            folder: Where to; made where it is missing.
            **details: Further entries of `config.json`, of JSON types.
        """
        folder = Path(folder)
        with atomic_write(folder / "model.keras") as temporary:
            self.save(temporary)
        write_json(folder / "config.json", {"class": type(self).__name__, "arguments": self.get_config()} | details)


def load_file(file: Path) -> Model:
    """Loads a `.keras` file of the zoo.

    Raises:
        ZooError: If it is missing, damaged, or of another kind; names the file.
    """
    if not file.is_file():
        raise ZooError(f"{file}: no such file")
    register_with_keras()
    try:
        model = keras.saving.load_model(file, compile=False)
    except Exception as error:
        # Whatever a damaged archive or its HDF5 part raises: zipfile, zlib, json, h5py and Keras have their own.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ZooError(f"{file}: cannot be read as a Keras model ({reason})") from error
    if not isinstance(model, Model):
        raise ZooError(f"{file}: holds {type(model).__name__}; expected a model of the zoo")
    return model


def _plain(value: Any) -> Any:
    """A value as JSON types."""
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value


@contextlib.contextmanager
def dtype_policy(dtype: Any) -> Iterator[None]:
    """Layers that the block makes have this policy; None leaves Keras's own."""
    before = keras.config.dtype_policy()
    if dtype is not None:
        keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def check_sizes(**sizes: Any) -> None:
    """Refuses what is not a whole number of 1 or more.

    Raises:
        ZooError: Names the argument.
    """
    for name, size in sizes.items():
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise ZooError(f"{name} is {size!r}; expected a whole number, 1 or more")


def check_rates(**rates: float) -> None:
    """Refuses rates of dropout outside [0, 1).

    Raises:
        ZooError: Names the argument.
    """
    for name, rate in rates.items():
        if not 0 <= rate < 1:
            raise ZooError(f"{name} is {rate:g}; expected 0 or more, below 1")


def check_activation(name: str, activation: str | None) -> None:
    """Refuses what is not the name of a Keras activation.

    Raises:
        ZooError: Names the argument.
    """
    try:
        keras.activations.get(activation)
    except ValueError:
        raise ZooError(f"{name} is {activation!r}; expected the name of a Keras activation, such as relu") from None
