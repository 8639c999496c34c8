"""Every state of the page says plainly what is, in light and dark, and is accessible."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from phone.pages import WAKE_LOCKS, gather_two, look, lying, standing

from zoo.activity.simulate import walk_through
from zoo.catalog import PRESETS_FOLDER
from zoo.runtime.metadata import CLASSES, embed, extract
from zoo.serving.server import PAGE_FOLDER, page_files


def walk(seconds):
    """Samples of a simulated person who walks."""
    rows = walk_through(["walking"], float(seconds), 60.0, seed=1)[0].tolist()
    return [[number / 60, *row] for number, row in enumerate(rows)]


REFUSING = "DeviceMotionEvent.requestPermission = () => Promise.resolve('denied');"


def problem(page):
    page.wait_for_selector("#problem:not([hidden])")
    return page.inner_text("#label"), page.inner_text("#problem-text")


STATES = {}
"""What brings a page into a state and looks at its words; how the page is opened."""


def state(query="", host="127.0.0.1", **options):
    """Adds a function to the states."""

    def add(show):
        STATES[show.__name__] = show, query, host, options
        return show

    return add


@state()
def start(page, play):
    page.wait_for_selector("#start:enabled")


STALLED = """
const {fetch: usual} = window;
window.fetch = async (url, ...rest) => {
  if (!`${url}`.includes('NAME')) return usual(url, ...rest);
  const body = new ReadableStream({start: stream => stream.enqueue(new Uint8Array(40000))});
  return new Response(body, {headers: {'Content-Length': '84000'}});
};
"""
"""A file of which 40 kB arrive and no more."""


@state(before=STALLED.replace("NAME", "model.tflite"))
def loading(page, play):
    page.wait_for_selector("#detail:text-is('Model: 40 of 84 kB')")
    assert page.evaluate("document.getElementById('progress').position") == pytest.approx(40 / 84)
    assert page.is_disabled("#start")


@state("?engine=litert", before=STALLED.replace("NAME", ".wasm"))
def loading_litert(page, play):
    page.wait_for_selector("#detail:text-matches('LiteRT.js: 40 of 9,\\\\d{3} kB')")


@state()
def settings(page, play):
    page.click("#settings summary")
    page.focus("#threshold")
    before = page.inner_text("#sure")
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    assert page.inner_text("#sure") == f"{int(before.removesuffix('%')) + 30}%"
    assert page.inner_text("#as-in-file") == f"Back to {before}, as in the file"


@state()
def explained(page, play):
    play(page, standing(0, 12), 100)
    page.click("#how summary")
    page.evaluate("document.getElementById('how').scrollIntoView()")


@state()
def gathering(page, play):
    page.click("#teach-open")
    page.fill("#lesson-activity", "standing")
    page.click("#lesson-record")
    page.wait_for_selector("#lesson-record:disabled")
    page.wait_for_selector("#lesson-said:text-matches('Put the phone in your pocket: recording begins in [45] s')")
    assert page.is_visible("#lesson-cancel")


@state()
def taught(page, play):
    gather_two(page, play, "rowing a boat")
    page.click("#learn")
    page.wait_for_selector(
        "#learned-text:has-text('Before 10 of 20, now 20 of 20 windows that were held back are recognized.')"
    )
    found = page.locator("#confusion li").all_inner_texts()
    assert found == ["standing: 10 of 10 recognized", "rowing a boat: 10 of 10 recognized"]
    assert "Recognized as rowing a boat (10)" in page.locator("#lesson-list li").nth(1).inner_text()


@state()
def running(page, play):
    play(page, standing(0, 8), 60)
    assert page.inner_text("#label").lower() == "standing"
    assert page.is_visible("#stop")
    assert page.is_hidden("#start")
    assert "sends 60 samples per second" in page.text_content("#measured")
    assert "standing" in page.get_attribute("#minute", "aria-label")


@state()
def walking(page, play):
    play(page, walk(12), 90)
    assert page.inner_text("#label") == "Walking"
    count, pace = map(int, re.fullmatch(r"(\d+) steps · (\d+) per minute", page.inner_text("#detail")).groups())
    assert count > 10
    assert 80 < pace < 140
    # The figure moves at the cadence that is felt.
    rates = page.evaluate(
        "[...document.querySelectorAll('#picture .limb')].map(e => e.getAnimations()[0].playbackRate)"
    )
    assert rates == pytest.approx([pace / 60] * 4, rel=0.1)


@state()
def in_the_hand(page, play):
    held = [[time, 0.3, 6.0 + np.sin(7 * time), 7.5 + np.cos(7 * time)] for time, *_ in standing(0, 6)]
    play(page, held, 40)
    assert [page.inner_text(f"#{id}") for id in ("label", "probability")] == ["Put me in your pocket", ""]
    assert page.locator("#bars [aria-current=true]").count() == 0


@state()
def something_else(page, play):
    page.evaluate("localStorage.setItem('pocket-zoo-threshold-activity_gru_pocket', '0.999')")
    page.reload()
    play(page, standing(0, 12), 100)
    assert page.inner_text("#label") == "Something else"


@state()
def simulated(page, play):
    page.click("#simulate")
    page.wait_for_selector("#signal-axes span")
    page.clock.run_for(4000)
    assert page.inner_text("#label") == "Standing"
    assert page.is_hidden("#teach")
    page.click("#pause")
    assert page.inner_text("#detail") == "Paused"


@state(before=REFUSING)
def refused(page, play):
    page.click("#start")
    assert problem(page)[0] == "Access to the motion sensor was refused"


@state(patient=False)
def no_sensor(page, play):
    page.click("#start")
    page.clock.run_for(2100)
    assert problem(page)[0] == "No motion sensor"
    assert page.is_enabled("#simulate")


@state()
def slow(page, play):
    play(page, standing(0, 6, 20), 40)
    page.wait_for_selector("#detail:has-text('20 samples per second; the model was trained on 50')")
    assert [page.inner_text(f"#{id}") for id in ("label", "probability")] == ["Sensor too slow", ""]
    assert page.locator("#bars [aria-current=true]").count() == 0
    assert page.is_hidden("#restart")


@state(patient=False)
def silent(page, play):
    play(page, standing(0, 4), 20)
    page.clock.run_for(1100)
    page.wait_for_selector("#label:text-is('No signal')")
    assert "stopped sending" in page.inner_text("#detail")
    assert page.is_visible("#restart")
    assert page.inner_text("#probability") == ""
    assert page.locator("#bars [aria-current=true]").count() == 0


@state()
def recording(page, play):
    page.click("#start")
    page.wait_for_selector("body[data-state=running]")
    page.fill("#subject", "me")
    page.fill("#activity", "cycling")
    assert page.evaluate("[...document.getElementById('activities').options].map(o => o.value)") == list(CLASSES)
    play(page, standing(0, 2), 1)
    page.click("#record")
    play(page, standing(3, 23), 150)
    page.wait_for_selector("#record:has-text('19 of 60')")
    page.evaluate("document.getElementById('teach').scrollIntoView()")


@state()
def summary(page, play):
    # Half a minute of standing, with a break.
    play(page, [*standing(0, 15), *standing(45, 60)], 250)
    page.clock.run_for(700)
    page.press("#stop", "Enter")
    page.wait_for_selector("#summary:visible")
    assert page.inner_text("#label") == "Mostly standing"
    assert page.locator("#fix-when option").all_inner_texts() == ["0:00 to 0:13, standing", "0:45 to 0:58, standing"]


@state(host="phone.test", has_touch=False)
def desktop(page, play):
    page.wait_for_selector("#elsewhere:visible")
    page.wait_for_selector("#signal-axes span")
    page.clock.run_for(4000)
    assert (page.inner_text("#label"), page.inner_text("#address")) == ("Standing", page.url)


@state("?person")
def demonstrated(page, play):
    page.wait_for_selector("#credit:visible")
    page.clock.run_for(4000)
    page.wait_for_selector("#hint:has-text('the label agrees')")


@state("?engine=litert")
def unteachable(page, play):
    page.wait_for_selector("#unteachable:has-text('cannot be taught here, because LiteRT.js runs it')")
    assert "run by LiteRT.js" in page.inner_text("#about")
    assert page.is_hidden("#teach-open")


@pytest.mark.parametrize("name", STATES)
def test_a_state_says_what_is_and_is_accessible(name, open_page, play, address):
    show, query, host, options = STATES[name]
    page = open_page(address.replace("127.0.0.1", host) + query, **options)
    show(page, play)
    look(page, name, dark=True)


def test_below_the_threshold_of_the_file_nothing_is_claimed(run, serve_files, model_file, tmp_path):
    file = tmp_path / "model.tflite"
    file.write_bytes(model_file.read_bytes())
    embed(file, replace(extract(file), threshold=0.9999))
    with serve_files(page_files(file)) as url:
        page = run(standing(0, 8), 60, url)
        assert (page.inner_text("#label"), page.inner_text("#probability")) == ("Something else", "perhaps standing")
        assert page.locator("#bars [aria-current=true]").count() == 0


def turning(seconds):
    """Samples of somebody who stands and turns the phone about."""
    return [[time, *row, 1.0, -2.0, 3.0 * np.sin(5 * time)] for time, *row in standing(0, seconds)]


def test_rotation_rate_is_shown_where_a_model_reads_it(run, address, inertial_address):
    for url in (address, inertial_address):
        page = run(turning(4), 5, url)
        page.wait_for_selector("#signal-axes span")
        assert page.is_visible("#turning") == (url == inertial_address)
    assert page.locator("#turning-axes span").all_inner_texts()[:2] == ["x 1.0", "y \N{MINUS SIGN}2.0"]
    page.evaluate("document.getElementById('rotation').scrollIntoView()")
    look(page, "turning")


def test_a_phone_without_a_gyroscope_is_refused_where_a_model_reads_one(run, inertial_address):
    page = run(standing(0, 1), 0, inertial_address, patient=False)
    page.clock.run_for(2100)
    title, text = problem(page)
    assert title == "No gyroscope"
    assert "zoo data windows --channels x,y,z and train a model that reads acceleration alone" in text
    look(page, "no-gyroscope")


BAD_MODELS = {
    "missing": (None, "missing (status 404)"),
    "no tflite": (b"<!doctype html>", "not a TFLite file"),
    "cut off": (600, "truncated or damaged"),
    "of photographs": ("sparse_autoencoder_course/model.float32.tflite", "not an activity recognizer"),
}


@pytest.mark.parametrize("case", BAD_MODELS)
def test_a_model_that_does_not_run_is_named_with_its_reason(case, open_page, serve_files, model_file, tmp_path):
    made, message = BAD_MODELS[case]
    file = tmp_path / "model.tflite"
    if isinstance(made, bytes):
        file.write_bytes(made)
    elif isinstance(made, int):
        file.write_bytes(model_file.read_bytes()[:made])
    elif made:
        file = PRESETS_FOLDER / made
    with serve_files(page_files(file)) as url:
        page = open_page(url)
        title, text = problem(page)
        assert title == "The model cannot be loaded"
        assert message in text
        assert page.is_disabled("#start")
        if case == "of photographs":
            look(page, "model-of-photographs")


@pytest.fixture
def plain_folder(host, tmp_path):
    """The page as any static host serves it, under a sub-path and without TLS."""
    shutil.copytree(PAGE_FOLDER, tmp_path / "some" / "folder")
    with host(tmp_path) as port:
        yield lambda name: f"http://{name}:{port}/some/folder/"


def test_an_address_that_is_not_secure_is_named(plain_folder, open_page):
    page = open_page(plain_folder("phone.test"))
    assert problem(page)[0] == "This address is not secure"
    assert page.is_disabled("#start")
    assert page.is_enabled("#simulate")
    look(page, "insecure")


@pytest.mark.parametrize("engine", ["", "?engine=litert"])
def test_any_static_host_serves_it_under_a_sub_path_and_it_reloads_offline(engine, plain_folder, open_page, play):
    page = open_page(plain_folder("localhost") + engine, service_workers="allow")
    page.wait_for_selector("#offline:not([hidden])")
    page.context.set_offline(True)
    page.reload()
    page.wait_for_selector("#offline:not([hidden])")
    play(page, standing(0, 4), 20)
    assert page.inner_text("#label").lower() == "standing"
    if not engine:
        look(page, "offline")


def test_a_mistyped_scheme_is_mended_and_the_sensor_works(open_page, play, address):
    page = open_page()
    page.goto(address.replace("https:", "http:"))
    assert page.url == address
    play(page, standing(0, 4), 20)
    assert page.inner_text("#label") == "Standing"


def test_it_can_be_installed(open_page, address):
    page = open_page()
    manifest = page.evaluate("fetch(document.querySelector('link[rel=manifest]').href).then(r => r.json())")
    assert manifest["display"] == "standalone"
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in manifest["icons"]}
    session = page.context.new_cdp_session(page)
    errors = {error["errorId"] for error in session.send("Page.getInstallabilityErrors")["installabilityErrors"]}
    assert errors <= {"in-incognito"}


def test_the_screen_stays_on_while_it_runs(run, stop):
    page = run(standing(0, 2), 1, before=WAKE_LOCKS)
    assert page.evaluate("locks.map(lock => [lock.kind, !!lock.released])") == [["screen", False]]
    stop(page)
    assert page.evaluate("locks[0].released")


def test_where_the_screen_may_turn_off_the_page_says_so(open_page):
    page = open_page(before="navigator.wakeLock.request = () => Promise.reject(new Error('low battery'));")
    page.wait_for_selector("#hint:has-text('Leave the screen on')")
    page.click("#start")
    page.wait_for_selector("#hint:has-text('The screen may turn off')")


def test_reduced_motion_draws_once_a_second(open_page):
    counted = """
        const clear = CanvasRenderingContext2D.prototype.scale;
        window.drawings = 0;
        CanvasRenderingContext2D.prototype.scale = function (...a) { drawings += 1; return clear.apply(this, a); };
    """
    page = open_page(before=counted, reduced_motion="reduce")
    page.click("#simulate")
    page.wait_for_selector("#signal-axes span")
    page.clock.run_for(2500)
    # Two drawings a time.
    assert 2 <= page.evaluate("drawings") <= 8


def test_two_taps_are_one_start_and_stop_forgets_what_was(run, play, stop):
    asked = "window.asked = 0; DeviceMotionEvent.requestPermission = async () => { asked += 1; return 'granted'; };"
    page = run(lying(0, 5), 20, before=asked)
    page.wait_for_selector("#minute[aria-label*='sitting']")
    stop(page)
    page.wait_for_selector("#summary:visible")
    page.clock.run_for(700)
    page.evaluate("for (const _ of [1, 2]) document.getElementById('start').click()")
    play(page, standing(0, 4), 20)
    assert page.evaluate("asked") == 2
    assert page.is_visible("#stop")
    page.wait_for_selector("#minute[aria-label*='standing']")
    assert "sitting" not in page.get_attribute("#minute", "aria-label")
