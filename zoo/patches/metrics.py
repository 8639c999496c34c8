"""Metrics of autoencoders: error, with PCA as the baseline, sparsity, and the form of the filters.

All functions take NumPy arrays: preprocessed `patches (N, D)`, `codes (N, H)`, `kernel (D, H)`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

Floats = NDArray[np.floating[Any]]

DEAD, SATURATED = 1e-3, 1 - 1e-3
"""Units whose greatest activation is below `DEAD` are dead; units whose least is above `SATURATED` are saturated."""

GABOR_R2, GABOR_LENGTH = 0.6, 0.8
"""A filter counts as a Gabor filter if a Gabor function explains more than this fraction of its variance, and is at
least this long along its stripes, as a multiple of its width. Smooth noise is mostly below one or the other: of 64
filters each that were labeled by eye, it accepts two thirds of the edges and gratings and a sixth of the others; of
random noise nothing, of blurred noise one in seven."""

_NARROWEST = 0.5
"""Least standard deviation of the envelope of a Gabor function, in pixels."""


def mean_squared_error(patches: Floats, reconstructions: Floats) -> float:
    """The mean squared error per pixel."""
    return float(np.mean((patches.astype(np.float64) - reconstructions) ** 2))


def r2(patches: Floats, reconstructions: Floats) -> float:
    """The fraction of the variance about each pixel's mean that is explained, at best 1; 0 if there is no variance."""
    spread = variance(patches)
    return 1 - mean_squared_error(patches, reconstructions) / spread if spread else 0.0


def variance(patches: Floats) -> float:
    """The variance about each pixel's mean, averaged over all pixels."""
    return mean_squared_error(patches, np.broadcast_to(patches.mean(axis=0, dtype=np.float64), patches.shape))


def pca_errors(train: Floats, patches: Floats) -> Floats:
    """The mean squared error per pixel of PCA with 1, 2, ... components, fitted on `train`."""
    # Imported where it is needed, since it takes a second.
    from sklearn.decomposition import PCA

    fitted = PCA(svd_solver="full").fit(train)
    centered = patches - fitted.mean_
    explained = np.cumsum(((centered @ fitted.components_.T) ** 2).sum(axis=0, dtype=np.float64))
    return np.asarray(np.maximum((centered**2).sum(dtype=np.float64) - explained, 0) / patches.size)


def by_photograph(patches: Floats, reconstructions: Floats, photographs: NDArray[np.str_]) -> dict[str, Any]:
    """The error on the patches of each photograph, and the photograph with the lowest R², which takes several patches.

    Example:
        >>> flat, busy = np.array([[0.4, 0.6], [0.6, 0.4]]), np.array([[0.1, 0.9], [0.9, 0.1]])
        >>> reconstructed = np.vstack([flat, np.full((3, 2), 0.5)])
        >>> names = np.array(["a", "a", "b", "b", "c"])
        >>> by_photograph(np.vstack([flat, busy, busy[:1]]), reconstructed, names)["worst_photograph"]
        'b'
    """
    scores = {}
    for name in sorted(set(photographs.tolist())):
        own = photographs == name
        error = mean_squared_error(patches[own], reconstructions[own])
        scores[name] = {"patches": int(own.sum()), "mse": error, "variance": variance(patches[own])}
    several = [name for name, row in scores.items() if row["patches"] > 1] or [*scores]
    worst = max(several, key=lambda name: scores[name]["mse"] / max(scores[name]["variance"], 1e-12))
    return {"per_photograph": scores, "worst_photograph": worst}


def fit_gabor(filter_: Floats) -> dict[str, float]:
    """Fits a Gabor function, a plane wave with a Gaussian envelope, to a filter `(S, S)` by least squares.

        g(u, v) = exp(-u^2 / 2a^2 - v^2 / 2b^2) (p cos(2 pi f u) + q sin(2 pi f u))

    where (u, v) is the position of a pixel, rotated by the orientation about the center. p and q follow from the other
    parameters by linear least squares, so the search is over six parameters.

    Jones, Palmer: An evaluation of the two-dimensional Gabor filter model of simple receptive fields in cat striate
    cortex, Journal of Neurophysiology, 1987.

    `r2` is the explained fraction of the filter's variance; `orientation` the direction in which the wave varies, in
    degrees in [0, 180), with 0 along the first axis; `frequency` in cycles per pixel; `width` and `length`, in pixels,
    the standard deviations of the envelope across and along the stripes.
    """
    size = len(filter_)
    wanted = (filter_ - filter_.mean()).astype(np.float64)
    norm = float((wanted**2).sum())
    if norm < 1e-20:
        return dict.fromkeys(("r2", "orientation", "frequency", "width", "length"), 0.0)
    rows, columns = np.mgrid[:size, :size].astype(float)
    bounds = ([-1, -1, -10, 0.01, _NARROWEST, _NARROWEST], [size, size, 10, 0.6, size, size])
    fits = [
        least_squares(_residual, start, _jacobian, ftol=1e-5, args=(wanted, rows, columns), bounds=bounds)
        for start in _starts(wanted)
    ]
    best = min(fits, key=lambda fit: fit.cost)
    _, _, angle, frequency, width, length = best.x.tolist()
    return {
        "r2": float(1 - 2 * best.cost / norm), "orientation": float(np.degrees(angle) % 180), "frequency": frequency,
        "width": width, "length": length,
    }  # fmt: skip


def _starts(wanted: Floats) -> list[list[float]]:
    """Starting points: the strongest waves of the filter, centered at the centroid of its energy."""
    size = len(wanted)
    energy = wanted**2 / (wanted**2).sum()
    rows, columns = np.mgrid[:size, :size]
    centroid = [float((rows * energy).sum()), float((columns * energy).sum())]
    frequencies = np.fft.fftfreq(4 * size)
    power = np.abs(np.fft.fft2(wanted, (4 * size, 4 * size)))[:, : 2 * size]
    starts: list[list[float]] = []
    for _ in range(2):
        place = np.unravel_index(power.argmax(), power.shape)
        f, g = frequencies[place[0]], frequencies[place[1]]
        wave = float(np.clip(np.hypot(f, g), 0.03, 0.5))
        widths = (max(_NARROWEST, size / share) for share in (8, 4))
        starts += [[*centroid, float(np.arctan2(g, f)), wave, width, width] for width in widths]
        low, high = max(0, place[0] - 4), place[0] + 5
        power[low:high, max(0, place[1] - 4) : place[1] + 5] = 0
    return starts


def _fitted(p: Floats, wanted: Floats, rows: Floats, columns: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Positions across and along the stripes, the two waves `(S * S, 2)`, and p and q, by which they are weighed."""
    top, left, angle, frequency, width, length = p
    across = ((rows - top) * np.cos(angle) + (columns - left) * np.sin(angle)).ravel()
    along = ((columns - left) * np.cos(angle) - (rows - top) * np.sin(angle)).ravel()
    envelope = np.exp(-(across**2) / (2 * width**2) - along**2 / (2 * length**2))
    phase = 2 * np.pi * frequency * across
    waves = np.stack([envelope * np.cos(phase), envelope * np.sin(phase)], axis=1)
    return across, along, waves, np.linalg.lstsq(waves, wanted.ravel(), rcond=None)[0]


def _residual(p: Floats, wanted: Floats, rows: Floats, columns: Floats) -> Floats:
    *_, waves, weights = _fitted(p, wanted, rows, columns)
    return np.asarray(waves @ weights - wanted.ravel())


def _jacobian(p: Floats, wanted: Floats, rows: Floats, columns: Floats) -> Floats:
    """Derivatives `(S * S, 6)` where p and q follow (Kaufman, A variable projection method, BIT 15, 1975)."""
    _, _, angle, frequency, width, length = p
    across, along, waves, weights = _fitted(p, wanted, rows, columns)
    model, turned = waves @ weights, waves @ (weights[1], -weights[0])
    by_phase = 2 * np.pi * turned
    by_across, by_along = frequency * by_phase - model * across / width**2, -model * along / length**2
    cos, sin = np.cos(angle), np.sin(angle)
    free = np.stack([
        by_along * sin - by_across * cos, -by_across * sin - by_along * cos, by_across * along - by_along * across,
        by_phase * across, model * across**2 / width**3, model * along**2 / length**3,
    ], axis=1)  # fmt: skip
    return np.asarray(free - waves @ np.linalg.lstsq(waves, free, rcond=None)[0])


def filters(kernel: Floats) -> dict[str, Any]:
    """The share of Gabor filters among those of `kernel (S * S, H)`, histograms of these, and the fits of all."""
    size = round(len(kernel) ** 0.5)
    fits = [fit_gabor(column.reshape(size, size)) for column in kernel.T]
    good = [fit for fit in fits if fit["r2"] > GABOR_R2 and fit["length"] >= GABOR_LENGTH * fit["width"]]
    histograms = {}
    for name, most in (("orientation", 180), ("frequency", 0.6)):
        counts, edges = np.histogram([fit[name] for fit in good], np.linspace(0, most, 13))
        histograms[name] = {"edges": np.round(edges, 6).tolist(), "counts": counts.tolist()}
    return {
        "gabor_share": len(good) / len(fits), "orientations": histograms["orientation"],
        "frequencies": histograms["frequency"], "gabor": fits,
    }  # fmt: skip


def sparsity(codes: Floats, target: float) -> dict[str, Any]:
    """The mean activations of `codes (N, H)`, and the largest deviation from their target, rho."""
    mean = codes.mean(axis=0, dtype=np.float64)
    return {
        "mean_activation": mean.tolist(),
        "max_activation_error": float(np.abs(mean - target).max()),
        "dead_units": int((codes.max(axis=0) < DEAD).sum()),
        "saturated_units": int((codes.min(axis=0) > SATURATED).sum()),
    }


def report(
    patches: Floats, codes: Floats, reconstructions: Floats, target: float, train: Floats, kernel: Floats
) -> dict[str, Any]:
    """All metrics of an evaluation on preprocessed patches; `target` is rho, and PCA is fitted on `train`."""
    spread, errors, mse = variance(patches), pca_errors(train, patches), mean_squared_error(patches, reconstructions)
    pca, enough = float(errors[min(codes.shape[1], len(errors)) - 1]), np.flatnonzero(errors <= mse)
    return {
        "patches": len(patches), "mse": mse, "r2": r2(patches, reconstructions), "pca_mse": pca,
        "pca_components": int(enough[0]) + 1 if len(enough) else None, "pca_r2": 1 - pca / spread,
        "variance": spread, **sparsity(codes, target), **filters(kernel),
    }  # fmt: skip
