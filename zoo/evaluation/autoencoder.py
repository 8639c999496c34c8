"""How good an autoencoder of patches is: error beside PCA, sparsity, and what its filters look like.

Works on NumPy arrays alone: `patches (N, D)` preprocessed, `codes (N, H)`, `kernel (D, H)`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from sklearn.decomposition import PCA

Floats = NDArray[np.floating[Any]]

DEAD, SATURATED = 1e-3, 1 - 1e-3
"""A unit whose greatest activation is below the one is dead; one whose least is above the other is saturated."""

GABOR_R2 = 0.5
"""A filter counts as a Gabor function where one explains more than this share of its variance."""


def mean_squared_error(patches: Floats, reconstructions: Floats) -> float:
    """Mean over all pixels of the squared difference.

    Example:
        >>> mean_squared_error(np.array([[0.0, 1.0]]), np.array([[0.0, 0.0]]))
        0.5
    """
    return float(np.mean((patches.astype(np.float64) - reconstructions) ** 2))


def r2(patches: Floats, reconstructions: Floats) -> float:
    """Share of the variance about each pixel's mean that the reconstructions explain; 1 at best."""
    return 1 - mean_squared_error(patches, reconstructions) / variance(patches)


def variance(patches: Floats) -> float:
    """Mean over all pixels of the squared distance from the pixel's mean."""
    return mean_squared_error(patches, np.broadcast_to(patches.mean(axis=0, dtype=np.float64), patches.shape))


def pca_error(train: Floats, patches: Floats, components: int) -> float:
    """Mean squared error a pixel of principal components fitted on training patches.

    Args:
        train: `(M, D)` to fit on.
        patches: `(N, D)` to reconstruct.
        components: How many, as many as the code has numbers; at most `min(M, D)` are used.
    """
    fitted = PCA(min(components, *train.shape), svd_solver="full").fit(train)
    return mean_squared_error(patches, fitted.inverse_transform(fitted.transform(patches)))


def by_photograph(patches: Floats, reconstructions: Floats, photographs: NDArray[np.str_]) -> dict[str, Any]:
    """The error of each photograph's patches.

    Args:
        patches: `(N, D)` preprocessed.
        reconstructions: `(N, D)`.
        photographs: `(N,)` names.

    Returns:
        `per_photograph`, with `patches`, `mse` and `variance` of each by its name, and `worst_photograph`, the one of
        which the least share of its own variance is kept.

    Example:
        >>> flat, busy = np.array([[0.4, 0.6], [0.6, 0.4]]), np.array([[0.1, 0.9], [0.9, 0.1]])
        >>> found = np.vstack([flat, np.full((2, 2), 0.5)])
        >>> by_photograph(np.vstack([flat, busy]), found, np.array(["a", "a", "b", "b"]))["worst_photograph"]
        'b'
    """
    found = {}
    for name in sorted(set(photographs.tolist())):
        own = photographs == name
        error = mean_squared_error(patches[own], reconstructions[own])
        found[name] = {"patches": int(own.sum()), "mse": error, "variance": variance(patches[own])}
    worst = max(found, key=lambda name: found[name]["mse"] / max(found[name]["variance"], 1e-12))
    return {"per_photograph": found, "worst_photograph": worst}


@dataclass(frozen=True)
class Gabor:
    """A Gabor function fitted to a filter.

    Args:
        r2: Share of the filter's variance that it explains.
        orientation: Of its stripes' normal, degrees in [0, 180): 0 varies along the file's columns of pixels.
        frequency: Cycles a pixel.
        width: Standard deviation of its envelope across the stripes, pixels.
        length: Along the stripes, pixels.
    """

    r2: float
    orientation: float
    frequency: float
    width: float
    length: float


def fit_gabor(filter_: Floats) -> Gabor:
    """Fits a Gabor function, a plane wave under a Gaussian envelope, to one filter by least squares.

        g(u, v) = exp(-u^2 / 2a^2 - v^2 / 2b^2) (p cos(2 pi f u) + q sin(2 pi f u))

    with (u, v) the pixel's place turned by the orientation about a center. p and q follow from the rest by linear
    least squares, so the search is over six numbers.

    Jones, Palmer: An evaluation of the two-dimensional Gabor filter model of simple receptive fields in cat striate
    cortex, Journal of Neurophysiology, 1987.

    Args:
        filter_: `(S, S)`.

    Example:
        >>> rows, columns = np.mgrid[:16, :16] - 7.5
        >>> wave = np.exp(-(rows**2 + columns**2) / 18) * np.cos(2 * np.pi * 0.2 * rows)
        >>> found = fit_gabor(wave)
        >>> round(found.r2, 3), round(found.frequency, 2)
        (1.0, 0.2)
    """
    size = len(filter_)
    wanted = (filter_ - filter_.mean()).astype(np.float64)
    norm = float((wanted**2).sum())
    if norm < 1e-20:
        return Gabor(0.0, 0.0, 0.0, 0.0, 0.0)
    rows, columns = np.mgrid[:size, :size].astype(float)
    best, lowest = None, np.inf
    for start in _starts(wanted):
        found = least_squares(
            _residual, start, args=(wanted, rows, columns), max_nfev=60,
            bounds=([-1, -1, -10, 0.01, 0.5, 0.5], [size, size, 10, 0.6, size, size]),
        )  # fmt: skip
        if found.cost < lowest:
            best, lowest = found.x, found.cost
    assert best is not None
    _, _, angle, frequency, width, length = best
    share = 1 - 2 * lowest / norm
    return Gabor(float(share), float(np.degrees(angle) % 180), float(frequency), float(width), float(length))


def _starts(wanted: Floats) -> list[list[float]]:
    """Where to search from: the strongest waves of the filter, about the middle of its energy."""
    size = len(wanted)
    energy = wanted**2 / (wanted**2).sum()
    rows, columns = np.mgrid[:size, :size]
    middle = [float((rows * energy).sum()), float((columns * energy).sum())]
    frequencies = np.fft.fftfreq(4 * size)
    power = np.abs(np.fft.fft2(wanted, (4 * size, 4 * size)))[:, : 2 * size]
    starts: list[list[float]] = []
    for _ in range(2):
        place = np.unravel_index(power.argmax(), power.shape)
        f, g = frequencies[place[0]], frequencies[place[1]]
        wave = float(np.clip(np.hypot(f, g), 0.03, 0.5))
        starts += [[*middle, float(np.arctan2(g, f)), wave, width, width] for width in (size / 8, size / 4)]
        low, high = max(0, place[0] - 4), place[0] + 5
        power[low:high, max(0, place[1] - 4) : place[1] + 5] = 0
    return starts


def _residual(p: Floats, wanted: Floats, rows: Floats, columns: Floats) -> Floats:
    top, left, angle, frequency, width, length = p
    across = (rows - top) * np.cos(angle) + (columns - left) * np.sin(angle)
    along = (columns - left) * np.cos(angle) - (rows - top) * np.sin(angle)
    envelope = np.exp(-(across**2) / (2 * width**2) - along**2 / (2 * length**2))
    waves = np.column_stack([
        (envelope * np.cos(2 * np.pi * frequency * across)).ravel(),
        (envelope * np.sin(2 * np.pi * frequency * across)).ravel(),
    ])  # fmt: skip
    weights = np.linalg.lstsq(waves, wanted.ravel(), rcond=None)[0]
    return np.asarray(waves @ weights - wanted.ravel())


def filters(kernel: Floats) -> dict[str, Any]:
    """What the first layer's filters look like.

    Args:
        kernel: `(S * S, H)`.

    Returns:
        `gabor_share`, and of those filters that are Gabor functions the `orientations` (degrees) and `frequencies`
        (cycles a pixel) as histograms, and every fit as `gabor`.
    """
    size = round(len(kernel) ** 0.5)
    fits = [fit_gabor(column.reshape(size, size)) for column in kernel.T]
    good = [fit for fit in fits if fit.r2 > GABOR_R2]
    return {
        "gabor_share": len(good) / len(fits),
        "orientations": _histogram([fit.orientation for fit in good], np.linspace(0, 180, 13)),
        "frequencies": _histogram([fit.frequency for fit in good], np.linspace(0, 0.6, 13)),
        "gabor": [asdict(fit) for fit in fits],
    }


def _histogram(values: list[float], edges: Floats) -> dict[str, list[float]]:
    return {"edges": np.round(edges, 6).tolist(), "counts": np.histogram(values, edges)[0].tolist()}


def sparsity(codes: Floats, target: float) -> dict[str, Any]:
    """How near the mean activations are to what was asked.

    Args:
        codes: `(N, H)` activations.
        target: rho.

    Returns:
        `mean_activation` of each unit, `max_activation_error` (largest distance from rho), `dead_units`,
        `saturated_units`.

    Example:
        >>> sparsity(np.array([[0.1, 0.0], [0.3, 0.0]]), target=0.2)["max_activation_error"]
        0.2
    """
    mean = codes.mean(axis=0, dtype=np.float64)
    return {
        "mean_activation": mean.tolist(),
        "max_activation_error": float(np.abs(mean - target).max()),
        "dead_units": int((codes.max(axis=0) < DEAD).sum()),
        "saturated_units": int((codes.min(axis=0) > SATURATED).sum()),
    }


def report(
    patches: Floats, codes: Floats, reconstructions: Floats, target: float, train: Floats, kernel: Floats
) -> Mapping[str, Any]:
    """All numbers of one evaluation.

    Args:
        patches: `(N, D)` preprocessed.
        codes: `(N, H)`.
        reconstructions: `(N, D)`.
        target: rho.
        train: `(M, D)` that PCA is fitted on.
        kernel: `(D, H)`.

    Returns:
        `patches`, `mse`, `r2`, `pca_mse`, `pca_r2`, `variance`, and those of `sparsity` and `filters`.
    """
    spread, pca = variance(patches), pca_error(train, patches, codes.shape[1])
    return {
        "patches": len(patches),
        "mse": mean_squared_error(patches, reconstructions),
        "r2": r2(patches, reconstructions),
        "pca_mse": pca,
        "pca_r2": 1 - pca / spread,
        "variance": spread,
        **sparsity(codes, target),
        **filters(kernel),
    }
