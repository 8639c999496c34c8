"""Every state of the page says plainly what is, in light and dark, and is accessible."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from phone.pages import MODEL, WAKE_LOCKS, look, lying, play, send, standing, stop
from running import host

from zoo.activity.simulate import walk_through
from zoo.catalog import PRESETS_FOLDER
from zoo.runtime.metadata import CLASSES, embed, extract
from zoo.serving.server import PAGE_FOLDER


def walk(seconds):
    rows = walk_through(["walking"], float(seconds), 60.0, seed=1)[0].tolist()
    return [[number / 60, *row] for number, row in enumerate(rows)]


REFUSING = "DeviceMotionEvent.requestPermission = () => Promise.resolve('denied');"


def problem(page):
    page.wait_for_selector("#problem:not([hidden])")
    return page.inner_text("#label"), page.inner_text("#problem-text")


STATES = {}
"""What brings a page into a state and looks at its words; how the page is opened."""


def state(query="", **options):
    def add(show):
        STATES[show.__name__] = show, query, options
        return show

    return add


@state()
def start(page):
    page.wait_for_selector("#start:enabled")
    assert page.is_visible("#collect")


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
def loading(page):
    page.wait_for_selector("#detail:text-is('Model: 40 of 84 kB')")
    assert page.evaluate("document.getElementById('progress').position") == pytest.approx(40 / 84)
    assert page.is_disabled("#start")


@state("?engine=litert", before=STALLED.replace("NAME", ".wasm"))
def loading_litert(page):
    page.wait_for_selector("#detail:text-matches('LiteRT.js: 40 of 9,\\\\d{3} kB')")


@state()
def gathering(page):
    page.click("#teach-open")
    assert page.evaluate("[...document.getElementById('activities').options].map(o => o.value)") == list(CLASSES)
    page.fill("#lesson-activity", "standing")
    page.click("#lesson-record")
    page.wait_for_selector("#lesson-cancel:visible")
    page.wait_for_selector("#detail:text-is('Put the phone in your pocket.')")
    page.wait_for_selector("#count:text-matches('^[1-5]$')")
    assert page.is_visible("#lesson-cancel")


@state()
def walking(page):
    play(page, walk(12), 90)
    assert page.inner_text("#label") == "Walking"
    count, pace = map(int, re.fullmatch(r"(\d+) steps · (\d+) per minute", page.inner_text("#detail")).groups())
    assert count > 10
    assert 80 < pace < 140
    # The figure moves when the charts do.
    page.clock.run_for(200)
    assert page.evaluate("document.getElementById('picture').style.getPropertyValue('--swing')").endswith("deg")


@state()
def out_of_the_pocket(page):
    play(page, walk(12), 90)
    held = [[12 + time, 0.3, 6.0 + np.sin(7 * time), 7.5 + np.cos(7 * time)] for time, *_ in standing(0, 6)]
    play(page, held, 40)
    assert page.inner_text("#label") == "Out of your pocket"
    assert re.fullmatch(r"While in your pocket: .*walking \d+ s, .*\d+ steps\.", page.inner_text("#detail"))
    tops = [page.locator(f"#{id}").bounding_box()["y"] for id in ("minute", "signal", "bars")]
    assert tops == sorted(tops)


@state()
def lesson(page):
    page.click("#teach-open")
    page.fill("#lesson-activity", "standing")
    page.click("#lesson-record")
    page.wait_for_selector("#count:visible")
    page.clock.run_for(5100)
    send(page, standing(0, 12))
    page.wait_for_selector("#count:text-is('11 s')")
    assert [page.inner_text(f"#{id}") for id in ("label", "detail")] == ["Standing", "of 30 s"]
    assert page.evaluate("document.getElementById('progress').value") == pytest.approx(12 / 30, abs=0.02)


@state()
def in_the_hand(page):
    held = [[time, 0.3, 6.0 + np.sin(7 * time), 7.5 + np.cos(7 * time)] for time, *_ in standing(0, 6)]
    play(page, held, 40)
    assert [page.inner_text(f"#{id}") for id in ("label", "probability")] == ["Put me in your pocket", ""]
    assert page.locator("#bars [aria-current=true]").count() == 0


@state(before=REFUSING)
def refused(page):
    page.click("#start")
    assert problem(page)[0] == "Access to the motion sensor was refused"


@state()
def slow(page):
    play(page, standing(0, 6, 20), 40)
    page.wait_for_selector("#detail:has-text('20 samples per second; the model was trained on 50')")
    assert [page.inner_text(f"#{id}") for id in ("label", "probability")] == ["Sensor too slow", ""]
    assert page.locator("#bars [aria-current=true]").count() == 0
    assert page.is_hidden("#restart")


@state("?engine=litert")
def unteachable(page):
    page.wait_for_selector("#unteachable:has-text('cannot be taught here, because LiteRT.js runs it')")
    assert "run by LiteRT.js" in page.inner_text("#about")
    assert page.is_hidden("#teach-open")


@pytest.mark.parametrize("name", STATES)
def test_a_state_says_what_is_and_is_accessible(name, open_page, address):
    show, query, options = STATES[name]
    page = open_page(address + query, **options)
    show(page)
    look(page, name, dark=True)


def test_who_holds_stop_for_long_presses_nothing_that_comes_under_the_finger(open_page):
    page = open_page()
    play(page, walk(12), 60)
    stop(page, 2300)
    # As a phone does, wherever the finger was laid down.
    x, y = (page.locator("#start").bounding_box()[key] for key in ("x", "y"))
    page.evaluate("([x, y]) => document.elementFromPoint(x, y).click()", [x + 20, y + 20])
    assert page.get_attribute("body", "data-state") == "summary"
    page.clock.run_for(700)
    page.click("#start")
    page.wait_for_selector("body[data-state=running]")


def test_below_the_threshold_of_the_file_nothing_is_claimed(run, serve_page, tmp_path):
    file = tmp_path / "model.tflite"
    file.write_bytes(MODEL.read_bytes())
    embed(file, replace(extract(file), threshold=0.9999))
    with serve_page(file) as url:
        page = run(standing(0, 8), 60, url)
        assert (page.inner_text("#label"), page.inner_text("#probability")) == ("Something else", "perhaps standing")
        assert page.locator("#bars [aria-current=true]").count() == 0
        look(page, "something_else", dark=True)


def turning(seconds):
    """Samples of somebody who stands and turns the phone about."""
    return [[time, *row, 1.0, -2.0, 3.0 * np.sin(5 * time)] for time, *row in standing(0, seconds)]


def test_rotation_rate_is_shown_where_a_model_reads_it(run, address, inertial_address):
    for url in (address, inertial_address):
        page = run(turning(4), 5, url)
        page.wait_for_selector("#signal-axes span")
        assert page.is_visible("#turning") == (url == inertial_address)
        # The page that records minutes is asked for what the model reads, and offers its activities.
        asked = "labels=still%2Cturning&gyroscope=" if url == inertial_address else f"labels={'%2C'.join(CLASSES)}"
        assert page.get_attribute("#collect", "href") == f"collect.html?{asked}"
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


PHOTOGRAPHS = PRESETS_FOLDER / "sparse_autoencoder_course" / "model.float32.tflite"
BAD_MODELS = {
    "missing": (None, "missing (status 404)"),
    "no tflite": (b"<!doctype html>", "not a TFLite file"),
    "cut off": (MODEL.read_bytes()[:600], "truncated or damaged"),
    "of photographs": (PHOTOGRAPHS.read_bytes(), "not an activity recognizer"),
}


@pytest.mark.parametrize("case", BAD_MODELS)
def test_a_model_that_does_not_run_is_named_with_its_reason(case, open_page, serve_page, tmp_path):
    (content, message), file = BAD_MODELS[case], tmp_path / "model.tflite"
    if content is not None:
        file.write_bytes(content)
    with serve_page(file) as url:
        page = open_page(url)
        title, text = problem(page)
        assert title == "The model cannot be loaded"
        assert message in text
        assert page.is_disabled("#start")
        if case == "of photographs":
            look(page, "model-of-photographs")


@pytest.fixture
def plain_folder(tmp_path):
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
def test_any_static_host_serves_it_under_a_sub_path_and_it_reloads_offline(engine, plain_folder, open_page):
    page = open_page(plain_folder("localhost") + engine, service_workers="allow")
    page.wait_for_selector("#offline:not([hidden])")
    page.context.set_offline(True)
    page.reload()
    page.wait_for_selector("#offline:not([hidden])")
    play(page, standing(0, 4), 20)
    assert page.inner_text("#label").lower() == "standing"
    if not engine:
        look(page, "offline")
        # The demonstration is there as well.
        page.reload()
        page.click("#person")
        page.wait_for_selector("#simulated:text-is('Recording of a real person')")


def test_it_can_be_installed(open_page, address):
    page = open_page()
    manifest = page.evaluate("fetch(document.querySelector('link[rel=manifest]').href).then(r => r.json())")
    assert manifest["display"] == "standalone"
    assert {"192x192", "512x512"} <= {icon["sizes"] for icon in manifest["icons"]}
    session = page.context.new_cdp_session(page)
    errors = {error["errorId"] for error in session.send("Page.getInstallabilityErrors")["installabilityErrors"]}
    assert errors <= {"in-incognito"}


def test_the_screen_stays_on_while_it_runs(run):
    page = run(standing(0, 2), 1, before=WAKE_LOCKS)
    assert page.evaluate("locks.map(lock => [lock.kind, !!lock.released])") == [["screen", False]]
    stop(page)
    assert page.evaluate("locks[0].released")


def test_without_a_sensor_the_screen_may_turn_off(open_page):
    page = open_page(before=WAKE_LOCKS, patient=False)
    page.click("#start")
    page.clock.run_for(2100)
    assert problem(page)[0] == "No motion sensor"
    assert page.evaluate("locks.map(lock => !!lock.released)") == [True]
    # A sensor may be slow to start.
    play(page, standing(0, 2), 1)
    assert page.evaluate("locks.map(lock => !!lock.released)") == [True, False]


def test_a_lock_that_is_granted_late_is_given_back(open_page):
    late = """
        navigator.wakeLock.request = () => new Promise(done => {
          const lock = {grant: () => done(lock), release: async () => { lock.released = true; }};
          (window.locks ??= []).push(lock);
        });
    """
    page = open_page(before=late)
    released = "locks.map(lock => !!lock.released)"
    play(page, standing(0, 3), 10)
    stop(page)
    page.evaluate("locks[0].grant()")
    assert page.evaluate(released) == [True]
    play(page, standing(0, 3), 10)
    stop(page)
    play(page, standing(0, 3), 10)
    # Those of both runs, of which one is over.
    page.evaluate("locks.map(lock => lock.grant())")
    assert page.evaluate(released) == [True, True, False]
    stop(page)
    assert page.evaluate(released) == [True, True, True]


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
    page.evaluate("() => { window.begun = performance.now(); drawings = 0; }")
    page.clock.run_for(2500)
    # Two drawings a time; on a busy machine the clock runs on by itself.
    count, seconds = page.evaluate("[drawings, (performance.now() - begun) / 1000]")
    assert 2 <= count <= 2 * (seconds + 1)


def test_two_taps_are_one_start_and_stop_forgets_what_was(run):
    asked = "window.asked = 0; DeviceMotionEvent.requestPermission = async () => { asked += 1; return 'granted'; };"
    page = run(lying(0, 5), 20, before=asked)
    page.wait_for_selector("#minute[aria-label*='sitting']")
    stop(page)
    page.wait_for_selector("#summary:visible")
    page.clock.run_for(700)
    page.evaluate("for (const _ of [1, 2]) document.getElementById('start').click()")
    page.wait_for_selector("body[data-state=running]")
    play(page, standing(0, 4), 20)
    assert page.evaluate("asked") == 2
    assert page.is_visible("#stop")
    page.wait_for_selector("#minute[aria-label*='standing']")
    assert "sitting" not in page.get_attribute("#minute", "aria-label")
