"""Without a signal nothing is claimed, whatever took it away."""

import json
import subprocess

import numpy as np
import pytest
from phone.pages import HIDE, look, play, send, standing, until
from running import PHONE_PAGE, bundled

from zoo.activity import simulate
from zoo.runtime.faults import AT_REST, NO_SIGNAL, SHAKEN, TOO_SLOW, Signal


@pytest.fixture
def silent_page(open_page):
    """A page whose sensor sent four seconds of standing, and then nothing for a second."""

    def open_one(**options):
        page = open_page(patient=False, **options)
        play(page, standing(0, 4), 20)
        page.clock.run_for(1100)
        page.wait_for_selector("#label:text-is('No signal')")
        return page

    return open_one


def empty(page, axes):
    """Sends events without some of their readings."""
    event = "dispatchEvent(new DeviceMotionEvent('devicemotion', axes))"
    page.evaluate(f"axes => {{ for (let i = 0; i < 5; i += 1) {event}; }}", axes)


def test_a_lost_signal_is_said_in_one_sentence(silent_page):
    speaking = """
        window.spoken = [];
        speechSynthesis.speak = what => spoken.push(what.text);
        localStorage.setItem('pocket-zoo-ears', 'speak');
    """
    page = silent_page(before=speaking)
    said = (
        "[...document.querySelectorAll('[role=status] p, p[role=status]')].map(e => e.innerText).filter(text => text)"
    )
    assert page.evaluate(said) == ["No signal. The sensor has stopped sending."]
    assert page.evaluate("spoken") == ["Standing", "No signal"]
    assert page.is_visible("#restart")
    assert page.inner_text("#probability") == ""
    assert page.locator("#bars [aria-current=true]").count() == 0
    look(page, "silent", dark=True)


FAULTS = """
import {readFileSync} from 'node:fs';
import {Faults} from 'PHONE/src/signal/faults';
console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(samples => {
  const faults = new Faults(1, true);
  return samples.map(([time, ...value]) => (faults.push(time, value), faults.fault));
})));
"""


def phones(seed):
    """Fifteen seconds of phones that lie, stand on an edge, or are in a pocket; some round, some measure rotation."""
    random = np.random.default_rng(seed)
    for gravity in ([0, 0, 9.8], [9.8, 0, 0], [0.1, -9.7, 1.2]):
        for hertz, decimals, noise in ((60, 1, 0.02), (100, 6, 0.02), (30, 6, 0.02), (60, 6, 0.08), (60, 1, 0.0)):
            times = np.arange(15 * hertz) / hertz
            breath = 0.15 * np.sin(1.5 * times)[:, None] * (times > 9)[:, None]
            rows = gravity + random.normal(0, noise, (len(times), 3)) + breath
            turning = 0.3 * (np.abs(times - 3) < 0.1)[:, None] * np.ones((1, 3 * (seed % 2)))
            yield np.column_stack([times, rows.round(decimals), turning]).tolist()
    for hertz, scale in ((60, 1), (60, 0.2), (12, 1)):
        (rows,) = simulate.shaken(1, 15 * hertz, hertz, random)
        yield np.column_stack([np.arange(15 * hertz) / hertz, (scale * rows).round(1)]).tolist()


def test_a_phone_is_at_rest_shaken_or_out_of_range_where_the_runtime_says_so(tmp_path):
    (tmp_path / "program.ts").write_text(FAULTS.replace("PHONE", str(PHONE_PAGE)))
    program = bundled(tmp_path / "program.ts", tmp_path)
    streams = [*phones(0), *phones(1)]
    command = ["node", program]
    found = subprocess.run(command, input=json.dumps(streams), capture_output=True, text=True, check=True)
    expected = []
    for samples in streams:
        signal, faults = Signal(), []
        for time, *value in samples:
            signal.push(time, value)
            faults.append(signal.fault)
        expected.append(faults)
    assert json.loads(found.stdout) == expected
    assert {fault for faults in expected for fault in faults} == {None, AT_REST, NO_SIGNAL, SHAKEN, TOO_SLOW}


def test_a_phone_on_its_edge_on_a_table_does_not_sit(open_page):
    random = np.random.default_rng(0)
    page = open_page()
    rows = random.normal([9.8, 0.1, 0.1], 0.02, (480, 3))
    edge = [[i / 60, *row] for i, row in enumerate(rows.tolist())]
    play(page, edge, 60)
    assert page.inner_text("#label") == "Put me in your pocket"


def test_a_phone_that_a_hand_shakes_does_not_jog(open_page):
    (rows,) = simulate.shaken(1, 480, 60, np.random.default_rng(0))
    page = open_page()
    play(page, [[i / 60, *row] for i, row in enumerate(rows.tolist())], 60)
    assert page.inner_text("#label") == "Put me in your pocket"
    assert "faster than anybody steps" in page.inner_text("#detail")


def test_a_phone_that_is_locked_right_after_the_start_has_a_sensor_all_the_same(open_page):
    page = open_page(patient=False)
    page.click("#start")
    page.wait_for_selector("body[data-state=running]")
    page.evaluate(HIDE, True)
    page.clock.run_for(5000)
    page.evaluate(HIDE, False)
    assert page.get_attribute("body", "data-state") == "running"
    page.clock.run_for(2100)
    page.wait_for_selector("#label:text-is('No motion sensor')")


def test_the_label_comes_back_with_the_signal(silent_page):
    page = silent_page()
    page.evaluate("window.labels = []")
    page.evaluate(
        "new MutationObserver(() => labels.push(document.getElementById('label').textContent))"
        ".observe(document.getElementById('label'), {childList: true})"
    )
    play(page, standing(10, 14), 20)
    labels = page.evaluate("labels")
    # On a busy machine, the signal may be lost again after that.
    until_then = labels[: labels.index("Standing")]
    assert until_then[0] == "Listening…"
    assert set(until_then) <= {"Listening…", "Not sure"}


def test_restart_listens_anew(silent_page):
    page = silent_page()
    page.evaluate(
        """() => {
          window.listened = 0;
          const usual = window.addEventListener;
          window.addEventListener = (kind, ...rest) => { listened += kind === 'devicemotion'; usual(kind, ...rest); };
        }"""
    )
    page.click("#restart")
    until(page, "listened === 1")
    play(page, standing(10, 14), 20)
    assert page.is_hidden("#restart")


def test_a_page_that_was_in_the_background_says_what_it_missed(run):
    page = run(standing(0, 4), 20, patient=False)
    # A notice appears in a place that a screen reader knows.
    place = "getComputedStyle(document.getElementById('notice'))"
    assert page.evaluate(f"[{place}.display !== 'none', {place}.visibility]") == [True, "visible"]
    assert page.inner_text("#notice-text") == ""
    page.evaluate(HIDE, True)
    page.clock.run_for(2000)
    page.wait_for_selector("#label:text-is('No signal')")
    assert "locked or shows another app" in page.inner_text("#detail")
    page.evaluate(HIDE, False)
    page.evaluate(
        """samples => {
          const start = performance.now();
          let sent = 0;
          setInterval(() => {
            for (; sent < samples.length && 16 * sent < performance.now() - start; sent += 1) {
              const [time, x, y, z] = samples[sent];
              const event = new DeviceMotionEvent('devicemotion', {accelerationIncludingGravity: {x, y, z}});
              Object.defineProperty(event, 'timeStamp', {value: 1000 * time});
              dispatchEvent(event);
            }
          }, 16);
        }""",
        standing(10, 20),
    )
    page.clock.run_for(4000)
    page.wait_for_selector("#notice-text:has-text('s are missing')")
    page.wait_for_selector("#label:text-is('Standing')")


def test_events_that_lose_their_readings_are_no_signal(run):
    page = run(standing(0, 4), 20, patient=False)
    empty(page, {"accelerationIncludingGravity": {"x": 1, "y": 2}})
    page.clock.run_for(1100)
    page.wait_for_selector("#detail:has-text('events without acceleration')")
    assert page.inner_text("#label") == "No signal"


def test_a_sensor_that_lacks_an_axis_from_the_start_is_none(open_page):
    page = open_page(patient=False)
    page.click("#start")
    page.wait_for_selector("body[data-state=running]")
    empty(page, {"accelerationIncludingGravity": {"x": 1, "y": 2}})
    page.clock.run_for(2100)
    page.wait_for_selector("#label:text-is('No motion sensor')")
    assert page.is_enabled("#simulate")
    look(page, "no_sensor", dark=True)


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param([*standing(0, 10), *standing(30, 40)], id="a gap"),
        pytest.param([*standing(7200, 7210), *standing(0, 10)], id="a clock that is set back"),
    ],
)
def test_the_minute_has_what_was_recognized_and_nothing_for_what_was_not(samples, run):
    page = run(samples, 150)
    # Of ten seconds each, nothing is said of the first second and a half.
    until(page, "/standing 1[5-8] seconds/.test(document.getElementById('minute').getAttribute('aria-label'))")


def test_samples_that_are_all_dropped_leave_no_label(run):
    page = run(standing(0, 4), 20)
    assert page.inner_text("#label") == "Standing"
    for tenths in range(40, 80):
        send(page, [[tenths / 10 + each / 50, 1e30, 0.0, 0.0] for each in range(5)])
        page.clock.run_for(100)
    assert page.inner_text("#label") == "Listening…"
    assert page.inner_text("#probability") == ""


def test_turning_the_phone_on_its_side_changes_nothing(open_page):
    page = open_page()
    first = play(page, standing(0, 4), 20)
    page.set_viewport_size({"width": 844, "height": 390})
    page.evaluate("dispatchEvent(new Event('orientationchange'))")
    second = play(page, standing(4, 8), 20)
    assert page.inner_text("#label") == "Standing"
    assert {p["label"] for p in second} == {first[-1]["label"]}


@pytest.mark.parametrize("hertz", [50, 100, 200])
def test_a_rate_is_measured(hertz, run):
    page = run(standing(0, 4, hertz), 20)
    assert f"sends {hertz} samples" in page.text_content("#measured")
    assert page.inner_text("#label") == "Standing"


def test_a_sensor_that_is_slow_to_start_is_listened_to(open_page):
    page = open_page(patient=False)
    page.click("#start")
    page.wait_for_selector("body[data-state=running]")
    page.clock.run_for(2300)
    page.wait_for_selector("#label:text-is('No motion sensor')")
    send(page, standing(0, 4))
    page.wait_for_selector("#label:text-is('Standing')")
    assert page.is_visible("#stop")
