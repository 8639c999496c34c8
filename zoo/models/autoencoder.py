r"""A sparse autoencoder with tied weights, for patches of natural images.

x is a batch of N preprocessed patches, (N, D), D = 256 pixels in [0.1, 0.9].

    h = sigma(x W + b)          (N, H)      encoder
    y = sigma(h W^T + c)        (N, D)      decoder, the same W (D, H)

Cost, with d = x the wanted output and r_j the mean of h_j over the batch:

    J = 1/(2N) sum_i |d_i - y_i|^2  +  lambda/2 (|W1|^2 + |W2|^2)
        + beta sum_j [rho log(rho / r_j) + (1 - rho) log((1 - rho) / (1 - r_j))]

With W1 = W and W2 = W^T the second term is lambda |W|^2. The first is the compiled loss `HalfSquaredError`, the other
two are added by the layers, so `evaluate` gives J.

Parameters: D H + H + D.

Start: W, b and c uniform in [-w, w], w = sqrt(6 / (D + H)).

Source: Ng, Sparse autoencoder, CS294A lecture notes, 2011; the tied weights and the constants are the course's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from zoo.errors import ZooError
from zoo.layers import KLSparsity, TiedDense
from zoo.losses import HalfSquaredError
from zoo.models.model import Model, check_sizes, dtype_policy


@keras.saving.register_keras_serializable(package="zoo")
class SparseAutoencoder(Model):
    """Maps preprocessed patches `(batch, pixels)` to their reconstructions `(batch, pixels)`.

    Args:
        hidden_units: H, 1 or more.
        sparsity_target: rho, the mean activation wanted of each unit, in (0, 1).
        sparsity_weight: beta, 0 or more.
        weight_decay: lambda, 0 or more.
        pixels: D, 1 or more.
        scale: The constants of the preprocessing, `(limit, low, high)`, as `zoo.data.patches.Scale` fits them; None
            where they are unknown.
        provenance: Where the weights come from, as training records it: `source`, `simulated`, `license`,
            `data_sha256`, `held_out`.
        seed: Of the initial weights.
        dtype: A Keras dtype policy, such as `mixed_float16`; Keras's own by default.
        name: Of the model.

    Raises:
        ZooError: If an argument is outside its range.

    Example:
        >>> SparseAutoencoder().count_params() == SparseAutoencoder.parameter_formula(64) == 16704
        True
    """

    hidden_units: int
    sparsity_target: float
    sparsity_weight: float
    weight_decay: float
    pixels: int
    scale: tuple[float, float, float] | None
    provenance: Mapping[str, Any] | None

    def __init__(
        self,
        hidden_units: int = 64,
        sparsity_target: float = 0.04,
        sparsity_weight: float = 1.0,
        weight_decay: float = 5e-4,
        pixels: int = 256,
        scale: Sequence[float] | None = None,
        provenance: Mapping[str, Any] | None = None,
        seed: int = 0,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        check_sizes(hidden_units=hidden_units, pixels=pixels)
        if not weight_decay >= 0:
            raise ZooError(f"weight decay {weight_decay:g}: expected 0 or more")
        if scale is not None and len(scale) != 3:
            raise ZooError(f"scale has {len(scale)} numbers; expected 3: limit, low, high")
        limit = float(np.sqrt(6 / (pixels + hidden_units)))
        seeds = np.random.SeedSequence(seed).generate_state(3).tolist()
        kernel, bias, transposed = (keras.initializers.RandomUniform(-limit, limit, seed=s) for s in seeds)

        with dtype_policy(dtype):
            inputs = keras.Input((pixels,), name="patch")
            tied = TiedDense(
                hidden_units, "sigmoid", "sigmoid", kernel, bias, transposed,
                # lambda/2 of |W|^2, once for each direction.
                kernel_regularizer=keras.regularizers.L2(weight_decay), name="tied",
            )  # fmt: skip
            hidden = KLSparsity(sparsity_target, sparsity_weight, name="sparsity")(tied(inputs))
            outputs = tied(hidden, transpose=True)
        super().__init__(inputs, outputs, {
            "hidden_units": hidden_units, "sparsity_target": sparsity_target, "sparsity_weight": sparsity_weight,
            "weight_decay": weight_decay, "pixels": pixels, "scale": None if scale is None else tuple(scale),
            "provenance": provenance, "seed": seed, "dtype": dtype, "name": name,
        })  # fmt: skip

    def default_loss(self) -> keras.losses.Loss:
        """Half the squared distance; the layers add the other two terms of J."""
        return HalfSquaredError()

    def default_metrics(self) -> list[keras.metrics.Metric]:
        """Mean squared error a pixel."""
        return [keras.metrics.MeanSquaredError(name="mse")]

    def encode(self, patches: Any) -> Any:
        """Activations `(batch, hidden_units)` of preprocessed patches `(batch, pixels)`."""
        return self.get_layer("tied")(patches)

    def decode(self, activations: Any) -> Any:
        """Reconstructions `(batch, pixels)` of activations `(batch, hidden_units)`."""
        return self.get_layer("tied")(activations, transpose=True)

    @classmethod
    def parameter_formula(cls, hidden_units: int = 64, pixels: int = 256, **_: Any) -> int:
        """Trainable parameters, from the formula at the top of the module."""
        return pixels * hidden_units + hidden_units + pixels
