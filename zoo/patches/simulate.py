"""Simulated pictures: dead leaves, which share some statistics with natural images."""

from pathlib import Path

import numpy as np

from zoo.patches.data import Photograph, write_patches


def draw(name: str, side: int, random: np.random.Generator) -> Photograph:
    """Draws a square picture of disks with power-law radii, each of one color, that cover each other like leaves.

    Lee, Mumford, Huang: Occlusion models for natural images, International Journal of Computer Vision, 2001.
    """
    pixels = np.zeros((side, side, 3), np.float32)
    rows, columns = np.mgrid[:side, :side]
    bare = np.ones((side, side), bool)
    # From the topmost leaf down: covered pixels stay.
    while bare.any():
        # Radii with density r^-3 between 2 pixels and a quarter of the picture.
        low, high = 2.0, side / 4
        radius = (low**-2 - random.uniform() * (low**-2 - high**-2)) ** -0.5
        top, left = random.uniform(-radius, side + radius, 2)
        color = np.clip(random.normal(0.45, 0.2) + random.normal(0, 0.08, 3), 0, 1)
        # The square around the leaf is all that it can cover.
        around = tuple(slice(max(0, int(at - radius)), int(at + radius) + 1) for at in (top, left))
        if bare[around].any():
            leaf = bare[around] & ((rows[around] - top) ** 2 + (columns[around] - left) ** 2 <= radius**2)
            pixels[around][leaf] = color
            bare[around] &= ~leaf
    return Photograph(name, pixels, "simulated by pocket-zoo")


def write_simulated(path: Path, count: int = 10240, size: int = 16, pictures: int = 12, seed: int = 0) -> None:
    """Writes patches of simulated pictures, labeled as such."""
    random = np.random.default_rng([seed, 2])
    leaves = [draw(f"dead leaves {number}", 12 * size, random) for number in range(1, pictures + 1)]
    write_patches(path, leaves, count, size, seed, simulated=True)
