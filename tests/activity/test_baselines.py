"""What a recognizer has to beat."""

from importlib.util import find_spec

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from zoo import ZooError
from zoo.activity import metrics

RANDOM = np.random.default_rng(1)


@pytest.mark.parametrize("shape", [(150, 3), (150, 6), (2, 3)])
def test_features_are_finite_even_for_a_frozen_sensor(shape):
    windows = np.concatenate([RANDOM.normal(0, 1, (3, *shape)), np.zeros((1, *shape))])
    assert np.isfinite(metrics.features(windows)).all()


def test_features_but_for_the_pose_stay_whichever_way_the_phone_lies():
    windows = RANDOM.normal([0, 0, 9.8, 0, 0, 0], [1, 2, 3, 1, 1, 1], (20, 60, 6))
    turn = Rotation.from_euler("xyz", [20, 130, -70], degrees=True).as_matrix()
    turned = np.concatenate([windows[..., :3] @ turn.T, windows[..., 3:] @ turn.T], axis=2)
    one, other = metrics.features(windows), metrics.features(turned)
    pose = metrics.POSE
    np.testing.assert_allclose(other[:, :-pose], one[:, :-pose], atol=1e-6)
    np.testing.assert_allclose(other[:, -pose : 3 - pose], one[:, -pose : 3 - pose] @ turn.T, atol=1e-9)


def test_the_forest_recognizes_shaking_in_a_pose_that_it_was_not_shown():
    labels = np.repeat([0, 1], 40)
    rhythm = np.where(labels, 2.0, 5.0)[:, None] * np.linspace(0, 6, 150) * np.pi
    windows = RANDOM.normal([0, 0, 9.8], 0.5, (80, 150, 3))
    windows[:, :, 2] += 3 * np.sin(rhythm + RANDOM.uniform(0, 6, (80, 1)))
    found = metrics.random_forest(windows, labels)(windows[:, :, [2, 0, 1]] * [1, -1, -1])
    assert (found == labels).mean() > 0.95


def test_baselines_are_fitted_on_training_and_measured_on_test():
    labels = np.repeat([0, 1], [40, 20])
    windows = RANDOM.normal(0, 1, (60, 50, 3)) + 3 * labels[:, None, None]
    scores = metrics.baseline_scores((windows, labels), (windows, labels), None)
    assert scores["majority_class"]["accuracy"] == pytest.approx(40 / 60)
    assert scores["random_forest"]["accuracy"] == 1.0


@pytest.mark.parametrize("name", metrics.BASELINES)
def test_every_baseline_tells_apart_what_differs_and_says_the_same_with_the_same_seed(name):
    if name == "minirocket":
        pytest.importorskip("aeon")
    labels = np.repeat([0, 1], 30)
    windows = RANDOM.normal(0, 1, (60, 50, 3)).astype(np.float32)
    windows[30:] *= np.sin(np.arange(50))[:, None]
    answers = [metrics.BASELINES[name](windows[::2], labels[::2], 3, jobs)(windows[1::2]) for jobs in (1, 2)]
    assert (answers[0] == labels[1::2]).mean() > 0.9
    assert answers[0].tolist() == answers[1].tolist()


@pytest.mark.skipif(find_spec("aeon") is not None, reason="aeon is installed")
def test_a_baseline_that_is_not_installed_says_what_to_do():
    with pytest.raises(ZooError, match=r"minirocket needs aeon: pip install 'pocket-zoo\[baselines\]'"):
        metrics.require_baseline("minirocket")
