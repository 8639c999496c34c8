"""Phones of a class record labeled minutes, and lose none, whatever becomes of computer, network and page."""

import json
import re
import signal
import socket
import threading
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus

import numpy as np
import pytest
from phone import pages
from phone.pages import HERTZ, HIDE, IPHONE, LOUD, MODEL, WAKE_LOCKS, send
from running import PORT, SHOTS, zoo_collect

from zoo.activity.columns import CsvColumns
from zoo.activity.importing import read_csv
from zoo.runtime.metadata import AXES, CLASSES, INERTIAL
from zoo.serving import PageServer, certificate, page_files
from zoo.serving.certificate import CERTIFICATE, kept_certificate
from zoo.serving.collection import Collection, Inbox
from zoo.serving.server import PAGE_FOLDER, Refusal

look = partial(pages.look, settle=1)


class Class:
    """A server that collects into a folder, which can go away and come back."""

    def __init__(self, folder, model):
        self.folder, self.files, self.server, self.port = folder, page_files(model), None, PORT
        folder.mkdir()

    def start(self, labels=(), axes=AXES, collects=True):
        token = kept_certificate(self.folder / CERTIFICATE, ["127.0.0.1"])
        inbox = Inbox(token, Collection(self.folder, labels), CLASSES, axes, [].append)
        context = certificate.tls_context(["127.0.0.1"], self.folder / CERTIFICATE)
        self.server = PageServer(self.files, "127.0.0.1", self.port, context, inbox.routes() if collects else {})
        self.connections = connections = []

        class Known(self.server.RequestHandlerClass):
            def setup(self):
                connections.append(self.request)
                super().setup()

        self.server.RequestHandlerClass = Known
        self.port = self.server.port
        threading.Thread(target=self.server.serve_forever, args=[0.01], daemon=True).start()
        return f"https://127.0.0.1:{self.port}/collect#{token}"

    def stop(self):
        """Ends the server and its connections, as the end of a process does."""
        self.server.shutdown()
        self.server.server_close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def recordings(self):
        return sorted(self.folder.rglob("*.csv"))


@pytest.fixture
def room(tmp_path, browser, built):
    """A class that has begun: its `url` is what phones scan."""
    found = Class(tmp_path / "class", MODEL)
    found.url = found.start()
    yield found
    found.stop()


def signal_of(start, stop, seed=0, turning=False):
    """Samples of a phone in a pocket, between two times in seconds."""
    first, last = round(start * HERTZ), round(stop * HERTZ)
    rows = np.random.default_rng(seed).normal([0.4, 9.7, 1.0, 0, 0, 0], 0.3, (last, 6))[first:]
    return np.column_stack([np.arange(first, last) / HERTZ, rows[:, : 6 if turning else 3]]).tolist()


class Phone:
    """The page on a phone whose clock runs as it is told to."""

    def __init__(self, page, send, url, seed=0, ahead=0):
        self.page, self.send, self.seed, self.turning, self.time = page, send, seed, False, 0.0
        page.clock.install(time=datetime.now() + timedelta(seconds=ahead))
        page.goto(url)
        # The clock is set forward, and five seconds are all that the page waits for its database.
        page.wait_for_selector("body:not([data-state=loading])")
        page.clock.pause_at(datetime.now() + timedelta(seconds=ahead + 60))

    def feel(self, seconds, gravity=True):
        samples = signal_of(self.time, self.time + seconds, self.seed, self.turning)
        self.send(self.page, samples if gravity else [[time, 0.1, 0.1, 0.1] for time, *_ in samples])
        self.time += seconds

    def ready(self):
        self.page.wait_for_selector("#record:visible")
        return self

    def wait(self, seconds):
        """Lets the clock run, while the sensor sends."""
        for _ in range(round(2 * seconds)):
            self.feel(0.5)
            self.page.clock.run_for(500)

    def fill(self, person, activity):
        self.page.fill("#name", person)
        if self.page.locator(f"#choices input[value='{activity}']").count():
            self.page.check(f"#choices input[value='{activity}']")
        else:
            self.page.check("#choices input[value='']")
            self.page.fill("#other", activity)

    def press(self, person="Ann", activity="walking"):
        self.ready().fill(person, activity)
        self.page.clock.run_for(700)
        self.page.click("#record")

    def count_down(self, person="Ann", activity="walking"):
        """Up to the start of the countdown: the clock must not run before."""
        self.press(person, activity)
        self.page.wait_for_selector("body[data-state=countdown]")

    def begin(self, person="Ann", activity="walking"):
        """Up to the first moment of a recording."""
        self.count_down(person, activity)
        self.wait(10.5)
        self.page.wait_for_selector("body[data-state=recording]")

    def record(self, person="Ann", activity="walking", seconds=61):
        self.begin(person, activity)
        self.feel(seconds)
        self.ready()

    def close(self):
        """Closes the page; returns what its browser keeps of it."""
        context = self.page.context
        self.page.close()
        return context

    def fates(self):
        return self.page.locator("#recordings .fate").all_inner_texts()

    def until(self, *fates):
        """Lets time pass until the recordings, the latest first, have fared so."""
        for _ in range(1000):
            if self.fates() == list(fates):
                return
            # The page gives an upload a minute of its clock: it shall be longer than what a busy machine needs.
            self.page.clock.run_for(200)
            self.page.wait_for_timeout(20)
        assert self.fates() == list(fates), self.page.inner_text("body")


@pytest.fixture
def phone(browser, room):
    contexts = []

    def open_one(url=None, *, before="", context=None, ahead=0, **options):
        settings = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True}
        if context is None:
            context = browser.new_context(**settings | {"ignore_https_errors": True} | options)
            context.set_default_timeout(60_000)
            contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: "Content Security" in line.text and errors.append(line.text))
        page.add_init_script(LOUD + before)
        return Phone(page, send, url or room.url, seed=len(contexts), ahead=ahead)

    errors = []
    yield open_one
    for context in contexts:
        context.close()
    assert not errors


def imported(file, axes=AXES):
    (recording,) = read_csv(file, CsvColumns(gyroscope=axes == INERTIAL))
    return recording


_STORED = """
() => new Promise(done => {
  indexedDB.open('pocket-zoo').onsuccess = ({target}) => {
    target.result.transaction('recordings').objectStore('recordings').getAll().onsuccess = e => done(e.target.result);
  };
})
"""


def test_a_minute_goes_from_the_phone_to_the_computer(phone, room):
    one = phone(before=WAKE_LOCKS)
    one.begin("Zoë O'Neill", "upstairs")
    assert one.page.evaluate("[tones, pulses]") == [[660, 660, 660, 880], [[40], [40], [40], [400]]]
    assert one.page.evaluate("locks.map(lock => [lock.kind, !!lock.released])") == [["screen", False]]
    one.feel(20)
    one.page.clock.run_for(200)
    one.page.wait_for_selector("#clock:text-matches('^2[01] s$')")
    assert [one.page.inner_text(f"#{id}") for id in ("person", "label")] == ["Zoë O'Neill", "Upstairs"]
    assert re.fullmatch(r"x \S+ ?y \S+ ?z \S+", one.page.inner_text("#signal-axes").replace("\n", " "))
    sizes = [one.page.evaluate(f"parseFloat(getComputedStyle(document.getElementById('{id}')).fontSize)")
             for id in ("person", "label", "clock")]  # fmt: skip
    assert all(size > 28 for size in sizes)
    # Time without a sample is no recording.
    one.page.clock.run_for(600)
    assert one.page.inner_text("#clock") in ("20 s", "21 s")
    one.feel(41)
    one.ready()
    assert one.page.evaluate("tones.slice(4)") == [660, 440]
    assert one.page.evaluate("locks[0].released")
    one.until("sent")
    (file,) = room.recordings
    recording = imported(file)
    assert (recording.subject, recording.activity, recording.rate) == ("Zoë O'Neill", "upstairs", 60.0)
    assert recording.seconds == pytest.approx(60, abs=0.1)
    # The first sample is the first after the countdown.
    (begun,) = [row for row in signal_of(0, 20, one.seed) if np.allclose(row[1:], recording.acceleration[0], atol=1e-3)]
    assert begun[0] == pytest.approx(10, abs=1)
    # What was sent leaves no signal on the phone, which remembers who it is.
    assert [(item["fate"], item["csv"]) for item in one.page.evaluate(_STORED)] == [("sent", "")]
    one.page.reload()
    one.ready()
    assert one.page.input_value("#name") == "Zoë O'Neill"
    assert one.page.is_checked("#choices input[value=upstairs]")


def test_an_iphone_is_stored_with_the_sign_of_android(phone, room):
    one = phone(user_agent=IPHONE)
    one.send = lambda page, samples: send(page, [[time, *(-axis for axis in axes)] for time, *axes in samples])
    one.record()
    one.until("sent")
    assert imported(room.recordings[0]).acceleration.mean(axis=0) == pytest.approx([0.4, 9.7, 1.0], abs=0.1)


def test_two_phones_at_once_and_a_label_of_ones_own(phone, room):
    one, two = phone(), phone()
    one.begin("Ann", "walking")
    two.begin("Ben", "climbing")
    for each in (one, two):
        each.feel(61)
    for each in (one, two):
        each.until("sent")
    assert [(each.subject, each.activity) for each in map(imported, room.recordings)] == [
        ("Ann", "walking"), ("Ben", "climbing"),
    ]  # fmt: skip
    # It is offered to others.
    three = phone()
    three.page.wait_for_selector("#choices input[value=climbing]")


def test_where_labels_are_named_there_are_no_others(phone, room):
    room.stop()
    one = phone(room.start(labels=["sitting", "rowing"])).ready()
    assert one.page.locator("#choices label").all_inner_texts() == ["sitting", "rowing"]
    assert one.page.locator("#choices label .picture").count() == 2
    assert one.page.inner_text("#missing") == ""


def test_what_is_missing_is_said_and_proposed_of_each_person(phone, room):
    room.stop()
    one = phone(room.start(labels=["sitting", "rowing"])).ready()
    one.record("Ann", "sitting")
    assert one.page.inner_text("#missing") == "Still missing: rowing."
    assert one.page.is_checked("#choices input[value=rowing]")
    assert one.page.locator("#choices .done").all_inner_texts() == ["sitting"]
    one.page.clock.run_for(700)
    one.record("Ann", "rowing")
    assert one.page.inner_text("#missing") == "You have recorded every activity."
    one.page.fill("#name", "Ben")
    one.page.press("#name", "Tab")
    assert one.page.inner_text("#missing") == ""
    assert one.page.locator("#choices .done").count() == 0


@pytest.mark.parametrize("touch", [True, False])
def test_a_device_without_a_sensor_says_why_and_tries_again(touch, phone):
    one = phone(has_touch=touch)
    one.count_down()
    one.page.clock.run_for(13_000)
    one.page.wait_for_selector("#label:text-is('No motion sensor')")
    assert one.page.inner_text("#problem-text").startswith("A computer has none: open this page on a phone.")
    one.page.click("#again")
    assert one.ready().page.inner_text("#label") == "Record a minute"
    assert not one.page.is_visible("#again")


def test_a_name_that_the_computer_would_refuse_is_refused_at_once(phone):
    one = phone()
    for name in ("", "../x", "=1", "a,b", "<b>"):
        one.press(name, "walking")
        assert one.page.get_attribute("body", "data-state") == "start"
        assert one.page.locator("#name:invalid").count() == 1


def test_what_was_recorded_without_the_computer_is_sent_when_it_is_back_even_by_another_page(waiting, phone, room):
    one = waiting()
    one.page.wait_for_selector(
        "#notice-text:has-text('cannot be reached. Nothing is lost: recordings are kept on this phone')"
    )
    assert one.page.inner_text("#queue").lower() == "1 waiting"
    one.page.clock.run_for(700)
    one.record("Ann", "sitting")
    one.until("waiting", "waiting")
    context = one.close()
    room.start()
    again = phone(context=context)
    again.until("sent", "sent")
    assert again.page.inner_text("#notice-text") == ""
    assert [imported(file).activity for file in room.recordings] == ["sitting", "walking"]


def test_a_computer_that_is_busy_is_asked_again_and_the_page_says_so(phone, room, monkeypatch):
    def busy(*_):
        raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "busy: send it again", 2)

    with monkeypatch.context() as patch:
        patch.setattr(Inbox, "_pseudonym", busy)
        one = phone()
        one.page.wait_for_selector("#label:text-is('The computer is busy')")
        look(one.page, "collect-busy")
    one.page.clock.run_for(5000)
    with monkeypatch.context() as patch:
        patch.setattr(Collection, "add", busy)
        one.record()
        one.until("waiting")
        one.page.wait_for_selector("#notice-text:has-text('The computer is busy, sending again. Nothing is lost')")
    one.until("sent")
    assert one.page.inner_text("#notice-text") == ""
    assert len(room.recordings) == 1


@pytest.fixture
def waiting(phone, room):
    def record(**options):
        one = phone(**options).ready()
        room.stop()
        one.record()
        one.until("waiting")
        return one

    return record


def test_a_network_that_hangs_is_hardly_waited_for_where_what_to_record_is_known(phone, room):
    one, held = phone().ready(), []
    one.page.route("**/recordings/", lambda route: held.append(route))

    def visit(url, milliseconds):
        asked = len(held)
        one.page.goto("about:blank")
        one.page.goto(url)
        while len(held) == asked:
            one.page.wait_for_timeout(20)
        one.page.clock.run_for(milliseconds)
        one.ready()

    visit(room.url, 2000)
    one.page.clock.run_for(700)
    one.record("Ann", "sitting")
    one.until("sent")
    # An answer that comes late is heeded: where a class records, a phone without its code is in the wrong place.
    visit(room.url.partition("#")[0], 10)
    held[-1].continue_()
    one.page.wait_for_selector("#label:text-is('Scan the code again')")


@pytest.mark.parametrize("typed", ["Other", " other", "OTHER", "something else"])
def test_what_stands_for_all_that_is_not_recognized_is_typed_by_nobody(typed, phone, room):
    one = phone()
    one.press("Ann", typed)
    assert one.page.get_attribute("body", "data-state") == "start"
    name = typed.strip().lower()
    why = f'"{name}" stands for all that is not recognized: type what you do.'
    assert one.page.eval_on_selector("#other", "field => field.validationMessage") == why
    one.page.fill("#other", "bike ride")
    one.page.click("#record")
    one.page.wait_for_selector("body[data-state=countdown]")


def test_what_is_stored_of_the_form_and_damaged_is_not_filled_in(phone):
    damaged = json.dumps({"person": 3, "activity": ["walking"]})
    one = phone(before=f"localStorage.setItem('pocket-zoo-collect-form', {damaged!r});").ready()
    assert re.fullmatch(r"[A-Z][a-z]+ \d+", one.page.input_value("#name"))
    assert one.page.locator("#choices input:checked").count() == 0
    assert one.page.input_value("#other") == ""


def test_where_other_is_one_of_the_labels_it_is_recorded_as_any(phone, room):
    room.stop()
    one = phone(room.start(labels=["walking", "other"]))
    one.record("Ann", "other")
    one.until("sent")
    assert imported(room.recordings[0]).activity == "other"


def test_of_a_page_that_dies_during_a_recording_the_part_up_to_then_is_sent(phone, room):
    one = phone()
    one.begin()
    for _ in range(12):
        one.feel(1)
        one.page.clock.run_for(200)
    context = one.close()
    # Another tab records meanwhile: that the first one is gone is known by its lock, not by the time.
    again = phone(context=context)
    again.until("sent")
    (file,) = room.recordings
    assert 10 <= imported(file).seconds < 13


def test_without_locks_what_a_page_that_died_has_recorded_is_saved_or_deleted_after_ten_minutes(phone, room, tmp_path):
    before = "Object.defineProperty(navigator, 'locks', {value: undefined});"
    one = phone(before=before)
    one.begin()
    for _ in range(12):
        one.feel(1)
        one.page.clock.run_for(200)
    again = phone(context=one.close(), before=before).ready()
    assert again.page.is_hidden("#mine")
    again.page.clock.run_for(700_000)
    again.page.reload()
    again.until("unfinished")
    look(again.page, "collect-unfinished", dark=True)
    with again.page.expect_download() as download:
        again.page.click("[aria-label='Save as CSV: walking, Ann']")
    download.value.save_as(tmp_path / "walking.csv")
    assert 10 <= imported(tmp_path / "walking.csv").seconds < 13
    again.page.once("dialog", lambda dialog: dialog.accept())
    again.page.click("[aria-label='Delete: walking, Ann']")
    again.until()
    assert not room.recordings


def set_date(page, seconds):
    """Sets the date of a phone ahead by some seconds, as its owner or the network does."""
    page.clock.set_system_time(page.evaluate("Date.now()") / 1000 + seconds)


def test_a_phone_that_is_locked_during_a_recording_sends_it_once(phone, room):
    one = phone()
    one.begin()
    one.wait(10)
    one.page.evaluate(HIDE, True)
    # Locked: no timer runs, and only the date goes on.
    set_date(one.page, 40)
    one.page.evaluate(HIDE, False)
    one.page.wait_for_timeout(500)
    assert room.recordings == []
    one.feel(1)
    one.page.wait_for_selector("#label:text-is('Recorded in part')")
    one.until("sent")
    (file,) = room.recordings
    assert imported(file).seconds == pytest.approx(10.5, abs=1)


def test_a_date_that_is_set_ahead_cuts_no_recording(phone, room):
    one = phone()
    one.begin()
    one.feel(20)
    set_date(one.page, 1.5)
    one.feel(41)
    one.ready()
    one.until("sent")
    assert imported(room.recordings[0]).seconds == pytest.approx(60, abs=0.1)


def test_an_answer_that_was_lost_makes_no_second_recording(phone, room):
    one = phone().ready()

    def deaf(route):
        route.fetch()
        route.abort()

    one.page.route("**/recordings/*", deaf, times=1)
    one.record()
    one.until("sent")
    assert len(room.recordings) == 1


def test_a_number_that_is_taken_is_drawn_again(phone, room):
    lucky = """
        let drawn = 0;
        const draw = crypto.getRandomValues.bind(crypto);
        crypto.getRandomValues = array => drawn++ ? draw(array) : array.fill(7);
    """
    for person in ("Ann", "Ben"):
        one = phone(before=lucky)
        one.record(person, "walking")
        one.until("sent")
    assert [imported(file).subject for file in room.recordings] == ["Ann", "Ben"]
    assert len({re.search(r"\d{16}", file.name).group() for file in room.recordings}) == 2


def test_what_the_computer_refuses_says_why_and_can_be_saved_or_deleted(phone, room):
    one = phone()
    one.begin()
    # A phone whose sensor leaves gravity out.
    one.feel(10, gravity=False)
    one.page.clock.run_for(200)
    one.page.wait_for_selector("#notice-text:has-text('expected about 9.8')")
    one.feel(51, gravity=False)
    one.ready()
    one.until("refused")
    said = "The computer cannot use it: record again, or ask its owner why."
    assert one.page.inner_text("#recordings .reason") == said
    assert room.recordings == []
    with one.page.expect_download() as download:
        one.page.click("#recordings button:has-text('Save as CSV')")
    assert download.value.suggested_filename == "Ann-walking.csv"
    look(one.page, "collect-refused")
    one.page.once("dialog", lambda dialog: dialog.dismiss())
    one.page.click("#recordings button:has-text('Delete')")
    assert one.fates() != []
    one.page.once("dialog", lambda dialog: dialog.accept())
    one.page.click("#recordings button:has-text('Delete')")
    one.page.wait_for_selector("#mine", state="hidden")
    assert one.page.evaluate(_STORED) == []


def test_a_recording_ends_where_its_signal_breaks_off_and_keeps_what_was_before(phone, room):
    one = phone()
    one.begin()
    one.feel(20)
    one.time += 30
    one.feel(1)
    one.page.wait_for_selector("#label:text-is('Recorded in part')")
    assert "20 s: the signal broke off" in one.page.inner_text("#detail")
    one.until("sent")
    assert imported(room.recordings[0]).seconds == pytest.approx(20.5, abs=1)


def test_a_sensor_that_falls_silent_ends_the_recording(phone, room):
    one = phone()
    one.begin()
    one.feel(3)
    one.page.clock.run_for(1500)
    one.page.wait_for_selector("#label:text-is('Not recorded')")
    assert "of signal is too short to keep" in one.page.inner_text("#detail")
    assert (one.fates(), room.recordings) == ([], [])
    assert one.page.evaluate(_STORED) == []


def test_stop_is_held_and_keeps_what_was_recorded(phone, room):
    one = phone()
    one.begin()
    one.feel(30)
    one.page.clock.run_for(700)
    one.page.click("#stop")
    assert one.page.get_attribute("body", "data-state") == "recording"
    box = one.page.locator("#stop").bounding_box()
    one.page.mouse.move(box["x"] + 20, box["y"] + 20)
    one.page.mouse.down()
    one.page.clock.run_for(900)
    one.ready()
    one.page.mouse.up()
    one.until("sent")
    assert imported(room.recordings[0]).seconds == pytest.approx(30.5, abs=1)


@pytest.mark.parametrize(("end", "title"), [
    (lambda page: page.click("#cancel"), "Canceled"),
    (lambda page: page.evaluate(HIDE, True), "Not recorded"),
    # The sensor falls silent.
    (lambda page: page.clock.run_for(8000), "Not recorded"),
], ids=["cancel", "background", "silence"])  # fmt: skip
def test_a_countdown_that_ends_early_records_nothing(end, title, phone, room):
    one = phone()
    one.count_down()
    one.wait(3)
    end(one.page)
    one.page.wait_for_selector(f"#label:text-is('{title}')")
    one.wait(12)
    assert (one.page.get_attribute("body", "data-state"), room.recordings) == ("start", [])


def test_a_model_of_six_channels_records_six_and_refuses_a_phone_without(phone, room):
    room.stop()
    url = room.start(axes=INERTIAL)
    one = phone(url)
    one.turning = True
    one.record()
    one.until("sent")
    assert imported(room.recordings[0], INERTIAL).rows.shape[1] == 6
    two = phone(url)
    two.count_down("Ben")
    two.wait(3)
    two.page.wait_for_selector("#label:text-is('No gyroscope')")


def test_where_the_browser_stores_nothing_the_page_says_so_and_sends_all_the_same(waiting, room):
    one = waiting(before="IDBFactory.prototype.open = () => { throw new Error('private'); };")
    one.page.wait_for_selector("#notice-text:has-text('Leave this page open')")
    room.start()
    one.until("sent")


def test_another_code_does_not_take_what_waits_without_being_asked(waiting, phone, room):
    context = waiting().close()
    (room.folder / ".server.pem").unlink()
    again = phone(room.start(), context=context)
    again.until("recorded with another code")
    again.page.click("#recordings button:has-text('Send here')")
    again.until("sent")
    # The old one opens nothing.
    old = phone(context=context)
    old.page.wait_for_selector("#label:text-is('Scan the code again')")


def test_without_a_computer_recordings_stay_on_the_phone_until_they_are_saved_deleted_or_sent(phone, room, tmp_path):
    room.stop()
    address, _, _ = room.start(collects=False).partition("#")
    assert phone(address).ready().page.is_visible("#other")
    one = phone(f"{address}?labels=rowing,resting&gyroscope").ready()
    assert one.page.locator("#choices label").all_inner_texts() == ["rowing", "resting", "another…"]
    one.turning = True
    for activity in ("rowing", "resting"):
        one.page.clock.run_for(700)
        one.record("Ann", activity)
    assert one.fates() == ["on this phone"] * 2
    look(one.page, "collect-alone", dark=True)
    with one.page.expect_download() as download:
        one.page.click("[aria-label='Save as CSV: rowing, Ann']")
    assert download.value.suggested_filename == "Ann-rowing.csv"
    download.value.save_as(tmp_path / "rowing.csv")
    saved = imported(tmp_path / "rowing.csv", INERTIAL)
    assert (saved.subject, saved.activity, saved.rows.shape[1]) == ("Ann", "rowing", 6)
    for answer, left in (("dismiss", 2), ("accept", 1)):
        one.page.once("dialog", lambda dialog, answer=answer: getattr(dialog, answer)())
        one.page.click("[aria-label='Delete: resting, Ann']")
        one.until(*["on this phone"] * left)
    context = one.close()
    room.stop()
    again = phone(room.start(axes=INERTIAL), context=context)
    again.page.click("#recordings button:has-text('Send here')")
    again.until("sent")
    (file,) = room.recordings
    np.testing.assert_array_equal(imported(file, INERTIAL).rows, saved.rows)
    # Where a class records, a phone without its code is in the wrong place.
    lost = phone(address)
    lost.page.wait_for_selector("#label:text-is('Scan the code again')")


def test_every_state_is_accessible_and_fits(phone, room):
    one = phone().ready()
    look(one.page, "collect-start", dark=True)
    one.fill("A person of 40 letters who is so called", "climbing over tables of the canteen")
    look(one.page, "collect-filled", dark=True)
    one.page.clock.run_for(700)
    one.page.click("#record")
    one.wait(3)
    look(one.page, "collect-countdown", dark=True)
    one.wait(8)
    one.page.wait_for_selector("body[data-state=recording]")
    look(one.page, "collect-recording", dark=True)
    one.feel(61)
    one.until("sent")
    look(one.page, "collect-sent", dark=True)
    room.stop()
    one.page.clock.run_for(700)
    one.record("Ann", "walking")
    one.until("waiting", "sent")
    look(one.page, "collect-waiting", dark=True)
    room.start()
    other = phone(room.url + "x")
    other.page.wait_for_selector("#label:text-is('Scan the code again')")
    look(other.page, "collect-code", dark=True)


def test_a_phone_that_refuses_its_sensor_says_so(phone):
    one = phone(before="DeviceMotionEvent.requestPermission = () => Promise.resolve('denied');")
    one.press("Ann", "walking")
    one.page.wait_for_selector("#label:text-is('Access to the motion sensor was refused')")
    look(one.page, "collect-refused-sensor")


def test_on_a_computer_the_page_shows_the_code_for_all_to_scan(phone, room):
    one = phone(room.url.replace("127.0.0.1", "phone.test"), has_touch=False, viewport={"width": 1440, "height": 900})
    one.page.wait_for_selector("#code svg")
    assert one.page.inner_text("#address") == one.page.url
    one.page.screenshot(path=SHOTS / "collect-desktop.png")


def test_a_server_that_is_killed_during_an_upload_gets_the_recording_when_it_is_back(phone, tmp_path):
    folder = tmp_path / "lesson"
    with zoo_collect(folder, page=PAGE_FOLDER, port=9963) as (process, document):
        one = phone(document["url"])
        one.ready()
        # 20 kB a second: the recording of 150 kB takes a while.
        network = one.page.context.new_cdp_session(one.page)
        network.send("Network.enable")
        slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 20_000}
        network.send("Network.emulateNetworkConditions", slow)
        with one.page.expect_request("**/recordings/*"):
            one.record()
        one.page.wait_for_timeout(300)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert list(folder.rglob("*.csv")) == []
        one.until("waiting")
    network.send("Network.emulateNetworkConditions", slow | {"uploadThroughput": -1})
    port = re.search(r":(\d+)/", document["url"]).group(1)
    with zoo_collect(folder, page=PAGE_FOLDER, port=port) as (_, again):
        assert again == document
        one.until("sent")
    (file,) = folder.rglob("*.csv")
    assert imported(file).seconds == pytest.approx(60, abs=0.1)
