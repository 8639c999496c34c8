"""The page learns its owner's activities, and of windows the same as `zoo.runtime.PersonalRecognizer`."""

import json
import re
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from phone.pages import (
    KEPT,
    LOUD,
    PATIENT,
    SHOTS,
    forget,
    gather,
    gather_two,
    learn,
    look,
    play,
    rowing,
    send,
    standing,
    stop,
    until,
)
from running import PHONE_PAGE, bundled

from zoo.activity.simulate import walk_through
from zoo.catalog import PRESETS_FOLDER
from zoo.runtime import PersonalRecognizer, Recognizer
from zoo.runtime.metadata import embed, extract
from zoo.runtime.personal import SHARES, rank_in_class

PRESET = PRESETS_FOLDER / "activity_gru_pocket"
PROGRAM = """
import {readFileSync} from 'node:fs';
import {answerer} from 'PHONE/src/learn/answers';
import {extended, learn, probabilities} from 'PHONE/src/learn/learn';
import {Recognizer} from 'PHONE/src/model/recognizer';
globalThis.location = {search: ''};
const {file, windows, labels, classes, orders} = JSON.parse(readFileSync(0, 'utf8'));
const recognizer = await Recognizer.open(new Uint8Array(readFileSync(file)), () => {});
const {temperature, weights_sha256} = recognizer.metadata;
const features = answerer(recognizer.file)(['features', windows.map(window => Float32Array.from(window.flat()))]);
const shuffle = (count, epoch) => orders[count][epoch];
const known = extended(recognizer.head, classes.length);
const lesson = learn(known, features, labels, {temperature, epochs: EPOCHS, rate: 0.02, folds: 3, shuffle});
const {kernel, bias} = lesson.head;
const rows = Array.from({length: kernel.length / bias.length}, (_, i) => [
  ...kernel.slice(i * bias.length, (i + 1) * bias.length),
]);
console.log(JSON.stringify({
  schema: 1, weights_sha256, classes, kernel: rows, bias: [...bias], share: lesson.share, heldBack: lesson.heldBack,
  before: features.map(each => probabilities(known, each, temperature)),
  after: features.map(each => probabilities(lesson.head, each, temperature)),
}));
"""
EPOCHS = 20


@pytest.fixture(scope="session")
def page_learns(tmp_path_factory):
    """Runs the page's code in Node: `page_learns(windows, labels, classes)`."""
    source = tmp_path_factory.mktemp("learning") / "program.ts"
    source.write_text(PROGRAM.replace("PHONE", str(PHONE_PAGE)).replace("EPOCHS", str(EPOCHS)))
    program = bundled(source, source.parent)

    def run(windows, labels, classes, file=PRESET / "model.float32.tflite"):
        counts = {len(labels), *(int((rank_in_class(labels) % 3 != fold).sum()) for fold in range(3))}
        orders = {count: epoch_orders(count) for count in counts}
        asked = {
            "file": str(file), "windows": windows.tolist(), "labels": labels.tolist(),
            "classes": list(classes), "orders": orders,
        }  # fmt: skip
        command = ["node", program]
        found = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True)
        return json.loads(found.stdout)

    return run


def epoch_orders(count):
    """The orders of windows in `PersonalRecognizer.learn`."""
    random = np.random.default_rng(0)
    return [random.permutation(count).tolist() for _ in range(EPOCHS)]


def windows_of(activities, seed, turned=False):
    rows = walk_through(activities, 18.0, 50.0, seed=seed)[0]
    return rows.reshape(-1, 150, 3) * (np.float32([1, -1, -1]) if turned else 1)


@pytest.mark.parametrize("made", ["inertial_file", "convolutional_file"])
def test_the_last_layer_has_the_temperature_and_the_prior_of_its_file(made, page_learns, request):
    file = request.getfixturevalue(made)
    recognizer = Recognizer(file)
    shape = (4, recognizer.metadata.window, len(recognizer.metadata.axes))
    windows = np.random.default_rng(0).normal(0, 4, shape).astype(np.float32)
    found = page_learns(windows, np.array([0, 1, 0, 1]), recognizer.metadata.classes, file)
    np.testing.assert_allclose(found["before"], recognizer.predict(windows), atol=1e-5)


CASES = {"what it knows": False, "a phone upside down": True}


@pytest.mark.parametrize("case", CASES)
def test_the_page_learns_what_the_runtime_learns(case, page_learns):
    recognizer = PersonalRecognizer(PRESET / "model.personal.tflite")
    classes = recognizer.metadata.classes
    names = ["sitting", "standing", "walking"]
    windows = windows_of(names, 3, turned=CASES[case])
    labels = np.repeat([classes.index(name) for name in names], 6)
    found = page_learns(windows, labels, classes)
    np.testing.assert_allclose(found["before"], recognizer.predict(windows), atol=1e-4)
    before = recognizer.run("save")
    recognizer.learn(windows, labels, epochs=EPOCHS, rate=0.02, seed=0, folds=3)
    after = recognizer.run("save")
    np.testing.assert_allclose(found["after"], recognizer.predict(windows), atol=1e-4)
    np.testing.assert_allclose(found["kernel"], after["kernel"], atol=1e-4)
    np.testing.assert_allclose(found["bias"], after["bias"], atol=1e-4)
    moved = np.abs(after["kernel"] - before["kernel"]).max() > 0
    assert (found["share"] in SHARES) == moved
    assert len(found["heldBack"]) == len(labels)


def test_new_activities_are_learned_and_restored_by_the_runtime(page_learns, tmp_path):
    recognizer = PersonalRecognizer(PRESET / "model.personal.tflite")
    classes = [*recognizer.metadata.classes, "lying", "swinging"]
    random = np.random.default_rng(0)
    lying = random.normal([0.2, 0.3, 9.7], 0.05, (9, 150, 3))
    swinging = lying + 6 * np.sin(np.arange(150)[None, :, None] / [[[5, 9, 7]]])
    walking = windows_of(["walking"], 3)
    windows = np.concatenate([lying, swinging, walking]).astype(np.float32)
    labels = np.repeat([classes.index(name) for name in ("lying", "swinging", "walking")], [9, 9, 6])
    found = page_learns(windows, labels, classes)
    assert found["share"] in SHARES
    right = [row["label"] == row["after"] for row in found["heldBack"]]
    assert np.mean(right) > 0.8
    (tmp_path / "mine.json").write_text(json.dumps(found))
    recognizer.restore(tmp_path / "mine.json")
    np.testing.assert_allclose(recognizer.predict(windows), found["after"], atol=1e-4)
    assert recognizer.recognize(windows[:1], threshold=0) == ["lying"]
    predictions = list(recognizer.stream().feed([(i / 50, *row) for i, row in enumerate(lying[:2].reshape(-1, 3))]))
    assert predictions[-1].label == "lying"


def rowed(count):
    """A window of so many rows at 50 Hz."""
    rows = np.array(rowing(0, 6))
    return np.stack([np.interp(np.arange(count) / 50 + 1, rows[:, 0], axis) for axis in rows[:, 1:].T], axis=-1)[None]


def test_a_file_that_is_no_model_ends_a_recording_and_leaves_the_model_that_was_open(open_page, tmp_path):
    page = open_page()
    begin(page, standing(0, 10))
    (tmp_path / "none.tflite").write_bytes(b"<!doctype html>")
    # The settings are not in view while one teaches: as a file that is dropped on the page late.
    page.set_input_files("#file", tmp_path / "none.tflite")
    page.wait_for_selector("#label:text-is('The model cannot be loaded')")
    assert "not a TFLite file. activity_gru_pocket is still open." in page.inner_text("#problem-text").replace(
        "\n", " "
    )
    send(page, standing(10, 50))
    page.clock.run_for(700)
    assert page.get_attribute("body", "data-state") == "problem"
    look(page, "model-stays")
    play(page, standing(60, 64), 20)
    assert page.inner_text("#label") == "Standing"


def test_two_pages_of_a_browser_teach_the_same_model(open_page):
    page = open_page()
    page.click("#teach-open")
    other = page.context.new_page()
    other.add_init_script(PATIENT)
    other.clock.install()
    other.goto(page.url)
    other.click("#teach-open")
    gather(page, "standing", standing(0, 36))
    other.wait_for_selector("#lesson-list li:has-text('standing, 30 s')")
    gather(other, "rowing", rowing(0, 36))
    page.wait_for_selector("#lesson-list li:has-text('rowing, 30 s')")
    learn(page)
    other.wait_for_selector("#try:visible")
    other.click("#lessons-done")
    assert "rowing" in other.locator("#known .chip").all_inner_texts()
    forget(page)
    other.wait_for_selector("#known .chip:has-text('rowing')", state="detached")


def test_done_ends_a_recording_and_asks_where_it_is_too_short_to_be_kept(open_page):
    page = open_page()
    begin(page, standing(0, 10))
    # The second tap is an echo of the first one.
    page.evaluate("for (const _ of [1, 2]) document.getElementById('lessons-done').click()")
    send(page, standing(10, 11))
    asks = "10 s is too short to learn from: go on, or tap Done again to drop it."
    page.wait_for_selector(f"#notice-text:text-is('{asks}')")
    page.screenshot(path=SHOTS / "asks.png")
    page.clock.run_for(700)
    page.click("#lessons-done")
    page.wait_for_selector("#lesson-said:text-is('10 s is too short to learn from: not kept.')")
    assert page.locator("#lesson-list li").count() == 0
    look(page, "too-short", dark=True)
    page.click("#lesson-record")
    page.wait_for_selector("#lesson-cancel:visible")
    page.clock.run_for(5100)
    send(page, standing(11, 21))
    page.clock.run_for(700)
    page.click("#lessons-done")
    # Who goes on has answered.
    send(page, standing(21, 31))
    until(page, "() => !document.getElementById('notice-text').textContent")
    page.click("#lessons-done")
    page.wait_for_selector("#lesson-list li:has-text('standing, 20 s')")
    page.clock.run_for(700)
    page.click("#lessons-done")
    assert page.get_attribute("body", "data-state") == "start"


def test_every_deletion_is_undone_step_by_step(open_page):
    page = open_page()
    gather_two(page)
    for left in (1, 0):
        page.click("#lesson-list button:has-text('Delete') >> nth=0")
        until(page, "left => document.querySelectorAll('#lesson-list > li').length === left", left)
    # What is done meanwhile forgets none.
    page.click("#lesson-record")
    page.click("#lesson-cancel")
    look(page, "deleted", dark=True)
    page.click("#lesson-undo:text-is('Undo deleting rowing')")
    page.wait_for_selector("#lesson-said:text-is('Brought back: rowing.')")
    page.click("#lesson-undo:text-is('Undo deleting standing')")
    page.wait_for_selector("#lesson-undo", state="hidden")
    assert page.locator("#lesson-list strong").all_inner_texts() == ["standing, 30 s", "rowing, 30 s"]


def test_where_there_is_no_room_what_was_taught_serves_until_the_page_is_closed_and_that_is_said(open_page):
    full = "IDBObjectStore.prototype.put = () => { throw new DOMException('', 'QuotaExceededError'); };"
    # An old browser has no workers either: the page learns by itself.
    page = open_page(before=f"{full} delete window.Worker;")
    gather_two(page)
    assert "no room for this recording" in page.inner_text("#lesson-said")
    learn(page)
    page.wait_for_selector("#lesson-said:has-text('no room for what it learned')")
    look(page, "no-room", dark=True)
    page.click("#lessons-done")
    assert "rowing" in page.locator("#known .chip").all_inner_texts()


@pytest.fixture
def taught_page(open_page):
    """A page that has learned to tell rowing from standing, on a system that shares files."""
    page = open_page(
        before="navigator.canShare = () => true; navigator.share = async ({files}) => { window.shared = files[0]; };"
    )
    gather_two(page)
    assert "rowing (" not in page.inner_text("#lesson-list")
    learn(page)
    return page


def begin(page, samples, milliseconds=5100):
    """Begins to record a lesson, and sends samples after some time."""
    page.click("#teach-open")
    page.fill("#lesson-activity", "standing")
    page.click("#lesson-record")
    page.wait_for_selector("#lesson-cancel:visible")
    page.clock.run_for(milliseconds)
    send(page, samples)


def test_what_was_taught_is_recognized_kept_exported_and_forgotten(taught_page, tmp_path):
    page = taught_page
    page.click("#lessons-done")
    assert "rowing" in page.locator("#known .chip").all_inner_texts()
    page.reload()
    page.wait_for_selector("#about:has-text('run by the page itself with what it learned here')")
    (*_, last) = play(page, rowing(0, 8), 60)
    assert page.inner_text("#label") == "Rowing"
    assert len(last["probabilities"]) == 8
    stop(page)
    page.clock.run_for(700)
    page.click("#teach-open")
    assert page.locator("#lesson-list strong").all_inner_texts() == ["standing, 30 s", "rowing, 30 s"]
    with page.expect_download() as download:
        page.click("#lesson-save")
    assert download.value.suggested_filename.startswith("taught-")
    download.value.save_as(tmp_path / "taught.json")
    recognizer = PersonalRecognizer(PRESET / "model.personal.tflite")
    recognizer.restore(tmp_path / "taught.json")
    assert recognizer.recognize(rowed(150)) == ["rowing"]
    page.clock.run_for(700)
    # It asks, and the echo of the tap is no answer.
    page.evaluate("for (const _ of [1, 2]) document.getElementById('lesson-reset').click()")
    page.wait_for_selector("#lesson-reset:text-is('Yes, forget everything')")
    assert page.locator("#lesson-list li").count() == 2
    page.click("#lesson-list button:has-text('Delete') >> nth=0")
    page.wait_for_selector("#lesson-reset:text-is('Forget everything')")
    page.click("#lesson-undo")
    page.wait_for_selector("#lesson-undo", state="hidden")
    assert page.locator("#lesson-list strong").all_inner_texts() == ["standing, 30 s", "rowing, 30 s"]
    forget(page)
    assert page.locator("#lesson-list li").count() == 0
    page.clock.run_for(700)
    page.click("#lessons-done")
    assert "rowing" not in page.locator("#known .chip").all_inner_texts()
    assert page.evaluate(KEPT) == page.evaluate("Object.keys(localStorage)") == []


def test_a_stretch_that_was_recognized_wrongly_becomes_a_recording(run):
    page = run(standing(0, 24), 200)
    stop(page)
    page.wait_for_selector("#fix:visible")
    assert page.locator("#fix-when option").all_inner_texts() == ["0:00 to 0:22, standing"]
    page.fill("#fix-activity", "queueing")
    page.click("#fix button")
    page.wait_for_selector("#lesson-list li:has-text('queueing, 2')")
    page.wait_for_selector("#lesson-list li:has-text('Recognized as standing (')")
    # One activity alone teaches nothing.
    assert page.is_disabled("#learn")
    page.click("#lesson-list button")
    page.wait_for_selector("#lesson-list li", state="detached")


def test_a_name_is_spelled_as_it_is_known_and_a_blank_is_none(open_page):
    page = open_page()
    page.click("#teach-open")
    for typed, why in ((" ", "Type a word."), ("Other", '"other" stands for')):
        page.fill("#lesson-activity", typed)
        page.click("#lesson-record")
        assert why in page.evaluate("document.getElementById('lesson-activity').validationMessage")
        assert page.is_enabled("#lesson-record")
    gather(page, "Standing", standing(0, 36))
    assert page.locator("#lesson-list strong").all_inner_texts() == ["standing, 30 s"]


def recorded(page):
    """All numbers of the recordings that the page keeps."""
    return np.concatenate([np.array(each["rows"]) for each in page.evaluate(KEPT)])


def test_what_the_stream_drops_is_not_learned(run):
    faulty = [row for number, sample in enumerate(standing(0, 24)) for row in [sample] * (1 + (number % 10 == 0))]
    faulty[700] = [faulty[700][0], 1e30, 0.0, 0.0]
    page = run(faulty, 180)
    stop(page)
    page.fill("#fix-activity", "queueing")
    page.click("#fix button")
    page.wait_for_selector("#lesson-list li:has-text('queueing, 2')")
    assert np.abs(recorded(page)).max() < 12
    samples = standing(0, 36)
    samples[600] = [samples[600][0], 0.0, 1e30, 0.0]
    gather(page, "standing", samples)
    assert np.abs(recorded(page)).max() < 12


def test_another_publication_of_a_model_keeps_what_was_recorded_and_says_so(taught_page, tmp_path):
    page = taught_page
    page.click("#lessons-done")
    file = tmp_path / "model.tflite"
    file.write_bytes((PRESET / "model.float32.tflite").read_bytes())
    embed(file, replace(extract(file), weights_sha256="0" * 64))
    page.click("#settings summary")
    page.set_input_files("#file", file)
    page.wait_for_selector("#known .chip >> nth=5")
    page.wait_for_selector("#about:not(:has-text('with what it learned here'))")
    page.clock.run_for(700)
    page.click("#teach-open")
    assert page.locator("#lesson-list strong").all_inner_texts() == ["standing, 30 s", "rowing, 30 s"]
    assert "your recordings are kept" in page.inner_text("#lesson-said")
    learn(page)
    page.clock.run_for(700)
    page.click("#lessons-done")
    assert "rowing" in page.locator("#known .chip").all_inner_texts()


def test_the_browser_is_asked_to_keep_recordings_each_of_which_has_a_card_with_its_curve(open_page):
    page = open_page(before=f"{LOUD}window.asked = 0; navigator.storage.persist = async () => Boolean(asked += 1);")
    page.click("#teach-open")
    assert page.evaluate("asked") == 0
    gather(page, "standing", standing(0, 36))
    assert page.evaluate("asked") == 1
    # A tone for each of the last three seconds, one for the start and two for the end.
    assert page.evaluate("tones") == [660, 660, 660, 880, 660, 440]
    gather(page, "rowing", rowing(0, 36))
    # In one turn: a card is drawn again when what was believed of its recording is known.
    drawn = "[...document.querySelectorAll('#lesson-list .curve path')].map(each => each.getBBox().height)"
    curves = page.evaluate(drawn)
    # Somebody who stands is calm, and a boat is not.
    assert 0 < 2 * curves[0] < curves[1]
    assert page.locator("#lesson-list .picture").count() == 2


def test_the_next_activity_is_proposed_and_what_is_typed_stays(open_page):
    page = open_page()
    page.click("#teach-open")
    proposed = [page.input_value("#lesson-activity")]
    gather(page, proposed[0], standing(0, 36))
    proposed.append(page.input_value("#lesson-activity"))
    assert proposed == ["walking", "downstairs"]
    page.fill("#lesson-activity", "row")
    page.click("#lesson-list button:has-text('Delete')")
    page.click("#lesson-undo")
    page.wait_for_selector("#lesson-list li")
    assert page.input_value("#lesson-activity") == "row"


def test_what_is_typed_replaces_the_proposed_activity(open_page):
    page = open_page()
    page.click("#teach-open")
    assert page.input_value("#lesson-activity") == "walking"
    for way in (page.click, page.tap):
        way("#lesson-activity")
        page.keyboard.type("row")
        assert page.input_value("#lesson-activity") == "row"
        page.keyboard.press("Tab")


def test_back_leads_from_teaching_to_the_start_and_a_recording_is_asked_for_first(open_page):
    page = open_page()
    page.click("#teach-open")
    page.go_back()
    page.wait_for_selector("body[data-state=start]")
    page.clock.run_for(700)
    begin(page, standing(0, 10))
    page.go_back()
    send(page, standing(10, 11))
    page.wait_for_selector("#notice-text:has-text('too short to learn from')")
    page.go_back()
    page.wait_for_selector("#lesson-said:has-text('not kept')")
    page.go_back()
    page.wait_for_selector("body[data-state=start]")
    # Done leaves nothing behind to go back to.
    page.clock.run_for(700)
    page.click("#teach-open")
    page.clock.run_for(700)
    page.click("#lessons-done")
    until(page, "history.state === null")
    assert page.get_attribute("body", "data-state") == "start"


def test_a_recording_that_is_new_takes_the_place_of_what_the_last_lesson_brought(taught_page):
    page = taught_page
    page.click("#lessons-done")
    play(page, standing(0, 24), 200)
    stop(page)
    page.fill("#fix-activity", "queueing")
    page.click("#fix button")
    page.wait_for_selector("#lesson-said:text-is('Added: queueing, 20 s.')")
    assert page.is_hidden("#learned")
    look(page, "fixed", dark=True)
    learn(page)
    assert "queueing: " in page.inner_text("#confusion")


def test_a_computer_is_not_waited_for(open_page):
    page = open_page(has_touch=False, patient=False)
    page.wait_for_selector("#stop:visible")
    page.clock.run_for(700)
    page.click("#stop")
    page.clock.run_for(700)
    page.click("#teach-open")
    page.click("#lesson-record")
    page.wait_for_selector("#count:visible")
    page.clock.run_for(2100)
    page.wait_for_selector("#lesson-said:has-text('No motion sensor')")


def test_a_recording_is_canceled_before_and_after_it_begins(open_page):
    page = open_page()
    for seconds in (2, 8):
        page.clock.run_for(700)
        begin(page, standing(0, 6), 1000 * seconds)
        page.click("#lesson-cancel")
        page.wait_for_selector("#lesson-record:enabled")
        assert page.locator("#lesson-list li").count() == 0
        page.clock.run_for(700)
        page.click("#lessons-done")


# When samples come after Record, how long there are none then, and what is said.
SILENCES = {
    "breaks off": (5100, [*standing(0, 12), *standing(60, 63)], 0, "Discarded: the signal stopped after 11 s."),
    "before it begins": (0, standing(0, 3), 6500, "The sensor has stopped sending."),
}


@pytest.mark.parametrize("silence", SILENCES)
def test_a_recording_without_a_signal_is_discarded(silence, open_page):
    begins, samples, then, said = SILENCES[silence]
    page = open_page(patient=begins > 0)
    begin(page, samples, begins)
    page.clock.run_for(then)
    page.wait_for_selector(f"#lesson-said:has-text('{said}')")
    assert page.is_enabled("#lesson-record")
    assert page.locator("#lesson-list li").count() == 0


def test_done_ends_a_recording_and_a_refused_sensor_is_named(open_page):
    refusing = "DeviceMotionEvent.requestPermission = () => Promise.resolve(window.answer ?? 'granted');"
    page = open_page(before=refusing)
    begin(page, standing(0, 10))
    page.click("#lessons-done")
    page.clock.run_for(700)
    page.click("#lessons-done")
    send(page, standing(10, 50))
    assert page.locator("#lesson-list li").count() == 0
    page.evaluate("window.answer = 'denied'")
    page.click("#lesson-record")
    page.wait_for_selector("#lesson-said:has-text('Access to the motion sensor was refused')")
    assert page.is_enabled("#lesson-record")


def test_a_model_without_states_is_taught_by_whole_windows(open_page, serve_page, convolutional_file, tmp_path):
    with serve_page(convolutional_file) as url:
        page = open_page(url)
        gather_two(page)
        # The features of an untrained network barely tell the two apart, so the order of the windows matters.
        page.evaluate("() => { let x = 1; Math.random = () => (x = (x * 16807) % 2147483647) / 2147483647; }")
        learn(page)
        with page.expect_download() as download:
            page.click("#lesson-save")
        download.value.save_as(tmp_path / "taught.json")
        page.click("#lessons-done")
        (*_, last) = play(page, rowing(0, 8), 15)
        assert page.inner_text("#label") == "Rowing"
        assert len(last["probabilities"]) == 7
    recognizer = PersonalRecognizer(convolutional_file.with_name("model.personal.tflite"))
    recognizer.restore(tmp_path / "taught.json")
    assert recognizer.recognize(rowed(42), threshold=0) == ["rowing"]


def test_what_was_learned_is_tried_on_the_same_screen(taught_page):
    page = taught_page
    # No phone can reach this address: there is no code that leads to it.
    assert page.is_hidden("#handover")
    assert page.inner_text("#handover-none") == ""
    counted = "On parts it did not learn from: before 10 of 20, now 20 of 20."
    assert counted in page.inner_text("#learned-text")
    found = page.locator("#confusion li").all_inner_texts()
    assert found == ["standing: 10 of 10 recognized", "rowing: 10 of 10 recognized"]
    assert "Recognized as rowing (10)" in page.locator("#lesson-list li").nth(1).inner_text()
    # A worker has run the network and learned: the page was free meanwhile.
    assert len(page.workers) == 1
    look(page, "taught", dark=True)
    page.click("#try")
    page.wait_for_selector("#trying:visible")
    send(page, rowing(0, 8))
    page.wait_for_selector("#try-label:text-is('Rowing')")
    # A screen reader hears it once, when it has held.
    page.wait_for_selector("#said:text-is('Rowing.')", state="attached")
    live = (
        "[...document.querySelectorAll('[role=status], [aria-live]')].filter(e => /rowing/i.test(e.innerText)).length"
    )
    assert page.evaluate(live) == 1
    look(page, "tried", dark=True)
    assert page.get_attribute("body", "data-state") == "teach"
    assert page.inner_text("#try-detail").endswith("%")
    # A recording ends the trial: its samples are a lesson.
    page.click("#lesson-list button:has-text('Record again') >> nth=0")
    page.wait_for_selector("#lesson-cancel:visible")
    assert not page.is_visible("#trying")
    page.clock.run_for(5100)
    send(page, standing(10, 46))
    until(page, "() => document.querySelector('#lesson-list strong')?.textContent === 'standing, 60 s'")
    assert page.locator("#lesson-list li").count() == 2
    page.click("#try")
    page.wait_for_selector("#trying:visible")
    page.clock.run_for(700)
    page.click("#lessons-done")
    assert page.get_attribute("body", "data-state") == "start"


def jumping(start, stop):
    """Samples of jumping jacks, which are stronger than any step: 32 m/s^2 on average."""
    return [[time, x, y + 45 * np.sin(12 * time), z] for time, x, y, z in standing(start, stop)]


def test_what_was_learned_may_be_stronger_than_steps(open_page):
    page = open_page()
    begin(page, jumping(0, 12), 5100)
    page.wait_for_selector("#count:text-is('11 s')")
    assert page.inner_text("#notice") == ""
    page.click("#lesson-cancel")
    page.clock.run_for(700)
    for activity, samples in (("standing", standing(0, 36)), ("jumping jacks", jumping(0, 36))):
        gather(page, activity, samples)
    learn(page)
    page.click("#lessons-done")
    play(page, jumping(0, 8), 60)
    assert page.inner_text("#label") == "Jumping jacks"


def test_what_was_learned_opens_on_another_phone(taught_page, open_page, serve_page, tmp_path):
    with taught_page.expect_download() as download:
        taught_page.click("#lesson-save")
    file = tmp_path / "taught.json"
    download.value.save_as(file)
    other = open_page()
    other.click("#teach-open")
    (tmp_path / "none.json").write_text('{"schema": 1, "classes": ["a"]}')
    other.set_input_files("#lesson-open", tmp_path / "none.json")
    other.wait_for_selector("#lesson-said:has-text('is not what a phone has learned with this model')")
    (tmp_path / "changed.json").write_text(json.dumps(json.loads(file.read_text()) | {"weights_sha256": "0" * 64}))
    other.set_input_files("#lesson-open", tmp_path / "changed.json")
    other.wait_for_selector("#lesson-said:has-text('other weights (activity_gru_pocket)')")
    assert not other.is_visible("#try")
    other.set_input_files("#lesson-open", file)
    other.wait_for_selector("#lesson-said:has-text('Opened. Try it now.')")
    other.click("#try")
    send(other, rowing(0, 8))
    other.wait_for_selector("#try-label:text-is('Rowing')")
    # It is asked before it replaces what is there.
    other.set_input_files("#lesson-open", file)
    other.wait_for_selector("#hint:has-text('would replace what this phone has learned')")
    other.clock.run_for(700)
    other.click("#offer-leave")
    other.wait_for_selector("body[data-state=teach]")
    # It is kept when the page is closed.
    other.reload()
    other.wait_for_selector("#known .chip:has-text('rowing')")
    # Where the system shares files, it is shared as one.
    taught_page.click("#lesson-share")
    assert re.fullmatch(r"taught-.*\.txt", taught_page.evaluate("shared.name"))
    assert json.loads(taught_page.evaluate("shared.text()"))["classes"][-1] == "rowing"
