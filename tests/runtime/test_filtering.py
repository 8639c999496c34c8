"""A filter over time follows which part of each group of labels is true."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import refused

from zoo.catalog import PRESETS_FOLDER
from zoo.runtime import Recognizer
from zoo.runtime.filtering import FLOOR, Filter, Group, default_groups, tree_problem
from zoo.runtime.metadata import Metadata, extract

CLASSES = ("down", "run", "sit", "stand", "up", "walk")
STILL = Group(parts=(("sit", "stand"), ("down", "run", "up", "walk")), evidence=20.0, stay=(30.0, 40.0))
TREE = (
    STILL,
    Group(parts=(("sit",), ("stand",)), evidence=3.0, stay=(20.0, 30.0)),
    Group(parts=(("run",), ("down", "up", "walk")), evidence=3.0, stay=(30.0, 60.0)),
    Group(parts=(("walk",), ("up",), ("down",)), evidence=0.3, stay=(120.0, 20.0, 10.0)),
)
ANSWERS = st.lists(st.lists(st.floats(0, 1), min_size=6, max_size=6), min_size=1, max_size=30)


def by_matrix(groups, answers, seconds):
    """The same by the matrix of transitions of each group and logarithms, as textbooks have it."""
    rows = []
    beliefs = [np.array(group.stay) / sum(group.stay) for group in groups]
    for answer in answers:
        answer, found = np.array(answer), dict.fromkeys(CLASSES, 1.0)
        for number, group in enumerate(groups):
            leave, count = 1 - np.exp(-seconds / np.array(group.stay)), len(group.parts)
            transitions = np.where(np.eye(count, dtype=bool), 1 - leave[:, None], leave[:, None] / (count - 1))
            logarithm = np.log(beliefs[number] @ transitions)
            share = np.array([sum(answer[CLASSES.index(name)] for name in part) for part in group.parts])
            if share.sum() > 0:
                power = group.evidence * seconds * share.sum()
                logarithm = logarithm + power * np.log(np.maximum(share / share.sum(), FLOOR))
            beliefs[number] = np.exp(logarithm - np.logaddexp.reduce(logarithm))
            for belief, part in zip(beliefs[number], group.parts, strict=True):
                found |= {name: found[name] * belief for name in part}
        rows.append([*found.values()])
    return np.array(rows)


@given(answers=ANSWERS, seconds=st.sampled_from([0.02, 0.1, 1.5]))
def test_it_is_the_forward_filter_of_hidden_markov_models(answers, seconds):
    followed = Filter(CLASSES, TREE, seconds)
    found = [followed.update(answer) for answer in answers]
    np.testing.assert_allclose(found, by_matrix(TREE, answers, seconds), atol=1e-9)
    np.testing.assert_allclose(np.sum(found, axis=1), 1)


@given(
    answers=st.lists(st.lists(st.floats(0, 1) | st.just(5e-324), min_size=300, max_size=300), max_size=4),
    evidence=st.sampled_from([1e-9, 1.0, 1000.0]), stay=st.sampled_from([1e-9, 1.0, 1e6]),
    seconds=st.sampled_from([1e-5, 0.1, 1e6]),
)  # fmt: skip
def test_probabilities_stay_probabilities_at_any_limit(answers, evidence, stay, seconds):
    classes = [f"class {number}" for number in range(300)]
    group = Group(parts=tuple((name,) for name in classes), evidence=evidence, stay=(stay,) * 300)
    followed = Filter(classes, [group], seconds)
    for answer in [*answers, [1.0] + [0.0] * 299, [0.0] * 300]:
        found = followed.update(answer)
        assert (found >= 0).all()
        assert found.sum() == pytest.approx(1)


def test_a_part_that_surely_ended_can_be_believed_again():
    # 1 - exp(-dt / stay) rounds to 1: the answer is about the part whose belief became 0, and 0.01^(10^6) is 0 as well.
    group = Group(parts=(("sit",), ("walk",), ("run",)), evidence=1.0, stay=(1.0,) * 3)
    followed = Filter(["sit", "walk", "run"], [group], seconds=1e6)
    for _ in range(3):
        assert followed.update([0.0, 1.0, 0.0]).tolist() == [0.0, 1.0, 0.0]


def test_it_starts_with_how_long_activities_last_and_does_so_again():
    followed = Filter(CLASSES, TREE, 0.1)
    nothing = [0.0] * 6
    start = followed.update(nothing)
    assert dict(zip(CLASSES, start.round(6).tolist(), strict=True)) == pytest.approx(
        {"sit": 3 / 7 * 0.4, "stand": 3 / 7 * 0.6, "run": 4 / 7 / 3, "walk": 4 / 7 * 2 / 3 * 0.8,
         "up": 4 / 7 * 2 / 3 * 2 / 15, "down": 4 / 7 * 2 / 3 / 15}, rel=0.01,
    )  # fmt: skip
    assert followed.update([1, 0, 0, 0, 0, 0])[0] > start[0]
    np.testing.assert_array_equal(Filter(CLASSES, TREE, 0.1).update(nothing), start)


def test_a_group_in_which_the_network_does_not_believe_learns_little():
    followed = Filter(CLASSES, TREE, 0.5)
    for _ in range(20):
        running = followed.update([0, 1, 0, 0, 0, 0])
    # Sitting was seen in no answer, and standing in none: they go back to how long they last.
    assert running[2] / running[3] == pytest.approx(20 / 30, rel=0.2)
    assert running[1] > 0.9


def test_without_groups_each_label_is_a_part_and_one_label_is_certain():
    answers = np.random.default_rng(0).dirichlet(np.ones(6), 20).tolist()
    plain, stated = Filter(CLASSES, (), 0.1), Filter(CLASSES, default_groups(CLASSES), 0.1)
    for answer in answers:
        np.testing.assert_array_equal(plain.update(answer), stated.update(answer))
    assert Filter(["only"], (), 0.1).update([0.3]).tolist() == [1.0]


WRONG = {
    "one part": ((replace(STILL, parts=(CLASSES,), stay=(1.0,)),), "2 or more parts of down, run, sit, stand"),
    "no label": ((replace(STILL, parts=(CLASSES, ())),), "each with labels"),
    "a number too few": ((replace(STILL, stay=(1.0,)),), r"stay \[1.0\]; expected .* a number in stay"),
    "a label twice": ((replace(STILL, parts=(CLASSES, ("sit",))),), "walk, sit into"),
    "twice the same": ((*TREE[:2], TREE[1]), r"\[2\]' divides sit, stand .* parts of down, run, up, walk"),
    "not to the end": (TREE[:3], "' leave down, up, walk together; expected a group that divides them"),
    "nothing left to divide": ((*TREE, TREE[1]), "divides sit, stand .* no further label"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_groups_that_are_no_tree_are_refused(case):
    groups, said = WRONG[case]
    refused(f"streaming.groups.*{said}", Filter, CLASSES, groups, 0.1)
    assert tree_problem(TREE, CLASSES) == ""


def as_json(group):
    return {"parts": [*map(list, group.parts)], "evidence": group.evidence, "stay": [*group.stay]}


STREAMING = {"restart": 0, "copies": 1, "warmup": 0, "margin": 0.1}
DOCUMENT = extract(PRESETS_FOLDER / "activity_gru_course" / "model.float32.tflite").to_json()
DOCUMENT |= {"classes": [*CLASSES], "version": "9.1"}


def test_groups_survive_a_file_and_older_files_whose_probabilities_were_averaged_have_one_group():
    document = DOCUMENT | {"streaming": STREAMING | {"groups": [as_json(group) for group in TREE]}}
    metadata = Metadata.from_json(document, "a.tflite")
    assert metadata.streaming.groups == TREE
    assert metadata.to_json()["streaming"] == document["streaming"]
    older = DOCUMENT | {"streaming": STREAMING | {"smoothing": 0.5, "threshold": 0.7}}
    metadata = Metadata.from_json(older, "a.tflite")
    assert (metadata.streaming.groups, metadata.stream_threshold) == ((), 0.7)
    assert metadata.to_json()["streaming"] == STREAMING | {"groups": []}


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"odd": 1}, "Streaming.*odd"), ({"groups": [as_json(STILL) | {"odd": 1}]}, "Group.*odd")],
)
def test_a_setting_of_a_newer_version_is_refused_with_the_version_that_wrote_it(settings, key):
    says = rf"^a\.tflite: metadata: 'streaming' does not fit .*{key}.*; written by pocket-zoo 9.1: read it with that"
    refused(says, Metadata.from_json, DOCUMENT | {"streaming": STREAMING | settings}, "a.tflite")


def test_a_network_that_knows_nothing_is_shown_as_what_was_most_frequent_in_its_training():
    metadata = Recognizer(PRESETS_FOLDER / "activity_gru_phone" / "model.dynamic.tflite").metadata
    filtered = Filter(metadata.classes, metadata.streaming.groups, metadata.frame / metadata.rate)
    shown = [filtered.update(metadata.prior)[metadata.classes.index("walking")] for _ in range(50)]
    said = (PRESETS_FOLDER.parent / "docs/guides/deploy.md").read_text(encoding="utf-8")
    assert f"probability of {shown[9]:.2f} after one second and {shown[49]:.2f} after five" in " ".join(said.split())
