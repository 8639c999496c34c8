"""On a phone as in `zoo.runtime`: the same samples give the same probabilities, and the right label in time.

Other rates, gaps and faults: tests/streams, without a browser.
"""

import zipfile

import numpy as np
import pytest
from phone.pages import IPHONE, MODEL, SYSTEMS, play

from zoo.activity.simulate import walk_through
from zoo.activity.studies import read_study
from zoo.catalog import PRESETS_FOLDER
from zoo.runtime import Recognizer
from zoo.runtime.metadata import CLASSES

SUBJECT = "sub_2.csv"
"""One of the four people whom the model never saw."""

START, SECONDS = 10.0, 6.0
"""Of a recording: by then the phone is in the pocket."""


@pytest.fixture(scope="session")
def recordings(real, tmp_path_factory):
    folder = tmp_path_factory.mktemp("motionsense")
    with zipfile.ZipFile(real / "activity" / "A_DeviceMotion_data.zip") as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.endswith(f"/{SUBJECT}")])
    found = {}
    for recording in read_study("motionsense", folder):
        found.setdefault(recording.activity, recording)
    return found


def samples(rows, rate, start=0.0, seconds=SECONDS, hertz=60.0, jitter=0.003):
    """A stretch of a recording as a phone's browser sends it: at uneven times, rounded to a tenth of m/s^2."""
    random = np.random.default_rng(0)
    steps = np.maximum(random.normal(1 / hertz, jitter, round(seconds * hertz)), 0.002)
    times = np.cumsum(steps) - steps[0]
    columns = [np.interp(start + times, np.arange(len(rows)) / rate, axis) for axis in rows.T]
    return np.stack([times, *np.round(columns, 1)], axis=1).tolist()


def walk(**how):
    """A simulated person who walks, then stands, as a phone would send it."""
    return samples(walk_through(["walking", "standing"], 6.0, 50.0, seed=1)[0], 50.0, seconds=11.0, **how)


def compare(page, model, sent, sign=1):
    """Plays samples to the page; its predictions must be those of `zoo.runtime`, which are returned."""
    recognizer = Recognizer(model)
    stream, classes = recognizer.stream(), recognizer.metadata.classes
    expected = list(stream.feed(sent))
    found = play(page, sent, len(expected), sign)
    assert [p["time"] for p in found] == pytest.approx([p.time for p in expected])
    differences = np.array([p["probabilities"] for p in found]) - [p.probabilities for p in expected]
    assert np.abs(differences).max() < 1e-4
    assert [None if p["label"] is None else classes[p["label"]] for p in found] == [p.label for p in expected]
    return expected


@pytest.mark.real
@pytest.mark.parametrize("activity", CLASSES)
def test_events_of_a_person_give_the_right_label_within_six_seconds(activity, recordings, open_page):
    recording = recordings[activity]
    page = open_page()
    compare(page, MODEL, samples(recording.acceleration, recording.rate, START))
    assert page.inner_text("#label").lower() == activity


@pytest.mark.parametrize(("query", "runner"), [("", "the page itself"), ("?engine=litert", "LiteRT.js")])
def test_a_model_without_states_is_streamed_by_windows(
    query, runner, open_page, serve_page, convolutional_file
):  # fmt: skip
    with serve_page(convolutional_file) as url:
        page = open_page(url + query)
        page.wait_for_selector(f"#about:has-text('run by {runner}')")
        assert len(compare(page, convolutional_file, walk())) > 20


FLOATS = sorted(PRESETS_FOLDER.glob("activity_*/model.float*.tflite"))
"""All published files whose numbers are floats: other cells and frames, weights of 32 and of 16 bits."""

RUNS = {"page": FLOATS, "litert": [file for file in FLOATS if file.parent.name.endswith("_pocket")]}
"""What LiteRT.js is asked for as well: one recurrent network, and one without states."""


@pytest.mark.parametrize(
    ("engine", "file"),
    [(engine, file) for engine, files in RUNS.items() for file in files],
    ids=lambda given: given if isinstance(given, str) else f"{given.parent.name}-{given.name.split('.')[1]}",
)
def test_the_page_and_litert_compute_what_the_runtime_does(engine, file, open_page, serve_page):
    with serve_page(file) as url:
        page = open_page(url if engine == "page" else f"{url}?engine=litert")
        page.wait_for_selector("#start:enabled")
        runs = {"page": "run by the page itself", "litert": "run by LiteRT.js"}
        assert runs[engine] in page.inner_text("#about")
        compare(page, file, walk())


@pytest.mark.parametrize(("name", "by"), [("dynamic", "LiteRT.js"), ("float32", "the page itself")])
def test_what_the_page_cannot_run_is_run_by_litert_which_nothing_else_loads(name, by, open_page, serve_page):
    file, asked = PRESETS_FOLDER / "activity_gru_pocket" / f"model.{name}.tflite", []
    with serve_page(file) as url:
        page = open_page(url)
        page.on("request", lambda request: asked.append(request.url))
        page.reload()
        page.wait_for_selector(f"#about:has-text('run by {by}')")
        (*_, last) = play(page, walk(), 80)
        assert max(last["probabilities"]) > 0.5
    assert any("litert" in url for url in asked) == (name == "dynamic")


def test_an_iphone_asks_in_the_tap_and_its_gravity_that_points_down_gives_the_same(open_page):
    asking = """
        window.asked = [];
        for (const event of [DeviceMotionEvent, DeviceOrientationEvent])
          event.requestPermission = async () => { asked.push(navigator.userActivation.isActive); return 'granted'; };
    """
    page = open_page(user_agent=IPHONE, before=asking)
    compare(page, MODEL, walk(), sign=-1)
    assert page.evaluate("asked") == [True, True]


def test_where_gravity_contradicts_the_name_of_the_system_gravity_is_right(open_page):
    page = open_page()
    page.click("#start")
    page.wait_for_selector("body[data-state=running]")
    upright = "new DeviceOrientationEvent('deviceorientation', {alpha: 0, beta: 90, gamma: 0})"
    page.evaluate(f"dispatchEvent({upright})")
    # Upright, with the sign of an iPhone: y is -9.8 where the standard has +9.8.
    standing = [[i / 60, 0.3 * np.sin(i), 9.7 + 0.1 * np.cos(i), 1.0 + 0.1 * np.sin(2 * i)] for i in range(600)]
    play(page, standing, 60, sign=-1)
    page.wait_for_selector("#signal-axes:has-text('y 9.')")


def feel(page, readings):
    """Starts the page, and lets the sensors of the browser itself read so, one reading after another."""
    sensors = page.context.new_cdp_session(page)
    kinds = ("accelerometer", "linear-acceleration", "gyroscope")
    for kind in kinds:
        sensors.send("Emulation.setSensorOverrideEnabled", {"enabled": True, "type": kind})
    page.click("#start")
    # A browser sends events when each of the three sensors has a reading.
    for reading in readings:
        for kind, (x, y, z) in zip(kinds, reading, strict=True):
            of_kind = {"type": kind, "reading": {"xyz": {"x": x, "y": y, "z": z}}}
            sensors.send("Emulation.setSensorOverrideReadings", of_kind)
        page.wait_for_timeout(20)


def test_the_events_of_the_browser_itself_are_read(open_page):
    page, still = open_page(), (0, 0, 0)
    feel(page, [((-0.3, -9.7 + 0.1 * (number % 2), 1.0), still, still) for number in range(150)])
    page.wait_for_selector("#label:text-is('Standing')")
    page.wait_for_selector("#measured:text-matches('sends .* samples')", state="attached")


def turn(seconds=6.0):
    """Samples of a simulated person who walks, with a phone that turns about all axes."""
    rows = walk_through(["walking"], seconds, 60.0, seed=1, gyroscope=True)[0].astype(float)
    rows[:, 3:] += np.sin(np.arange(len(rows))[:, None] / [7, 11, 13]) * [1, 2, 3]
    return [[number / 60, *row] for number, row in enumerate(rows.tolist())]


@SYSTEMS
def test_rotation_rate_reaches_a_model_of_six_channels(phone, sign, inertial_address, inertial_file, open_page):
    sent = turn()
    time = sent[100][0]
    faulty = [[time, 0.0, 9.8, 0.0, 101.0, 0.0, 0.0], [time, 0.0, -161.0, 0.0, 0.0, 0.0, 0.0]]
    page = open_page(inertial_address, **phone)
    assert len(compare(page, inertial_file, [*sent[:100], *faulty, *sent[100:]], sign)) > 20


def test_the_gyroscope_of_the_browser_itself_is_read(inertial_address, open_page):
    page = open_page(inertial_address)
    feel(page, [((-0.3, 9.7, 1.0), (0, 0, 0), (1.0, -2.0, 3.0))])
    page.locator("#turning").scroll_into_view_if_needed()
    page.wait_for_selector("#turning-axes:has-text('x 1.0')")
    assert page.locator("#turning-axes span").all_inner_texts() == ["x 1.0", "y \N{MINUS SIGN}2.0", "z 3.0"]
    assert page.is_visible("#turning")
