r"""Activity recognizers around any Keras network.

    n_t = (x_t - mean) / sqrt(variance)      per channel, as in `zoo.models.recognizer`
    h = body(n)                              whatever Keras can say
    logits = h W_y + b_y                     the last dense layer of the network

A network of one's own maps windows `(batch, window, channels)` to logits, or to probabilities. `divided` finds its last
dense layer, so that it is calibrated, fine-tuned and trained on a phone as that of any other recognizer; a softmax
after it is left to the calibration. A network that ends in another way is a body as a whole, and the dense layer after
it is the identity at first, of the logarithm of probabilities.

One of recurrent layers, with layers between them that treat each row by itself, also runs step by step, by the cells of
these layers. Of any other it is not known what it keeps between windows: a continuous signal is recognized in sliding
windows.
"""

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.models.model import is_graph, set_weights
from zoo.models.recognizer import ActivityRecognizer, Rate, SteppedRecognizer, Window, read
from zoo.recipe import Fraction, Positive, Seed
from zoo.runtime.metadata import AXES, CLASSES, STANDARD_GRAVITY, plain, were_in_g

_LEAST = 1e-30
"""Least probability whose logarithm is taken."""
_DIFFERENT = 1e-4
"""Largest relative difference of an answer that is the same."""
_ROUGH = 0.05
"""The same in mixed precision."""
_OTHERS = re.compile('"((mixed_)?b?float16|float64)"')
"""The policies of layers that do not compute in float32."""


@keras.saving.register_keras_serializable(package="zoo")
class ActivityNetwork(SteppedRecognizer):
    """Activity recognizer around a Keras network of one's own; `zoo.adopt` makes one of a trained network.

    Args:
        network: Keras model from windows `(batch, window, channels)` to logits or probabilities `(batch, classes)`, or
            its configuration as Keras serializes it. Weights of a model are copied. By default a small convolutional
            network.
        classes: Labels, or their number. This and all other arguments are those of `ActivityRecognizer`.

    Raises:
        ZooError: If an argument is out of range, or if the network cannot be rebuilt or has another shape.

    Example:
        >>> layers = [keras.layers.Conv1D(8, 5, activation="relu"), keras.layers.GlobalMaxPooling1D()]
        >>> own = keras.Sequential([keras.Input((128, 6)), *layers, keras.layers.Dense(3, activation="softmax")])
        >>> ActivityNetwork(own, classes=("lie", "sit", "walk"), window=128, channels=6)(np.zeros((2, 128, 6))).shape
        TensorShape([2, 3])
    """

    # It may have anything in it.
    fast_with_xla: ClassVar[bool] = False

    def __init__(
        self,
        network: Any = None,
        *,
        classes: int | Sequence[str] = CLASSES,
        window: Window = 150,
        rate: Rate = 50.0,
        channels: int | Sequence[str] = AXES,
        mean: Sequence[float] | None = None,
        variance: Sequence[float] | None = None,
        temperature: Positive = 1.0,
        prior: Mapping[str, float] | None = None,
        threshold: Fraction | None = None,
        provenance: Mapping[str, Any] | None = None,
        seed: Seed = 0,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        config: dict[str, Any] = {}

        def whole(x: Any, labels: int) -> Any:
            nonlocal config
            with seeded(seed):
                given = usual(x.shape[1], x.shape[2], labels) if network is None else network
                if isinstance(given, keras.Model):
                    built(given, x.shape[1:])
                config = config_of(given)
                if dtype == "float32":
                    config = json.loads(_OTHERS.sub('"float32"', json.dumps(config)))
                body, last = divided(_rebuilt(config, x.shape[1:]))
                own = {"units": labels, "activation": None, "dtype": dtype, "name": "logits"}
                logits = keras.layers.Dense(**(last.get_config() if last else {}) | own)
            outputs = logits(body(x))
            if isinstance(given, keras.Model):
                trained, last = divided(given)
                set_weights(body, trained.get_weights())
            size = body.output_shape[-1]
            head = last.get_weights() if last else [np.eye(size), np.zeros(size)]
            if [part.shape for part in head] == [part.shape for part in logits.get_weights()]:
                logits.set_weights(head)
            return outputs

        super().__init__(
            whole, classes=classes, window=window, rate=rate, channels=channels, mean=mean, variance=variance,
            temperature=temperature, prior=prior, threshold=threshold, provenance=provenance, seed=seed, dtype=dtype,
            name=name,
        )  # fmt: skip
        self.network = config

    @property
    def states(self) -> dict[str, int]:
        """Names and sizes of the states of recurrent layers, `h_1` and so on; empty if it reads whole windows alone."""
        return {name: size for _, states in chain(self.get_layer("network")) for name, size in states.items()}

    def _advance(self, x: Any, states: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        layers, last = chain(self.get_layer("network")), dict[str, Any]()
        for layer, own in layers:
            if own:
                x, new = layer.cell(x, [states[name] for name in own], training=False)
                last |= dict(zip(own, new if isinstance(new, list | tuple) else [new], strict=True))
            elif len(last) < len(states):
                # Before the last recurrent layer, it reads the rows of a window.
                x = layer(x[:, None], training=False)[:, 0]
            else:
                x = layer(x, training=False)
        return self.get_layer("logits")(x), last

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        others = {"magnitude", "carry_state"}
        return {"network": plain(self.network)} | {
            key: value for key, value in super().get_config().items() if key not in others
        }


def adopt(
    network: Any, classes: Sequence[str], rate: float, window: int | None, *, in_g: bool, name: str | None
) -> ActivityNetwork:
    """A recognizer that answers what a trained network does; arguments are those of `zoo.adopt`."""
    config_of(network)
    if len(classes) == 1:
        raise ZooError(f"classes is {classes[0]!r} alone; expected two labels or more, one for each output")
    shape = shape_of(network)
    if len(shape) != 3 or shape[2] is None or (window or shape[1]) is None:
        raise ZooError(
            f"network reads {shape or 'inputs of a shape that it does not state'}; expected windows (batch, window, "
            "channels): call it on a batch of windows once, and pass window=ROWS if it reads any number of rows"
        )
    own = _adapted(network)
    if not in_g and own is not None and were_in_g(*(np.ravel(part).tolist() for part in (own.mean, own.variance))):
        raise ZooError(f"network: its {own.name} was adapted to acceleration in g: adopt it with unit='g'")
    calibration = dict[str, Any]()
    if isinstance(network, ActivityRecognizer):
        if in_g or rate != network.rate or network.prior is not None:
            raise ZooError(
                f"network is a recognizer of the zoo for m/s^2 at {network.rate:g} Hz: use it as it is, or pass "
                f"rate={network.rate:g}, no unit, and network.copy(prior=None) if it has a prior"
            )
        calibration = {"temperature": network.temperature, "threshold": network.threshold}
    rows, channels = window or shape[1], shape[2]
    # By these variances, m/s^2 become g; rotation stays.
    variance = (STANDARD_GRAVITY**2,) * len(AXES) + (1.0,) * (channels - len(AXES))
    statistics = {"mean": (0.0,) * channels, "variance": variance} if in_g else {}
    adopted = ActivityNetwork(
        network, classes=classes, window=rows, rate=rate, channels=channels, name=name or network.name,
        **statistics, **calibration,
    )  # fmt: skip
    require_same(network, adopted)
    return adopted


def require_same(network: keras.Model, model: ActivityNetwork) -> None:
    """Refuses a network that has not an answer for each label, or of which the recognizer answers otherwise."""
    windows = np.random.default_rng(0).normal(0, 5, (8, model.window, len(model.channels))).astype(np.float32)
    rows = read({layer.name: layer for layer in model.layers}, windows)
    wanted = network(rows, training=False)
    expected = (len(windows), len(model.classes))
    if (found := getattr(wanted, "shape", type(wanted).__name__)) != expected:
        raise ZooError(f"network returns {found} for 8 windows; expected {expected}, by labels")
    wanted, again = (np.asarray(answers) for answers in (wanted, network(rows, training=False)))
    are_probabilities = _are_probabilities(network, rows)
    if not are_probabilities and divided(network)[1] is None and _squashes(model.get_layer("network"), windows):
        raise ZooError("network ends in a sigmoid, whose answers are no logits: end it in a softmax, or in logits")
    answers = model(windows, training=False)
    answers = np.asarray(keras.ops.softmax(answers) if are_probabilities else answers)
    if found := _differs(again, wanted, "the second time"):
        raise ZooError(f"network: {found}: a layer draws random numbers")
    if found := _differs(answers, wanted, "when it is built again from its configuration"):
        raise ZooError(
            f"network: {found}: state in get_config all that it computes with, or write it as keras.Model(inputs, "
            "outputs)"
        )


def _squashes(body: keras.Model, windows: NDArray[np.float32]) -> bool:
    """Whether all answers lie in [0, 1], also with weights and windows of another sign and size."""
    answers = []
    # Powers of two, of which the second undoes the first to the bit.
    for scale in (-8.0, -0.125):
        for weight in body.trainable_variables:
            weight.assign(scale * weight)
        answers.append(np.asarray(body(scale * windows, training=False)))
    return bool(np.any(answers) and np.min(answers) >= 0 and np.max(answers) <= 1)


def _differs(answers: NDArray[Any], wanted: NDArray[Any], how: str) -> str:
    """Says by how much answers differ from others; empty if they are the same."""
    coarse = min(answers.dtype.itemsize, wanted.dtype.itemsize)
    limit = (_DIFFERENT if coarse > 2 else _ROUGH) * max(1.0, float(np.abs(wanted).max()))
    answers, wanted = answers.astype(np.float32), wanted.astype(np.float32)
    if np.allclose(answers, wanted, atol=limit, equal_nan=True):
        return ""
    return f"another answer {how}, by {np.abs(answers - wanted).max():.2g}"


def soundness(model: ActivityNetwork) -> dict[str, str]:
    """What a network must promise before its first training step, each with what is wrong; empty where nothing is."""
    windows = np.random.default_rng(0).normal(0, 5, (8, model.window, len(model.channels))).astype(np.float32)
    together, again, rest = (np.asarray(model(x, training=False)) for x in (windows, windows, np.zeros_like(windows)))
    alone = np.concatenate([model(window[None], training=False) for window in windows])
    zeros = {name: np.zeros((len(windows), size), np.float32) for name, size in model.states.items()}
    stepped = np.asarray(model.chunk(windows, zeros)[0])[:, -1] if zeros else together
    weights, before = model.trainable_variables, [variable.numpy() for variable in model.variables]
    learned = list[Any]()
    for _ in range(2):
        with tf.GradientTape() as tape:
            learned.append(model(windows, training=True))
            loss = model.default_loss()(np.arange(len(windows)) % len(model.classes), learned[-1])
        # A BatchNormalization has learned of these windows, and a generator of random numbers has gone on.
        for variable, value in zip(model.variables, before, strict=True):
            variable.assign(value)
    slopes = zip(weights, tape.gradient(loss, weights), strict=True)
    untrained = next((weight.path for weight, slope in slopes if slope is None), "")
    pairs = ((again, together, "the second time"), (alone, together, "alone"), (*learned, "in training with one seed"))
    found = next(filter(None, (_differs(np.asarray(x), np.asarray(y), how) for x, y, how in pairs)), "")
    not_finite = next((kind for kind, answers in (("random windows", together), ("a phone at rest", rest))
                       if not np.isfinite(answers).all()), "")  # fmt: skip
    return {
        "the same answers alone, in a batch, and again": found and f"{found}: a layer draws random numbers without a "
        "keras.random.SeedGenerator, or mixes the windows of a batch",
        "finite answers": not_finite and f"NaN or infinity for {not_finite}",
        **({"the same answers row by row, as in a stream": _differs(stepped, together, "row by row")} if zeros else {}),
        "a gradient for each weight": untrained and f"{untrained} has none, so it would never be trained",
    }  # fmt: skip


def require_sound(model: ActivityNetwork) -> None:
    """Refuses a network that breaks a promise, before it is trained."""
    for promise, fault in soundness(model).items():
        if fault:
            raise ZooError(f"{model.name}: expected {promise}: {fault}; see `zoo check`")
    if model.mean is not None and (own := _adapted(model.get_layer("network"))):
        raise ZooError(f"{model.name}: its {own.name} normalizes again: leave it out, or set normalize to False")


def _adapted(network: keras.Model) -> keras.layers.Normalization | None:
    """The first layer that normalizes by statistics of its own; None if there is none but of 0 and 1."""
    parts = (part for part in network._flatten_layers() if isinstance(part, keras.layers.Normalization))
    return next((part for part in parts if np.any(part.mean) or np.any(np.asarray(part.variance) != 1)), None)


def usual(window: int, channels: int, classes: int) -> keras.Model:
    """The network where none is given: two convolutions over time, and the mean of their outputs."""
    return keras.Sequential([
        keras.Input((window, channels)),
        keras.layers.Conv1D(24, 9, 2, padding="same", activation="relu", name="conv_1"),
        keras.layers.Conv1D(48, 9, 2, padding="same", activation="relu", name="conv_2"),
        keras.layers.GlobalAveragePooling1D(name="mean"),
        keras.layers.Dense(classes, name="classes"),
    ])  # fmt: skip


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Makes initializers without a seed of their own repeat: Keras draws from Python's generator; NumPy's, too."""
    states = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])


def divided(network: keras.Model) -> tuple[keras.Model, keras.layers.Dense | None]:
    """The body of a network, and the dense layer that follows it; None if it ends in another way."""
    output = network.outputs[0] if is_graph(network) else None
    while output is not None:
        layer, read_from = _made_by(output)
        inputs: Any = next(iter(read_from), None)
        activation = getattr(layer, "activation", None)
        is_softmax = isinstance(layer, keras.layers.Softmax) or activation is keras.activations.softmax
        # A class of a user's own may compute something else.
        if type(layer) is keras.layers.Dense and (is_softmax or activation is keras.activations.linear):
            if len(inputs.shape) != 2:
                break
            return keras.Model(network.inputs, inputs, name="network"), layer
        output = inputs if is_softmax else None
    inputs = keras.Input(shape_of(network)[1:])
    outputs = network(inputs)
    rows = np.random.default_rng(0).normal(0, 5, (8, *shape_of(network)[1:])).astype(np.float32)
    if _are_probabilities(network, rows):
        outputs = keras.ops.log(keras.ops.maximum(outputs, _LEAST))
    return keras.Model(inputs, outputs, name="network"), None


_CELLS = (keras.layers.SimpleRNN, keras.layers.LSTM, keras.layers.GRU)
_ROW_BY_ROW = (
    keras.layers.Normalization, keras.layers.BatchNormalization, keras.layers.LayerNormalization,
    keras.layers.Rescaling, keras.layers.Dense, keras.layers.Activation, keras.layers.ReLU, keras.layers.LeakyReLU,
    keras.layers.ELU, keras.layers.Dropout, keras.layers.SpatialDropout1D, keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
)  # fmt: skip
"""Layers that make of each row what they would make of it in a window, if they normalize by channel."""


def chain(body: keras.Model) -> list[tuple[Any, dict[str, int]]]:
    """The layers of a network that can run row by row, each with its states; empty if it cannot.

    Recurrent layers read one row after another from the start of a window, and the last one answers at its end.
    """
    layers, tensor = list[Any](), body.outputs[0]
    while tensor is not None:
        state, (layer, inputs) = tensor._keras_history.tensor_index, _made_by(tensor)
        # A network may read the states of a cell, or say from which it starts.
        if state or len(inputs) > 1:
            return []
        layers.insert(0, layer)
        tensor = next(iter(inputs), None)
    cells = [layer for layer in layers if type(layer) in _CELLS]
    if len(layers) != len(body.layers) or not cells or not isinstance(layers.pop(0), keras.layers.InputLayer):
        return []
    for layer in layers:
        of_channels = np.isin(np.atleast_1d(getattr(layer, "axis", -1)), (-1, 2)).all()
        # A function of a user's own, or a number for each row, may tell one row from another.
        activation = getattr(getattr(layer, "activation", None), "__module__", "keras.")
        of_time = max(np.ndim(getattr(layer, name, 0)) for name in ("scale", "offset")) > 1
        of_rows = type(layer) in _ROW_BY_ROW and of_channels and activation.startswith("keras.") and not of_time
        in_order = type(layer) in _CELLS and not layer.go_backwards and not layer.stateful
        if not (of_rows or (in_order and layer.return_sequences == (layer is not cells[-1]))):
            return []
    found = []
    for layer in layers:
        number = cells.index(layer) + 1 if layer in cells else 0
        sizes = np.atleast_1d(layer.cell.state_size).tolist() if number else []
        found.append((layer, {f"{name}_{number}": size for name, size in zip("hc", sizes, strict=False)}))
    return found


def _made_by(tensor: Any) -> tuple[Any, list[Any]]:
    """The layer that makes a tensor of a graph, and the tensors that it reads."""
    layer, node, _ = tensor._keras_history
    return layer, layer._inbound_nodes[node].input_tensors if layer._inbound_nodes else []


def _are_probabilities(network: keras.Model, rows: NDArray[np.float32]) -> bool:
    """Whether answers sum to one, of small windows as well: where a sigmoid saturates, it may do so."""
    answers = np.concatenate([network(scale * rows, training=False) for scale in (1.0, 0.1, 0.01)])
    return bool((answers >= 0).all() and np.allclose(answers.sum(axis=1), 1, atol=1e-3))


def built(network: keras.Model, shape: Sequence[int]) -> keras.Model:
    """The network, which is built for windows of a shape if it does not state that of its inputs."""
    if not network.built:
        network(keras.Input(tuple(shape)))
    return network


def config_of(network: Any) -> dict[str, Any]:
    """What Keras rebuilds a network from."""
    if isinstance(network, Mapping):
        return dict(network)
    if not isinstance(network, keras.Model):
        raise ZooError(f"network is of the type {type(network).__name__}; expected a Keras model")
    if kept := next((part.name for part in network._flatten_layers() if getattr(part, "stateful", False)), None):
        raise ZooError(f"network: its {kept} keeps states from one window to the next: build it without stateful=True")
    try:
        return dict(plain(keras.saving.serialize_keras_object(network)))
    except NotImplementedError:
        raise ZooError(
            f"network: {type(network).__name__} has no get_config, so that nobody can build it again: give it one, or "
            "write it as keras.Sequential or keras.Model(inputs, outputs)"
        ) from None


def shape_of(network: keras.Model) -> tuple[Any, ...]:
    """The shape of its inputs, that of the first ones if it has a `call` of its own; empty if it was never called."""
    called = (network.get_build_config() or {}).get("input_shape")
    return tuple((network.input_shape if getattr(network, "inputs", None) else called) or ())


def _rebuilt(config: Mapping[str, Any], shape: Sequence[int]) -> keras.Model:
    """A network from its configuration, with new weights, for windows of a shape."""
    try:
        # Keras empties the configuration of a functional model as it reads it.
        network = keras.saving.deserialize_keras_object(deepcopy(dict(config)))
    except Exception as error:
        cause: BaseException = error
        while cause.__context__ is not None:
            cause = cause.__context__
        # What Keras says of a class that it does not know goes on with the whole configuration.
        reason = (str(cause).strip() or type(cause).__name__).splitlines()[0].partition(". ")[0][:300]
        reason = "a Lambda layer is code, which no file may hold" if "Lambda" in reason else reason
        raise ZooError(
            f"network: {config.get('class_name')} cannot be built from its configuration ({reason}): register its "
            "classes with keras.saving.register_keras_serializable, and name their file by --code FILE (in Python, "
            "import it); replace Lambda by layers"
        ) from error
    built(network, shape)
    for name, what in (("inputs", "of windows"), ("outputs", "by labels")):
        if (count := len(getattr(network, name) if is_graph(network) else [0])) != 1:
            raise ZooError(f"network has {count} {name}; expected one, {what}")
    if (found := shape_of(network)[1:]) not in (tuple(shape), (None, *shape[1:])):
        raise ZooError(f"network reads windows of shape {found}; expected {tuple(shape)}")
    return network
