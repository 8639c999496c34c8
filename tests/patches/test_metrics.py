"""Numbers of an autoencoder on arrays whose answers are known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from sklearn.decomposition import PCA

from zoo.patches import metrics

RANDOM = np.random.default_rng(0)
ROWS, COLUMNS = np.mgrid[:16, :16] - 7.5


def wave(angle, frequency, width, phase=0.3):
    across = ROWS * np.cos(np.radians(angle)) + COLUMNS * np.sin(np.radians(angle))
    envelope = np.exp(-(ROWS**2 + COLUMNS**2) / (2 * width**2))
    return envelope * np.cos(2 * np.pi * frequency * across + phase)


def test_r2_is_one_for_a_perfect_reconstruction_and_zero_for_the_mean_of_each_pixel():
    patches = RANDOM.uniform(size=(50, 9))
    assert metrics.r2(patches, patches) == 1.0
    assert metrics.r2(patches, np.tile(patches.mean(axis=0), (50, 1))) == pytest.approx(0.0)


def test_pca_leaves_the_variance_of_the_components_that_it_lacks():
    train = RANDOM.normal(size=(400, 5)) * [3.0, 2.0, 1.0, 0.5, 0.1]
    variances = PCA().fit(train).explained_variance_
    left = [variances[number:].sum() * 399 / 400 / 5 for number in range(1, 6)]
    np.testing.assert_allclose(metrics.pca_errors(train, train), left, atol=1e-12)


def test_the_components_that_are_as_good_as_a_code_are_counted():
    train = RANDOM.normal(size=(400, 5)) * [3.0, 2.0, 1.0, 0.5, 0.1]
    fitted = PCA(3).fit(train)
    rebuilt, codes = fitted.inverse_transform(fitted.transform(train)), np.full((400, 2), 0.1)
    kernel = RANDOM.normal(size=(16, 2))
    assert metrics.report(train, codes, rebuilt + 1e-3, 0.1, train, kernel)["pca_components"] == 3
    # All components of three patches leave an error on others.
    found = metrics.report(train, codes, train, 0.1, train[:3], kernel)
    assert found["pca_components"] is None


@pytest.mark.parametrize(("angle", "frequency"), [(0, 0.1), (35, 0.15), (90, 0.2), (150, 0.25)])
def test_a_gabor_function_is_found_with_its_orientation_and_frequency(angle, frequency):
    found = metrics.fit_gabor(wave(angle, frequency, 3.0))
    assert found["r2"] > 0.98
    assert found["frequency"] == pytest.approx(frequency, abs=0.02)
    turned = abs(found["orientation"] - angle)
    assert min(turned, 180 - turned) < 5


def test_noise_is_no_gabor_function_and_a_share_counts_those_that_are():
    kernel = np.column_stack([wave(20, 0.15, 3.0).ravel(), RANDOM.normal(size=256), np.zeros(256)])
    found = metrics.filters(kernel)
    assert found["gabor_share"] == pytest.approx(1 / 3)
    assert sum(found["orientations"]["counts"]) == sum(found["frequencies"]["counts"]) == 1
    # Filters of few pixels are fitted too.
    for size in (1, 2, 3):
        assert 0 <= metrics.filters(RANDOM.normal(size=(size**2, 3)))["gabor_share"] <= 1


@pytest.mark.slow
def test_smooth_noise_is_mostly_no_gabor_function():
    pictures = [
        gaussian_filter(np.random.default_rng(seed).normal(size=(40, 40)), 2)[12:28, 12:28] for seed in range(40)
    ]
    found = metrics.filters(np.column_stack([picture.ravel() for picture in pictures]))
    # By the fit alone, most are.
    assert np.mean([fit["r2"] > 0.5 for fit in found["gabor"]]) > 0.7
    assert found["gabor_share"] <= 0.25


def test_sparsity_counts_dead_and_saturated_units_and_the_farthest_mean():
    codes = np.column_stack([np.full(10, 0.04), np.zeros(10), np.ones(10), np.linspace(0, 0.1, 10)])
    found = metrics.sparsity(codes, 0.04)
    assert found["mean_activation"] == pytest.approx([0.04, 0.0, 1.0, 0.05])
    assert found["max_activation_error"] == pytest.approx(0.96)
    assert (found["dead_units"], found["saturated_units"]) == (1, 1)
