"""What a recognizer has to beat."""

from importlib.util import find_spec

import numpy as np
import pytest

from zoo import ZooError
from zoo.activity import baselines

RANDOM = np.random.default_rng(1)


def test_there_are_47_finite_features_even_for_a_frozen_sensor():
    windows = np.concatenate([RANDOM.normal(0, 1, (3, 150, 3)), np.zeros((1, 150, 3))])
    features = baselines.features(windows)
    assert features.shape == (4, 47)
    assert np.isfinite(features).all()


def test_baselines_are_fitted_on_training_and_measured_on_test():
    labels = np.repeat([0, 1], [40, 20])
    windows = RANDOM.normal(0, 1, (60, 50, 3)) + 3 * labels[:, None, None]
    scores = baselines.baseline_scores((windows, labels), (windows, labels), None)
    assert scores["majority_class"]["accuracy"] == pytest.approx(40 / 60)
    assert scores["random_forest"]["accuracy"] == 1.0


@pytest.mark.parametrize("name", baselines.BASELINES)
def test_every_baseline_tells_apart_what_differs_and_says_the_same_with_the_same_seed(name):
    if name == "minirocket":
        pytest.importorskip("aeon")
    labels = np.repeat([0, 1], 30)
    windows = RANDOM.normal(0, 1, (60, 50, 3)).astype(np.float32)
    windows[30:] *= np.sin(np.arange(50))[:, None]
    answers = [baselines.BASELINES[name](windows[::2], labels[::2], 3, jobs)(windows[1::2]) for jobs in (1, 2)]
    assert (answers[0] == labels[1::2]).mean() > 0.9
    assert answers[0].tolist() == answers[1].tolist()


def test_the_nearest_neighbor_of_a_training_window_is_itself():
    windows = RANDOM.normal(0, 1, (20, 50, 3))
    labels = np.arange(20)
    assert baselines.nearest_neighbor(windows, labels)(windows).tolist() == labels.tolist()


@pytest.mark.skipif(find_spec("aeon") is not None, reason="aeon is installed")
def test_a_baseline_that_is_not_installed_says_what_to_do():
    with pytest.raises(ZooError, match=r"minirocket needs aeon: pip install 'pocket-zoo\[baselines\]'"):
        baselines.require("minirocket")
