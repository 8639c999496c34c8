r"""Convolutional activity recognizer: depthwise separable convolutions over the rows of a window.

The input rows n_t are those of `zoo.models.recognizer`. Each of B blocks halves the number of rows:

    u_t = sum_j D_j * a_(2t+j)          depthwise: one filter of length k per channel, stride 2; at first, a_t = n_t
    a_t = relu(u_t W + b)               pointwise: F filters over all channels; B blocks in turn
    logits = mean_t(a_t) W_y + b_y      K classes

The network has no recurrent state: a continuous signal is recognized in sliding windows. Since it has no loop either,
it can be quantized fully to 8-bit integers.

Number of parameters, where C includes the magnitude and I is the number of inputs of a block (C, then F):

    each block: k I + I F + F           last layer: (F + 1) K

Source: Howard et al., MobileNets: efficient convolutional neural networks for mobile vision applications, 2017,
arXiv:1704.04861, in one dimension.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np

from zoo.errors import ZooError
from zoo.models.layers import Dropout
from zoo.models.model import Depth, Size
from zoo.models.recognizer import ActivityRecognizer, Rate, Window
from zoo.recipe import Fraction, Positive, Seed
from zoo.runtime.metadata import AXES, CLASSES


@keras.saving.register_keras_serializable(package="zoo")
class ActivityCNN(ActivityRecognizer):
    """Activity recognizer with depthwise separable convolutions.

    Args:
        filters: F, number of filters of each block, 1 or more.
        kernel_size: k, length of the filters in rows, 1 or more.
        num_blocks: B, number of blocks, each of which halves the number of rows. Windows need at least 2^B rows.
        dropout: Dropout rate of the pooled features, in [0, 1).
        classes: Labels, or their number. This and all other arguments are those of `ActivityRecognizer`.

    Raises:
        ZooError: If an argument is out of range.

    Example:
        >>> ActivityCNN()(np.zeros((2, 150, 3), "float32")).shape
        TensorShape([2, 6])
        >>> ActivityCNN().count_params()
        8865
    """

    # XLA has no fast depthwise convolution for CPUs: a step would take ten times as long.
    fast_with_xla: ClassVar[bool] = False

    def __init__(
        self,
        filters: Size = 48,
        kernel_size: Size = 9,
        num_blocks: Depth = 4,
        dropout: Fraction = 0.0,
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
        filters, kernel_size, num_blocks, dropout = self.checked(
            filters=filters, kernel_size=kernel_size, num_blocks=num_blocks, dropout=dropout
        )

        def network(x: Any, labels: int) -> Any:
            if x.shape[1] < 2**num_blocks:
                raise ZooError(f"window {window}: {num_blocks} blocks need {2**num_blocks} rows or more")
            draw = iter(np.random.SeedSequence(seed).generate_state(3 * num_blocks + 2).tolist())

            def glorot() -> keras.initializers.Initializer:
                return keras.initializers.GlorotUniform(seed=next(draw))

            for number in range(1, num_blocks + 1):
                x = keras.layers.SeparableConv1D(
                    filters, kernel_size, strides=2, padding="same", activation="relu", dtype=dtype,
                    depthwise_initializer=glorot(), pointwise_initializer=glorot(), name=f"block_{number}",
                )(x)  # fmt: skip
            x = keras.layers.GlobalAveragePooling1D(dtype=dtype, name="mean")(x)
            if dropout:
                x = Dropout(dropout, seed=next(draw), dtype=dtype, name="dropout")(x)
            return keras.layers.Dense(labels, kernel_initializer=glorot(), dtype=dtype, name="logits")(x)

        super().__init__(
            network, classes=classes, window=window, rate=rate, channels=channels, magnitude=magnitude, mean=mean,
            variance=variance, temperature=temperature, prior=prior, threshold=threshold, carry_state=carry_state,
            provenance=provenance, seed=seed, dtype=dtype, name=name,
        )  # fmt: skip
        self.filters, self.kernel_size, self.num_blocks, self.dropout = filters, kernel_size, num_blocks, dropout

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return {
            "filters": self.filters, "kernel_size": self.kernel_size, "num_blocks": self.num_blocks,
            "dropout": self.dropout, **super().get_config(),
        }  # fmt: skip
