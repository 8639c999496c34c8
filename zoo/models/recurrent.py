r"""Recurrent activity recognizers: SimpleRNN, LSTM and GRU.

The input rows n_t are those of `zoo.models.recognizer`. Each step reads F rows, a frame:

    v_s = phi([n_(sF) ... n_(sF+F-1)] W_v + b_v)   frame > 1: F rows become V features; frame = 1: v_s = n_s
    h_s = cell(x, h_(s-1)),  h_(-1) = 0            s = 0 ... S - 1, S = T/F; each layer has H units, and reads
                                                   x = v_s or the h_s of the layer below
    logits = h_(S-1) W_y + b_y                     from the last state of the last layer, K classes

Cells: the new states h' and c' from x and the old states h and c, which start at 0 (sigma is the logistic function, *
the elementwise product):

    SimpleRNN   h' = tanh(x W + h U + b)
    LSTM        i = sigma(x W_i + h U_i + b_i)   f = sigma(x W_f + h U_f + b_f)   o = sigma(x W_o + h U_o + b_o)
                c' = f * c + i * tanh(x W_c + h U_c + b_c)                        h' = o * tanh(c')
    GRU         z = sigma(x W_z + h U_z + b_z)   r = sigma(x W_r + h U_r + b_r)
                h~ = tanh(x W_h + (r * h) U_h + b_h)                              h' = z * h + (1 - z) * h~

The GRU applies its reset gate before the matrix product, and z weights the old state. With `frame=1`, one layer and no
input statistics, these are the networks of the course.

On a device the same weights run step by step: `step` reads one frame and the states h_(s-1) (and c_(s-1)), and returns
the logits of h_s and the new states. `chunk` does so for several consecutive frames.

Number of parameters, with G = 1, 4, 3 gates for SimpleRNN, LSTM, GRU, where C includes the magnitude and I is the
number of inputs of a layer (V or C, then H):

    frame > 1: (F C + 1) V      each layer: G (I + H + 1) H      last layer: (H + 1) K

The input statistics are constants and do not count.

Sources: Elman, Finding structure in time, 1990. Hochreiter and Schmidhuber, Long short-term memory, 1997. Cho et al.,
Learning phrase representations using RNN encoder-decoder, 2014, arXiv:1406.1078v1.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import keras
import numpy as np

from zoo.errors import ZooError
from zoo.models.layers import Dropout, SimpleRNN
from zoo.models.model import Depth, Size, check_activation
from zoo.models.recognizer import Rate, SteppedRecognizer, Window
from zoo.recipe import Fraction, Positive, Seed
from zoo.runtime.metadata import AXES, CLASSES


class RecurrentRecognizer(SteppedRecognizer):
    """Recurrent activity recognizer, the base class of `ActivityRNN`, `ActivityLSTM` and `ActivityGRU`.

    Args:
        units: H, number of units of each recurrent layer, 1 or more.
        num_layers: Number of recurrent layers, 1 or more.
        frame: F, number of rows read in one step. Must divide `window`.
        frame_units: V, number of features computed from a frame. `units` by default. Unused with `frame=1`.
        frame_activation: phi, name of a Keras activation. Linear by default. Unused with `frame=1`.
        dropout: Dropout rate of the output of each recurrent layer, in [0, 1).
        initializer: `keras` (Glorot kernels, orthogonal recurrent kernels, zero biases, 1 for the forget gate of an
            LSTM) or `course` (all weights uniform, as in the course).
        classes: Labels, or their number. This and all other arguments are those of `ActivityRecognizer`.

    Raises:
        ZooError: If an argument is out of range.

    Example:
        >>> ActivityGRU(units=32)(np.zeros((2, 150, 3), "float32")).shape
        TensorShape([2, 6])
    """

    gates: ClassVar[int]
    state_names: ClassVar[tuple[str, ...]] = ("h",)
    cell: ClassVar[type[keras.layers.Layer]]
    cell_options: ClassVar[dict[str, Any]] = {}
    course_biases: ClassVar[bool] = True
    """Whether the course draws biases too, or starts them at zero."""

    def __init__(
        self,
        units: Size = 32,
        num_layers: Depth = 1,
        frame: Size = 1,
        frame_units: Size | None = None,
        frame_activation: str | None = None,
        dropout: Fraction = 0.0,
        initializer: Literal["keras", "course"] = "keras",
        *,
        classes: int | Sequence[str] = CLASSES,
        window: Window = 150,
        rate: Rate = 50.0,
        channels: int | Sequence[str] = AXES,
        magnitude: bool = False,
        mean: Sequence[float] | None = None,
        variance: Sequence[float] | None = None,
        temperature: Positive = 1.0,
        prior: Mapping[str, float] | None = None,
        threshold: Fraction | None = None,
        carry_state: bool = False,
        provenance: Mapping[str, Any] | None = None,
        seed: Seed = 0,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        units, num_layers, frame, frame_units, dropout, initializer = self.checked(
            units=units, num_layers=num_layers, frame=frame, frame_units=frame_units, dropout=dropout,
            initializer=initializer,
        )  # fmt: skip
        check_activation("frame_activation", frame_activation)

        def network(x: Any, labels: int) -> Any:
            if x.shape[1] % frame:
                raise ZooError(f"window {window} is not a multiple of frame {frame}: choose a frame that divides it")
            # Each weight and each dropout has a seed of its own, so that a further layer leaves those before it alone.
            draw = iter(np.random.SeedSequence(seed).generate_state(8 * num_layers + 8).tolist())
            axes = x.shape[-1] - magnitude
            if frame > 1:
                x = keras.layers.Conv1D(
                    frame_units or units, frame, strides=frame, activation=frame_activation, dtype=dtype,
                    kernel_initializer=keras.initializers.GlorotUniform(seed=next(draw)), name="frame",
                )(x)  # fmt: skip
            for number in range(1, num_layers + 1):
                start = self._start(initializer, draw, x.shape[-1], units)
                start |= {"return_sequences": number < num_layers, "dtype": dtype, "name": f"cell_{number}"}
                x = self.cell(units, **start, **self.cell_options)(x)
                x = Dropout(dropout, seed=next(draw), dtype=dtype, name=f"dropout_{number}")(x) if dropout else x
            # The course drew the last layer of its LSTM with the limit of the cells.
            fans = axes + 2 * units if initializer == "course" and self.gates == 4 else units + labels
            last = self._course(draw, fans, biases=initializer == "course")
            return keras.layers.Dense(labels, dtype=dtype, name="logits", **last)(x)

        super().__init__(
            network, classes=classes, window=window, rate=rate, channels=channels, magnitude=magnitude, mean=mean,
            variance=variance, temperature=temperature, prior=prior, threshold=threshold, carry_state=carry_state,
            provenance=provenance, seed=seed, dtype=dtype, name=name,
        )  # fmt: skip
        self.units, self.num_layers, self.frame, self.frame_units = units, num_layers, frame, frame_units
        self.frame_activation, self.dropout, self.initializer = frame_activation, dropout, initializer

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return {
            "units": self.units, "num_layers": self.num_layers, "frame": self.frame, "frame_units": self.frame_units,
            "frame_activation": self.frame_activation, "dropout": self.dropout, "initializer": self.initializer,
            **super().get_config(),
        }  # fmt: skip

    @property
    def states(self) -> dict[str, int]:
        """Names and sizes of the states of all layers: `h_1`, `h_2` and so on; an LSTM also has `c_1`, `c_2` and so on.

        Example:
            >>> ActivityLSTM(units=8).states
            {'h_1': 8, 'c_1': 8}
        """
        numbers = range(1, self.num_layers + 1)
        return {f"{name}_{number}": self.units for number in numbers for name in self.state_names}

    def _advance(self, x: Any, states: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Runs one step of all cells on the input of the first one, `(batch, V)`."""
        last: dict[str, Any] = {}
        for number in range(1, self.num_layers + 1):
            names = [f"{name}_{number}" for name in self.state_names]
            x, new = self.get_layer(f"cell_{number}").cell(x, [states[name] for name in names], training=False)
            last |= dict(zip(names, new if isinstance(new, list | tuple) else [new], strict=True))
        return self.get_layer("logits")(x), last

    @classmethod
    def _start(cls, initializer: str, draw: Iterator[int], inputs: int, units: int) -> dict[str, Any]:
        """The initializers of a recurrent layer."""
        if initializer == "keras":
            return {
                "kernel_initializer": keras.initializers.GlorotUniform(seed=next(draw)),
                "recurrent_initializer": keras.initializers.Orthogonal(seed=next(draw)),
            }
        if cls.gates == 4:
            # In the LSTM of the course, one matrix acts on [h, x], and no forget gate starts at 1.
            return cls._course(draw, inputs + 2 * units, inputs + 2 * units) | {"unit_forget_bias": False}
        return cls._course(draw, inputs + units, 2 * units)

    @classmethod
    def _course(
        cls, draw: Iterator[int], kernel: int, recurrent: int | None = None, biases: bool = True
    ) -> dict[str, Any]:
        """Initializers of the course, uniform within Glorot's limits for these sums of inputs and outputs."""
        # The course draws the matrix of each gate separately, so a limit counts the units of one gate; the Glorot
        # initializer of Keras would count those of all gates.
        fans = {"kernel": kernel, "recurrent": recurrent, "bias": kernel if cls.course_biases and biases else None}
        limits = {name: float(np.sqrt(6 / count)) for name, count in fans.items() if count is not None}
        return {
            f"{name}_initializer": keras.initializers.RandomUniform(-limit, limit, seed=next(draw))
            for name, limit in limits.items()
        }


@keras.saving.register_keras_serializable(package="zoo")
class ActivityRNN(RecurrentRecognizer):
    """Activity recognizer with SimpleRNN cells. Takes the arguments of `RecurrentRecognizer`.

    Example:
        >>> ActivityRNN(units=128).count_params()
        17670
    """

    gates = 1
    cell = SimpleRNN


@keras.saving.register_keras_serializable(package="zoo")
class ActivityLSTM(RecurrentRecognizer):
    """Activity recognizer with LSTM cells. Takes the arguments of `RecurrentRecognizer`.

    Example:
        >>> ActivityLSTM(units=64).count_params()
        17798
    """

    gates = 4
    state_names = ("h", "c")
    cell = keras.layers.LSTM


@keras.saving.register_keras_serializable(package="zoo")
class ActivityGRU(RecurrentRecognizer):
    """Activity recognizer with GRU cells. Takes the arguments of `RecurrentRecognizer`.

    Example:
        >>> ActivityGRU(units=40, num_layers=2, frame=5).count_params()
        20326
    """

    gates = 3
    cell = keras.layers.GRU
    course_biases = False
    cell_options: ClassVar[dict[str, Any]] = {"reset_after": False}
