r"""Sparse autoencoder with tied weights, for patches of natural images.

x is a batch of N preprocessed patches, (N, D), with D = 256 pixels in [0.1, 0.9].

    h = sigma(x W + b)          (N, H)      encoder
    y = sigma(h W^T + c)        (N, D)      decoder, the same W (D, H)

Cost, where d = x is the target and r_j the mean of h_j over the batch:

    J = 1/(2N) sum_i |d_i - y_i|^2  +  lambda |W|^2
        + beta sum_j [rho log(rho / r_j) + (1 - rho) log((1 - rho) / (1 - r_j))]

The second term is the course's lambda/2 (|W1|^2 + |W2|^2), where W1 = W and W2 = W^T. The first term is the compiled
loss `HalfSquaredError`; layers add the other two, so `evaluate` returns J.

Number of parameters: D H + H + D.

Initialization: W, b and c uniform in [-w, w], w = sqrt(6 / (D + H)).

Source: Ng, Sparse autoencoder, CS294A lecture notes, 2011. Tied weights and constants are those of the course.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import keras
import numpy as np
from annotated_types import Ge, Le

from zoo.errors import ZooError
from zoo.models.layers import KLSparsity, Target, TiedDense
from zoo.models.model import Model, Numbers, Size
from zoo.recipe import Amount, Seed
from zoo.runtime.metadata import plain


@keras.saving.register_keras_serializable(package="zoo")
class SparseAutoencoder(Model):
    """Sparse autoencoder: maps preprocessed patches `(batch, pixels)` to reconstructions `(batch, pixels)`.

    Args:
        hidden_units: H, number of hidden units, 1 or more.
        sparsity_target: rho, target for the mean activation of each hidden unit, in (0, 1).
        sparsity_weight: beta, factor of the sparsity penalty, 0 or more.
        weight_decay: lambda, factor of the L2 penalty, 0 or more.
        pixels: D, number of pixels of a patch, 1 or more.
        scale: Constants of the preprocessing, `(limit, low, high)`, as fitted by `zoo.patches.data.Scale`. None if
            unknown.
        provenance: Origin of the weights, as recorded in training: `source`, `simulated`, `license`, `data_sha256`,
            `held_out`.
        seed: Random seed of the initial weights.
        dtype: Keras dtype policy, such as `mixed_float16`. The global policy of Keras by default.
        name: Name of the model.

    Raises:
        ZooError: If an argument is out of range.

    Example:
        >>> SparseAutoencoder().count_params() == 256 * 64 + 64 + 256
        True
    """

    # Layers add the other two terms of J.
    loss_name: ClassVar[str] = "half_squared_error"

    def __init__(
        self,
        hidden_units: Size = 64,
        sparsity_target: Target = 0.04,
        sparsity_weight: Amount = 1.0,
        weight_decay: Amount = 5e-4,
        pixels: Annotated[int, Ge(1), Le(1 << 20)] = 256,
        scale: Numbers | None = None,
        provenance: Mapping[str, Any] | None = None,
        seed: Seed = 0,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        hidden_units, sparsity_target, sparsity_weight, weight_decay, pixels = self.checked(
            hidden_units=hidden_units, sparsity_target=sparsity_target, sparsity_weight=sparsity_weight,
            weight_decay=weight_decay, pixels=pixels,
        )  # fmt: skip
        scale, provenance, seed, dtype, name = self.checked(
            scale=scale, provenance=provenance, seed=seed, dtype=dtype, name=name
        )
        if math.isqrt(pixels) ** 2 != pixels:
            raise ZooError(f"pixels is {pixels}; expected a square, such as 256 for patches of 16 by 16")
        if scale is not None and not (len(scale) == 3 and scale[0] > 0 and scale[1] < scale[2]):
            raise ZooError(f"scale is {scale}; expected 3 numbers: a limit above 0, and low below high")
        limit = float(np.sqrt(6 / (pixels + hidden_units)))
        seeds = np.random.SeedSequence(seed).generate_state(3).tolist()
        kernel, bias, transposed = (keras.initializers.RandomUniform(-limit, limit, seed=s) for s in seeds)

        inputs = keras.Input((pixels,), name="patch")
        tied = TiedDense(
            hidden_units, "sigmoid", "sigmoid", kernel, bias, transposed,
            # lambda/2 of |W|^2, once for each direction.
            kernel_regularizer=keras.regularizers.L2(weight_decay), dtype=dtype, name="tied",
        )  # fmt: skip
        hidden = KLSparsity(sparsity_target, sparsity_weight, dtype=dtype, name="sparsity")(tied(inputs))
        outputs = tied(hidden, transpose=True)
        super().__init__(inputs, outputs, provenance=provenance, seed=seed, dtype=dtype, name=name)
        self.hidden_units, self.pixels, self.scale = hidden_units, pixels, scale
        self.sparsity_target, self.sparsity_weight, self.weight_decay = sparsity_target, sparsity_weight, weight_decay

    def get_config(self) -> dict[str, Any]:  # noqa: D102
        return {
            "hidden_units": self.hidden_units, "sparsity_target": self.sparsity_target,
            "sparsity_weight": self.sparsity_weight, "weight_decay": self.weight_decay, "pixels": self.pixels,
            "scale": plain(self.scale), **super().get_config(),
        }  # fmt: skip

    def encode(self, patches: Any) -> Any:
        """Maps preprocessed patches `(batch, pixels)` to codes `(batch, hidden_units)`."""
        return self.get_layer("tied")(patches)

    def decode(self, activations: Any) -> Any:
        """Maps codes `(batch, hidden_units)` to reconstructions `(batch, pixels)`."""
        return self.get_layer("tied")(activations, transpose=True)
