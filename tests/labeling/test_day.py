"""A day is divided into stretches at all times, whatever a person does to it."""

import math
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.activity.annotations import Span
from zoo.errors import ZooError
from zoo.labeling.day import SHORTEST, Stretch, apply, queue, renewed, runs, spans, with_notes

PARTS = [(0.0, 100.0), (130.0, 400.0)]
"""Seconds that were recorded, with a gap."""

WORDS = st.sampled_from(["walking", "sitting", "rowing"])


@st.composite
def proposals(draw):
    """Stretches that cover the parts."""
    found = []
    for start, end in PARTS:
        cuts = sorted({start, end, *(round(start + share * (end - start), 3) for share in draw(st.lists(_SHARE)))})
        found += [
            Stretch(a, b, draw(WORDS), draw(_SHARE), draw(st.sampled_from(["", "rowing"]))) for a, b in pairwise(cuts)
        ]
    return found


_SHARE = st.floats(0.01, 0.99)
_SECONDS = st.floats(-10, 410)
_AT = st.integers(0, 12)
ACTIONS = st.one_of(
    st.fixed_dictionaries({"do": st.sampled_from(["accept", "leave", "join"]), "at": _AT}),
    st.fixed_dictionaries({"do": st.just("label"), "at": _AT, "label": WORDS}),
    st.fixed_dictionaries({"do": st.just("split"), "at": _AT, "time": _SECONDS}),
    st.fixed_dictionaries({"do": st.just("edge"), "at": _AT, "by": _SECONDS}),
    st.fixed_dictionaries({"do": st.just("accept_all"), "start": _SECONDS, "end": _SECONDS}),
)


def covered(day):
    """Whether stretches follow each other, and leave out what was not recorded alone."""
    edges = [(one.start, one.end) for one in day]
    assert edges == sorted(edges)
    assert all(start < end for start, end in edges)
    joined = []
    for start, end in edges:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined == PARTS


@given(proposals(), st.lists(ACTIONS, max_size=12), proposals())
def test_all_that_was_recorded_is_in_a_stretch(first, actions, second):
    day = renewed((), first, PARTS)
    assert covered(day)
    for action in actions:
        with suppress(ZooError):
            day = apply(day, action)
        assert covered(day)
    # Other proposals change nothing that is decided.
    again = renewed(day, second, PARTS)
    assert covered(again)
    assert [one for one in again if one.label is not None] == [one for one in day if one.label is not None]


DAY = (Stretch(0, 60, "walking", 0.97), Stretch(60, 100, "sitting", 0.5), Stretch(130, 400, "sitting", 0.6, "rowing"))


def test_who_decided_is_kept_with_each_label():
    day = apply(apply(apply(DAY, {"do": "accept", "at": 0}), {"do": "label", "at": 1, "label": " bike  ride "}),
                {"do": "accept", "at": 2})  # fmt: skip
    assert spans(day) == (
        Span(0, 60, "walking", "proposal 0.97"), Span(60, 100, "bike ride", "person"), Span(130, 400, "rowing", "note")
    )  # fmt: skip
    assert spans(apply(DAY, {"do": "leave", "at": 1})) == (Span(60, 100, "", "person"),)


def test_an_edge_moves_between_two_stretches_and_stops_before_either_is_gone():
    def moved(by):
        return [(one.start, one.end) for one in apply(DAY, {"do": "edge", "at": 0, "by": by})[:2]]

    assert moved(-1) == [(0, 59), (59, 100)]
    assert moved(-1000) == [(0, SHORTEST), (SHORTEST, 100)]
    assert moved(1000) == [(0, 100 - SHORTEST), (100 - SHORTEST, 100)]
    assert [(one.end, one.guess) for one in apply(DAY, {"do": "join", "at": 0})] == [(100, "walking"), (400, "sitting")]


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ({"do": "accept", "at": 3}, "stretch 3: expected a number below 3"),
        ({"do": "accept", "at": -1}, "stretch -1"),
        ({"do": "label", "at": 0, "label": "a,b"}, "label: 'a,b'; expected a name"),
        ({"do": "label", "at": 0, "label": " "}, "label: is empty"),
        ({"do": "split", "at": 0, "time": 60}, "60.0 s is not within this stretch"),
        ({"do": "split", "at": 0, "time": math.nan}, "nan s is not within this stretch"),
        ({"do": "edge", "at": 0, "by": math.nan}, "too short for their edge to be moved"),
        ({"do": "join", "at": 1}, "nothing follows this stretch without a gap"),
        ({"do": "edge", "at": 1, "by": 1}, "nothing follows this stretch without a gap"),
        ({"do": "accept_all", "start": 100, "end": 400}, "no proposal in view of at least 95%"),
    ],
)
def test_what_is_not_possible_is_said_in_one_line(action, says):
    with pytest.raises(ZooError, match=says):
        apply(DAY, action)


def test_accepting_all_takes_what_is_sure_and_in_view():
    day = apply((*DAY, Stretch(400, 500, "walking", 0.99)), {"do": "accept_all", "start": 50, "end": 399})
    assert [one.label for one in day] == ["walking", None, None, None]


def test_the_queue_begins_with_notes_that_the_model_contradicts_then_with_long_doubts():
    short, long = Stretch(500, 504, "a", 0.5), Stretch(600, 800, "a", 0.7)
    assert queue((*DAY, short, long)) == [2, 4, 1, 3]
    # What is decided is not asked about again.
    assert queue(apply(DAY, {"do": "accept", "at": 2})) == [1]


def test_notes_are_moved_to_the_change_that_the_model_sees_and_may_name_what_it_does_not_know():
    found = [Stretch(0, 100, "walking", 0.97), Stretch(100, 110, "sitting", 0.4), Stretch(110, 300, "walking", 0.5)]
    noted = with_notes(found, [Span(3, 103, "walking"), Span(103, math.inf, "bike")], ["walking", "sitting"])
    assert [(one.start, one.end, one.note, one.guess) for one in noted] == [
        (0, 100, "walking", "walking"), (100, 300, "bike", "walking")
    ]  # fmt: skip
    assert [one.sure for one in noted] == [True, False]
    # What is exact, as in another program, stays where it is.
    noted = with_notes(found, [Span(3, 98, "walking", "exact")], ["walking", "sitting"])
    assert [(one.start, one.end) for one in noted if one.note] == [(3, 98)]


def test_a_proposal_of_a_moment_becomes_a_part_of_its_longer_neighbor():
    edges = [0, 10, 11, 40, 42, 60]
    found = runs(edges, ["a", "b", "a", "c", "b"], [0.9, 0.9, 0.9, 0.9, 0.6])
    assert [(one.start, one.end, one.guess) for one in found] == [(0, 42, "a"), (42, 60, "b")]
    assert runs([0, 1], ["a"], [0.5]) == [Stretch(0, 1, "a", 0.5)]


def test_an_answer_that_goes_on_where_nothing_was_recorded_keeps_what_was():
    answers = (Stretch(2, 30, label="walking"), Stretch(90, 140, label="sitting"))
    found = [one for one in renewed(answers, [], [(0, 60), (120, 180)]) if one.label]
    assert [(one.start, one.end, one.label) for one in found] == [(2, 30, "walking"), (120, 140, "sitting")]


def test_an_answer_is_as_exact_as_the_journal():
    day = apply(DAY, {"do": "split", "at": 0, "time": 20.123456})
    assert [one.end for one in day[:2]] == [20.123, 60]
    assert replace(day[0], end=60) == DAY[0]
