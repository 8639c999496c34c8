"""A stream follows labels in groups: those of the course, and those of a model's own, without movement or with it."""

import numpy as np
import pytest
from running import data_of

from zoo import ActivityGRU, Recipe, finetune, train
from zoo.activity.device import groups_of
from zoo.activity.task import TASK
from zoo.runtime.filtering import tree_problem
from zoo.runtime.metadata import CLASSES, Metadata, other_of

EVIDENCE = {
    ("sitting", "standing"): 3.0, ("downstairs", "jogging", "upstairs", "walking"): 3.0,
    ("downstairs", "upstairs", "walking"): 0.3, ("downstairs", "upstairs"): 1.5, CLASSES: 20.0,
}  # fmt: skip
"""Evidence of the groups of the course's labels, by what they divide."""


def divided(groups):
    return {tuple(sorted(name for part in group.parts for name in part)): group for group in groups}


def test_the_labels_of_the_course_have_the_groups_of_the_guide():
    groups = groups_of(CLASSES)
    assert {labels: group.evidence for labels, group in divided(groups).items()} == EVIDENCE
    walking = divided(groups)["downstairs", "upstairs", "walking"]
    assert dict(zip(walking.parts, walking.stay, strict=True)) == {("walking",): 120, ("downstairs", "upstairs"): 20}


@pytest.mark.parametrize("seed", range(30))
def test_any_labels_have_a_tree_of_groups(seed):
    random = np.random.default_rng(seed)
    names = np.array([*CLASSES, "lying", "cycling", "rowing"])
    chosen = random.permutation(names)[: random.integers(1, 10)].tolist() + ["other"] * random.integers(2)
    groups = groups_of(chosen, ["lying", "walking"], other_of(chosen, None))
    assert tree_problem(groups, chosen) == ""
    if chosen[-1] == "other" and len(chosen) > 1:
        assert (groups[0].parts[1], groups[0].evidence, groups[0].stay) == (("other",), 2.0, (120.0, 20.0))
        groups = groups[1:]
    still = [name for name in chosen if name in ("sitting", "standing", "lying")]
    if still and set(chosen) - {*still, "other"}:
        assert groups[0].parts[0] == tuple(still)


def data(classes, spreads):
    """Windows of two people, in each class with one spread of the length of acceleration."""
    random = np.random.default_rng(0)
    labels = np.tile(np.repeat(np.arange(len(classes)), 10), 2)
    lengths = 9.8 + np.array(spreads)[labels, None] * random.standard_normal((len(labels), 10))
    x = lengths[..., None] * np.array([0.6, 0.0, 0.8])
    return data_of(x, labels, classes, 50.0, np.repeat(["a", "b"], len(labels) // 2))


@pytest.mark.slow
@pytest.mark.usefixtures("uncompiled")
def test_a_trained_model_knows_which_of_its_own_labels_are_without_movement(tmp_path):
    recipe = Recipe(batch_size=8, epochs=1, validation=0.0)
    rough = data(("rowing", "lying", "walking"), (0.7, 0.3, 2.0))
    model = train(ActivityGRU(units=2, window=10, classes=rough.classes), rough, recipe, verbose=False).model
    assert model.provenance["still"] == ["lying"]
    (movement, moving) = TASK.metadata(model).streaming.groups
    assert (movement.parts, moving.parts) == ((("lying",), ("rowing", "walking")), (("walking",), ("rowing",)))
    # Its own data counts, not that of the model from which it starts.
    calm = data(("rowing", "lying", "kneeling"), (0.3, 0.7, 0.2))
    tuned = finetune(model, calm, recipe=recipe, out=tmp_path / "tuned", verbose=False).model
    metadata = TASK.metadata(tuned)
    assert metadata.streaming.groups[0].parts == (("rowing", "kneeling"), ("lying",))
    assert Metadata.from_json(metadata.to_json(), "a.tflite") == metadata
