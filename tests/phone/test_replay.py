"""Where nobody carries a phone, the page shows itself at work on a recording that it calls simulated."""

import base64
import json
import re
import runpy

import numpy as np
import pytest
from phone.pages import HIDE, MODEL, look, until
from running import PHONE_PAGE, host

from zoo.runtime import Recognizer
from zoo.serving.server import PAGE_FOLDER


def read(name):
    """A recording of the page, and its rows."""
    document = json.loads((PHONE_PAGE / "src" / "signal" / f"{name}.json").read_text())
    whole = np.frombuffer(base64.b64decode(document["rows"]), "<i2")
    return document, whole.reshape(-1, document["channels"]) * document["unit"]


RECORDING, ROWS = read("recording")

NOTED = """
window.found = []; window.truths = [];
document.addEventListener('prediction', ({detail}) => found.push(detail));
addEventListener('load', () => new MutationObserver(() => {
  const {textContent} = document.getElementById('hint');
  if (textContent.trim()) truths.push(textContent);
}).observe(document.getElementById('hint'), {childList: true}));
"""


@pytest.fixture
def computer(open_page, address):
    """Opens the page on a computer whose clock can be turned."""

    def open_one(query="", **options):
        url = address.replace("127.0.0.1", "phone.test") + query
        return open_page(url, **{"before": NOTED, "patient": False, "has_touch": False} | options)

    return open_one


def play_for(page, seconds):
    """Lets the clock run; returns the predictions."""
    page.wait_for_selector("#signal-axes span")
    for _ in range(seconds):
        page.clock.run_for(1000)
    return page.evaluate("found")


def test_the_recording_is_what_the_simulator_makes():
    made = runpy.run_path(str(PHONE_PAGE / "recording.py"))["recording"]()
    assert json.loads(json.dumps({**made, "rows": None})) == {**RECORDING, "rows": None}
    # Rounding may fall the other way.
    rows = np.frombuffer(base64.b64decode(made["rows"]), "<i2").reshape(ROWS.shape) * made["unit"]
    np.testing.assert_allclose(rows, ROWS, atol=0.1001)


def test_a_computer_sees_the_code_and_the_recording_go_the_way_of_a_signal(computer):
    page = computer()
    found = play_for(page, 50)
    assert page.is_visible("#code svg")
    assert page.inner_text("#simulated").lower() == "simulated recording"
    recognizer = Recognizer(MODEL)
    looped = np.concatenate([ROWS, ROWS])[: 50 * 50, :3].tolist()
    expected = list(recognizer.stream().feed([(i / 50, *row) for i, row in enumerate(looped)]))[:450]
    assert [p["time"] for p in found[:450]] == pytest.approx([p.time for p in expected])
    differences = np.array([p["probabilities"] for p in found[:450]]) - [p.probabilities for p in expected]
    assert np.abs(differences).max() < 1e-4
    truths = [text.removeprefix("Simulated activity: ") for text in page.evaluate("truths")]
    assert truths[: len(RECORDING["activities"])] == RECORDING["activities"]
    assert "upstairs" in page.get_attribute("#minute", "aria-label")
    assert page.inner_text("#address") == page.url
    look(page, "desktop", dark=True)


LANE = """ages => {
  const canvas = document.getElementById('minute');
  const left = parseFloat(canvas.parentElement.style.getPropertyValue('--left')) * devicePixelRatio;
  const style = getComputedStyle(document.documentElement);
  const names = ['walking', 'jogging', 'upstairs', 'downstairs', 'sitting', 'standing'];
  const colors = names.map((_, i) => style.getPropertyValue(`--activity-${i}`));
  const [context, lanes] = [canvas.getContext('2d'), 1 + document.getElementById('bars').children.length];
  return ages.map(age => {
    // Just above the lower edge of the first lane, below the figures.
    const [x, y] = [left + (1 - age / 60) * (canvas.width - left), 0.8 * canvas.height / lanes];
    const [...rgb] = context.getImageData(x, y, 1, 1).data.slice(0, 3);
    return names[colors.indexOf('#' + rgb.map(each => each.toString(16).padStart(2, '0')).join(''))];
  });
}"""
"""What the first lane of the last minute shows some seconds ago."""


@pytest.mark.parametrize("demonstration", ["replay", "person"])
def test_what_the_person_really_does_is_a_lane_that_begins_with_walking(demonstration, computer):
    page = computer(f"?{demonstration}", viewport={"width": 1280, "height": 1000})
    found = play_for(page, 23)
    track, _ = read({"replay": "recording", "person": "person"}[demonstration])
    middles = [(number + 0.5) * track["seconds"] for number in range(2)]
    assert page.evaluate(LANE, [found[-1]["time"] - middle for middle in middles]) == track["activities"][:2]
    assert track["activities"][0] == "walking"
    page.click("#stop")
    page.wait_for_selector("#summary:visible")
    look(page, f"lane-{demonstration}", dark=True)


def test_pause_holds_everything_and_resume_goes_on_where_it_was(computer):
    page = computer()
    before = play_for(page, 4)
    page.clock.run_for(700)
    page.click("#pause")
    # The last minute is drawn twice a second.
    page.clock.run_for(700)
    assert page.inner_text("#detail") == "Paused"
    count = page.evaluate("found.length")
    pixels = "['minute', 'signal'].map(id => document.getElementById(id).toDataURL())"
    held = page.evaluate(pixels)
    page.clock.run_for(30_000)
    assert page.evaluate("found.length") == count >= len(before)
    assert [page.evaluate(pixels), *map(page.inner_text, ("#label", "#detail"))] == [held, "Walking", "Paused"]
    assert page.inner_text("#notice-text") == ""
    page.click("#pause")
    times = [p["time"] for p in play_for(page, 4)]
    assert np.diff(times) == pytest.approx(0.1, abs=1e-6)
    assert len(times) > count + 30
    # It rests while the page is hidden as well.
    page.evaluate(HIDE, True)
    page.clock.run_for(200)
    count = page.evaluate("found.length")
    page.clock.run_for(10_000)
    assert page.evaluate("found.length") == count
    page.evaluate(HIDE, False)
    assert len(play_for(page, 2)) > count + 10


def test_a_click_stops_it_and_what_it_leaves_is_called_simulated(computer):
    page = computer()
    # Walking lasts for nine seconds, and on a busy computer the clock goes on meanwhile.
    play_for(page, 6)
    page.click("#stop")
    page.wait_for_selector("#summary:visible")
    assert page.is_visible("#simulated")
    assert page.inner_text("#label") == "Mostly walking"
    assert page.is_hidden("#fix")
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename.startswith("simulated-activities-")
    # There is no sensor: again means the recording.
    assert page.is_hidden("#simulate")
    page.clock.run_for(700)
    page.click("#start:text-is('Start again')")
    page.wait_for_selector("body[data-state=running]")
    page.wait_for_selector("#hint:has-text('Simulated activity: walking')")


PLACES = """() => ['header', 'main', 'footer', '#hero', '#live', '#summary', '#lessons'].flatMap(place => {
  const {left, width} = document.querySelector(place).getBoundingClientRect();
  return width ? [[left, width]] : [];
})"""


def test_on_a_computer_stop_and_teach_keep_the_layout(computer):
    page = computer(viewport={"width": 1280, "height": 800})
    play_for(page, 6)
    # The last place is that of the charts, then of the summary, and of the recordings.
    runs = page.evaluate(PLACES)
    page.click("#stop")
    page.wait_for_selector("#summary:visible")
    assert page.evaluate(PLACES) == runs
    page.clock.run_for(700)
    page.click("#teach-open")
    page.wait_for_selector("#lessons:visible")
    assert page.evaluate(PLACES) == runs
    page.clock.run_for(700)
    page.click("#lessons-done")
    assert page.evaluate(PLACES) == runs[:-1]


def test_a_real_person_is_recognized_by_a_network_that_was_trained_without_them(computer):
    page = computer()
    play_for(page, 1)
    page.click("#person")
    page.wait_for_selector("#simulated:text-is('Recording of a real person')")
    page.evaluate("found.length = truths.length = 0")
    # The clock is turned faster than the recording arrives.
    until(page, "found.length > 0")
    found = play_for(page, 62)
    recognizer = Recognizer(PHONE_PAGE / "person.tflite")
    person, rows = read("person")
    assert "motionsense/1" not in recognizer.metadata.train_subjects
    assert "motionsense/2" in recognizer.metadata.train_subjects
    expected = list(recognizer.stream().feed([(i / 50, *row) for i, row in enumerate(rows.tolist())]))
    first = next(place for place, each in enumerate(expected) if each.time == pytest.approx(found[0]["time"]))
    differences = [
        np.abs(np.subtract(one["probabilities"], other.probabilities)).max()
        for one, other in zip(found, expected[first:], strict=False)
    ]
    assert max(differences) < 1e-4
    said = [re.fullmatch(r"Really: (\w+)(?: · right (\d+)% of the time)?", text) for text in page.evaluate("truths")]
    assert list(dict.fromkeys(each[1] for each in said)) == person["activities"]
    truths = [person["activities"][int(each.time // person["seconds"])] for each in expected]
    right = [each.label == truth for each, truth in zip(expected, truths, strict=True)]
    shares = [int(each[2]) for each in said if each[1] == person["activities"][-1]]
    assert shares[-1] == pytest.approx(100 * np.mean(right), abs=2)
    look(page, "demonstrated", dark=True)
    assert "MIT License" in page.locator("#credit a").evaluate("a => fetch(a.href).then(found => found.text())")
    page.click("#stop")
    page.wait_for_selector("#hint:has-text('Right')")
    page.clock.run_for(700)
    page.click("#start")
    page.wait_for_selector("#simulated:text-is('Simulated recording')")


def test_another_model_feels_the_person_turn_and_an_activity_that_it_lacks_is_called_so(open_page, inertial_address):
    page = open_page(f"{inertial_address}?replay", before=NOTED)
    assert len(play_for(page, 22)) > 100
    assert page.is_visible("#turning")
    said = "Simulated: {}, not in this model"
    # On a busy machine, a fourth one may have begun.
    assert page.evaluate("truths")[:3] == [said.format(activity) for activity in ("walking", "upstairs", "standing")]
    line = page.evaluate("parseFloat(getComputedStyle(document.getElementById('hint')).lineHeight)")
    assert page.locator("#hint").bounding_box()["height"] < 1.5 * line


def test_another_page_can_show_it_in_a_frame(open_page, tmp_path):
    """On a phone too, and where the address is not secure; the page around it keeps its focus."""
    (tmp_path / "phone").symlink_to(PAGE_FOLDER)
    frame = '<input autofocus><iframe src="phone/?replay" width="390" height="700" title="The phone page"></iframe>'
    (tmp_path / "index.html").write_text(f"<!doctype html>{frame}")
    with host(tmp_path) as port:
        page = open_page(f"http://phone.test:{port}/")
        inside = page.frame_locator("iframe")
        inside.locator("#label:text-is('Walking')").wait_for()
        assert inside.locator("#simulated").is_visible()
        assert inside.locator("#problem").is_hidden()
        assert page.evaluate("document.activeElement.tagName") == "INPUT"
        assert inside.locator("html").evaluate("e => e.scrollWidth") <= 390


@pytest.mark.parametrize("demonstration", ["replay", "person"])
def test_the_code_of_an_address_that_asks_for_a_recording_leads_to_the_sensor(demonstration, computer):
    page = computer(f"?{demonstration}&engine=litert")
    page.wait_for_selector("#code svg")
    assert page.inner_text("#address") == page.url.replace(f"{demonstration}=&", "").replace(f"{demonstration}&", "")


def test_on_a_phone_nothing_plays_before_it_is_asked_for(open_page):
    page = open_page()
    page.wait_for_selector("#start:enabled")
    assert page.is_hidden("#simulated")
    page.click("#simulate")
    page.wait_for_selector("#hint:has-text('Simulated activity: walking')")
    assert page.is_hidden("#elsewhere")
    look(page, "simulated", dark=True)
    # A click that follows another at once stops nothing; one later does.
    page.clock.run_for(700)
    page.click("#stop")
    # After three seconds, which a busy machine takes, there is a summary.
    page.wait_for_selector("#start:visible")
    assert page.is_hidden("#stop")
