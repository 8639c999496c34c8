"""What a phone has learned goes to another one by a QR code, which asks first."""

import re
import shutil
from urllib.parse import quote

import numpy as np
import pytest
import segno
from phone.pages import KEPT, MODEL, forget, gather_two, learn, look, play, rowing
from running import host

from zoo.catalog import PRESETS_FOLDER
from zoo.serving.server import PAGE_FOLDER

COPY = "navigator.clipboard.writeText = async text => { window.copied = text; };"


@pytest.fixture(scope="module")
def reachable(address):
    """The page at an address that other phones can reach."""
    return address.replace("127.0.0.1", "phone.test")


def taught_page(open_page, reachable):
    """A page that has learned to tell rowing from standing, and shows its code."""
    page = open_page(reachable, before=COPY)
    gather_two(page)
    learn(page)
    page.wait_for_selector("#taught-code svg")
    return page


teacher = pytest.fixture(taught_page)


@pytest.fixture(scope="module")
def code_address(pages_of, reachable):
    """The address in the code of such a page, which is gone."""
    with pages_of() as open_page:
        return handed(taught_page(open_page, reachable))


def handed(page):
    page.click("#handover-copy")
    page.wait_for_selector("#handover-said:text-is('Copied.')")
    return page.evaluate("copied")


def dots(page):
    """The QR code as it is drawn, without its quiet zone."""
    drawn = page.get_attribute("#taught-code path", "d")
    size = int(page.get_attribute("#taught-code svg", "viewBox").split()[2])
    found = np.zeros((size, size), int)
    for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", drawn):
        found[int(y), int(x)] = 1
    assert not found[:4].any()
    assert not found[:, -4:].any()
    return found[4:-4, 4:-4]


def probabilities(page, samples):
    """What a page that shows what it learned recognizes when it is started."""
    page.clock.run_for(700)
    page.click("#lessons-done")
    found = play(page, samples, 60)[:60]
    return np.array([each["probabilities"] for each in found])


def sealed(text):
    """A code with a right checksum."""
    total = 0x811C9DC5
    for letter in text.encode():
        total = (total ^ letter) * 0x01000193 % 2**32
    return f"{text}/{np.base_repr(total, 36).lower()}"


@pytest.fixture
def qr_code(monkeypatch):
    """Draws a text as the page does, with each of the masks: `qr_code(text) -> codes`."""

    # Where a text ends with a byte, segno fills another one with zeros before it pads: readers ignore both.
    def fill(buffer, version, length):
        buffer.extend([0] * (-length % 8))

    monkeypatch.setattr(segno.encoder, "write_padding_bits", fill)
    return lambda text: [segno.make(text, error="l", mode="byte", mask=mask) for mask in range(8)]


def test_a_code_brings_what_was_learned_to_another_phone(teacher, open_page, qr_code):
    address = handed(teacher)
    assert len(address) <= 1200
    codes = qr_code(address)
    assert codes[0].version <= 25
    assert any(np.array_equal(dots(teacher), each.matrix) for each in codes)
    other = open_page(address)
    other.wait_for_selector("#label:text-is('Use what another phone learned?')")
    assert "rowing" in other.locator("#known .chip").all_inner_texts()
    assert other.inner_text("#hint") == ""
    # Neither a bookmark nor the history keeps it, and nothing is taken before the answer.
    assert other.url == address.split("#")[0]
    assert other.evaluate(KEPT) == []
    other.click("#offer-take")
    other.wait_for_selector("#lesson-said:text-is('Opened. Try it now.')")
    assert other.evaluate("document.activeElement.id") == "try"
    # From there it can be handed on, and the last digits of weights may round otherwise.
    assert other.get_attribute("#taught-code", "data-shown").split("/")[:-2] == address.split("/")[:-2]
    found = [probabilities(page, rowing(0, 8)) for page in (teacher, other)]
    assert found[0].shape == (60, 8)
    np.testing.assert_allclose(*found, atol=1e-3)
    assert teacher.inner_text("#label") == other.inner_text("#label") == "Rowing"
    other.reload()
    other.wait_for_selector("#known .chip:has-text('rowing')")


def test_who_refuses_keeps_what_the_phone_learned(code_address, open_page, reachable):
    page = open_page(reachable)
    gather_two(page, "swimming")
    learn(page)
    before = page.evaluate(KEPT)
    # In a page that is open, only the end of its address changes.
    page.goto(code_address)
    page.wait_for_selector("#hint:has-text('would replace what this phone has learned')")
    page.clock.run_for(700)
    page.click("#offer-leave")
    page.wait_for_selector("#known .chip:has-text('swimming')")
    assert page.get_attribute("body", "data-state") == "start"
    assert page.evaluate(KEPT) == before
    page.goto(code_address)
    page.clock.run_for(700)
    page.click("#offer-take")
    page.wait_for_selector("#lesson-said:text-is('Opened. Try it now.')")
    # Recordings are the owner's.
    assert page.locator("#lesson-list strong").all_inner_texts() == ["standing, 30 s", "swimming, 30 s"]
    page.clock.run_for(700)
    page.click("#lessons-done")
    chips = page.locator("#known .chip").all_inner_texts()
    assert "rowing" in chips
    assert "swimming" not in chips


def test_a_code_that_is_damaged_or_foreign_changes_nothing_and_says_why(code_address, open_page):
    start, code = code_address.split("#taught=")
    version, weights, names, step, digits, _ = code.split("/")
    # What else a code may say is for the tests of `examples/phone`.
    cases = {
        "": "damaged",
        code[:-1]: "damaged",
        code + "A" * 2_000_000: "damaged",
        "<img src=x onerror=alert(1)>": "damaged",
        sealed(f"{version}/{'0' * 16}/{names}/{step}/{digits}"): "other weights",
        sealed(f"2/{weights}/{names}/{step}/{digits}"): "nother version",
    }
    page = open_page(start)
    page.wait_for_selector("#start:enabled")
    for number, (bad, why) in enumerate(cases.items()):
        # Typed into the address of a page that is open, or opened anew.
        if number % 2:
            page.goto("about:blank")
        page.goto(f"{start}#taught={bad}")
        page.wait_for_selector("#label:text-is('This code cannot be used')")
        assert why in page.inner_text("#problem-text"), bad[:80]
        assert page.inner_text("#problem-text").endswith("Nothing on this phone has changed.")
        assert page.url == start
        assert page.evaluate(KEPT) == []
        if number == 0:
            look(page, "code-damaged")
        page.reload()
        page.wait_for_selector("#known:visible")


def test_names_in_a_code_are_text(code_address, open_page):
    start, code = code_address.split("#taught=")
    version, weights, _, step, digits, _ = code.split("/")
    name = "<img src=x onerror=alert(1)><b>rowing%"
    code = sealed("/".join([version, weights, quote(name, safe=""), step, digits]))
    page = open_page(f"{start}#taught={code}")
    page.wait_for_selector("#offer-take:visible")
    assert page.locator("#known .chip").last.inner_text() == name
    assert page.locator("img").count() == 0
    look(page, "offered-long")


def test_on_a_computer_a_code_is_answered_before_the_recording_plays(code_address, open_page):
    page = open_page(code_address, has_touch=False)
    page.wait_for_selector("#offer-take:visible")
    look(page, "offered", dark=True)
    page.press("#offer-leave", "Enter")
    page.wait_for_selector("#simulated:visible")
    page.goto(code_address)
    page.wait_for_selector("#offer-take:visible")
    page.clock.run_for(700)
    page.click("#offer-take")
    # A computer hands it on, from the wall.
    page.wait_for_selector("#taught-code svg")
    look(page, "handed-on")


def test_a_code_is_readable_and_accessible_in_all_sizes_until_all_is_forgotten(teacher):
    assert teacher.get_attribute("#taught-code svg", "aria-label") == "QR code of what it learned"
    teacher.evaluate("document.getElementById('handover').scrollIntoView()")
    look(teacher, "handing-on", dark=True)
    teacher.emulate_media(color_scheme="dark")
    style = "getComputedStyle(document.querySelector('#taught-code svg'))"
    assert teacher.evaluate(f"[{style}.backgroundColor, {style}.fill]") == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    # What is forgotten has none.
    forget(teacher)
    assert teacher.is_hidden("#handover")
    assert teacher.inner_text("#handover-none") == ""


@pytest.fixture
def several(serve_page):
    models = [PRESETS_FOLDER / name / "model.float32.tflite" for name in ("activity_rnn_course", "activity_gru_tiny")]
    with serve_page(MODEL, *models) as url:
        yield url.replace("127.0.0.1", "phone.test")


def test_a_code_opens_the_model_that_was_taught_and_what_is_too_long_is_a_file(several, open_page):
    page = open_page(several, before=COPY)
    page.click("#settings summary")
    page.select_option("#models", index=2)
    page.wait_for_selector("#about:has-text('activity_gru_tiny')")
    page.clock.run_for(700)
    gather_two(page)
    learn(page)
    address = handed(page)
    assert address.startswith(f"{several}?model=activity_gru_tiny#taught=")
    other = open_page(address)
    other.wait_for_selector("#offer-take:visible")
    assert "activity_gru_tiny" in other.inner_text("#about")
    page.clock.run_for(700)
    page.click("#lessons-done")
    page.select_option("#models", index=1)
    page.wait_for_selector("#about:has-text('activity_rnn_course')")
    page.clock.run_for(700)
    page.click("#teach-open")
    learn(page)
    page.wait_for_selector("#handover-none:has-text('does not fit in a QR code')")
    assert page.is_hidden("#handover")
    assert page.is_visible("#lesson-save")
    page.clock.run_for(700)
    page.click("#lessons-done")
    # Another phone does not have a file of one's own.
    page.set_input_files("#file", PRESETS_FOLDER / "activity_gru_tiny" / "model.float32.tflite")
    page.wait_for_selector("#about:has-text('activity_gru_tiny')")
    page.clock.run_for(700)
    page.click("#teach-open")
    page.wait_for_selector("#handover-none:has-text('only for models that this page offers')")
    assert page.is_hidden("#handover")


def test_a_model_that_cannot_be_taught_takes_nothing_over(code_address, open_page):
    start, code = code_address.split("#taught=")
    page = open_page(f"{start}?engine=litert#taught={code}")
    page.wait_for_selector("#problem-text:has-text('cannot teach this model')")
    assert page.evaluate(KEPT) == []


def test_a_code_is_read_offline(code_address, open_page, tmp_path):
    _, code = code_address.split("#taught=")
    shutil.copytree(PAGE_FOLDER, tmp_path, dirs_exist_ok=True)
    shutil.copy(MODEL, tmp_path / "model.tflite")
    with host(tmp_path) as port:
        page = open_page(f"http://localhost:{port}/", service_workers="allow")
        page.wait_for_selector("#offline:not([hidden])")
        page.context.set_offline(True)
        page.goto("about:blank")
        page.goto(f"http://localhost:{port}/#taught={code}")
        page.wait_for_selector("#offer-take:visible")
        page.click("#offer-take")
        page.wait_for_selector("#lesson-said:text-is('Opened. Try it now.')")
        page.clock.run_for(700)
        page.click("#lessons-done")
        page.wait_for_selector("#known .chip:has-text('rowing')")
