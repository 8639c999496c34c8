"""On a phone as in `zoo.runtime`: the same samples give the same probabilities, and the right label in time."""

import zipfile

import numpy as np
import pytest

from zoo.data.activity import CLASSES
from zoo.data.importers import read_motionsense
from zoo.data.recordings import Dropped
from zoo.runtime import Recognizer

SUBJECT = "sub_2.csv"
"""One of the four people whom the model never saw."""

START, SECONDS = 10.0, 4.0
"""Of a recording: by then the phone is in the pocket."""


@pytest.fixture(scope="session")
def recordings(real, tmp_path_factory):
    """The first recording of each activity of one person, by activity."""
    folder = tmp_path_factory.mktemp("motionsense")
    with zipfile.ZipFile(real / "activity" / "A_DeviceMotion_data.zip") as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.endswith(f"/{SUBJECT}")])
    found = {}
    for recording in read_motionsense(folder, Dropped()):
        found.setdefault(recording.activity, recording)
    return found


def samples(recording, hertz=60.0, jitter=0.003, seed=0):
    """Four seconds of a recording as a phone would send them, at uneven times."""
    random = np.random.default_rng(seed)
    steps = np.maximum(random.normal(1 / hertz, jitter, round(SECONDS * hertz)), 0.002)
    times = np.cumsum(steps) - steps[0]
    rows = recording.acceleration
    columns = [np.interp(START + times, np.arange(len(rows)) / recording.rate, axis) for axis in rows.T]
    return np.stack([times, *columns], axis=1).tolist()


def reference(model, sent, **settings):
    """What `zoo.runtime` answers."""
    stream = Recognizer(model).stream()
    return [answer for sample in sent for answer in stream.push(*sample)]


@pytest.mark.real
@pytest.mark.parametrize("activity", CLASSES)
def test_events_of_a_person_give_the_right_label_within_four_seconds(activity, recordings, open_page, play, model_file):
    sent = samples(recordings[activity])
    expected = reference(model_file, sent)
    page = open_page()
    page.click("#start")
    found = play(page, sent, len(expected))
    assert page.inner_text("#label").lower() == activity
    assert [answer["time"] for answer in found] == pytest.approx([answer.time for answer in expected])
    difference = np.array([a["probabilities"] for a in found]) - [answer.probabilities for answer in expected]
    assert np.abs(difference).max() < 1e-4
    names = [None if answer["label"] is None else CLASSES[answer["label"]] for answer in found]
    assert names == [answer.label for answer in expected]
