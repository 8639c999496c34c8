"""The page in a pocket: nothing is pressed by accident, nothing jumps, and it can be heard."""

import csv
import io
import re

import numpy as np
import pytest
from phone.pages import SHOTS, look, lying, play, standing, stop, until
from PIL import Image

EARED = """
window.spoken = []; window.pulses = [];
speechSynthesis.speak = what => spoken.push(what.text);
navigator.vibrate = length => pulses.push(length);
"""


def test_stop_is_held_or_clicked_from_a_keyboard_and_no_tap_or_two(open_page):
    page = open_page()
    page.dblclick("#start")
    page.wait_for_selector("body[data-state=running]")
    play(page, standing(0, 3), 10)
    page.click("#stop")
    page.dblclick("#stop")
    page.click("#stop", delay=400)
    assert page.get_attribute("body", "data-state") == "running"
    for way in (stop, lambda page: page.keyboard.press("Enter")):
        play(page, standing(0, 3), 10)
        # The echo of the key that started it stops nothing.
        page.clock.run_for(700)
        way(page)
        page.wait_for_selector("body[data-state=summary]")


def test_nothing_jumps_when_notices_come_and_go(open_page):
    page = open_page(viewport={"width": 320, "height": 568})
    places = "['label', 'bars', 'minute', 'signal'].map(id => document.getElementById(id).getBoundingClientRect().top)"
    play(page, [], 0)
    first = page.evaluate(places)
    # Twenty samples per second are too few.
    play(page, standing(0, 12)[::3], 100)
    page.wait_for_selector("#label:text-is('Sensor too slow')")
    assert page.evaluate(places) == first
    play(page, standing(12, 20), 20)
    page.wait_for_selector("#label:text-is('Standing')")
    assert page.evaluate(places) == first
    play(page, lying(20, 26), 20)
    assert page.evaluate(places) == first


def test_a_label_is_said_once_when_it_has_held(open_page):
    page = open_page(before=EARED)
    page.evaluate("window.said = []")
    page.evaluate(
        "new MutationObserver(() => said.push(document.getElementById('said').textContent))"
        ".observe(document.getElementById('said'), {childList: true})"
    )
    play(page, [*standing(0, 8), *lying(8, 16)], 100)
    assert page.evaluate("said.filter(text => text)") == ["Standing.", "Sitting."]
    assert page.evaluate("[spoken, pulses]") == [[], []]


@pytest.mark.parametrize(("way", "heard"), [("speak", [["Changes are spoken", "Standing", "Sitting"], []]),
                                            ("vibrate", [[], [300, 300, 300]])])  # fmt: skip
def test_a_change_is_heard_where_its_owner_chose_so_and_that_is_remembered(way, heard, open_page):
    page = open_page(before=EARED)
    page.select_option("#ears", way)
    first = page.evaluate("[spoken, pulses]")
    page.reload()
    page.wait_for_selector("#start:enabled")
    assert page.input_value("#ears") == way
    play(page, [*standing(0, 8), *lying(8, 16)], 100)
    assert [a + b for a, b in zip(first, page.evaluate("[spoken, pulses]"), strict=True)] == heard


SHARING = "navigator.canShare = () => true; navigator.share = async what => { window.shared = what.files[0].name; };"


def test_after_stop_the_time_of_each_activity_is_shown_saved_and_shared(run):
    page = run([*standing(0, 40), *lying(40, 50), *standing(100, 110)], 400, before=SHARING)
    stop(page)
    page.wait_for_selector("#summary:visible")
    assert page.inner_text("#label") == "Mostly standing"
    assert "without a signal" in page.inner_text("#detail")
    names = page.locator("#minutes .name").all_inner_texts()
    assert names[:2] == ["standing", "sitting"]
    look(page, "summary", dark=True)
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename.startswith("activities-")
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    seconds = {name: sum(float(row["seconds"]) for row in rows if row["activity"] == name) for name in names[:2]}
    # The label follows a change after a few seconds.
    assert seconds["standing"] == pytest.approx(47, abs=4)
    assert seconds["sitting"] == pytest.approx(10, abs=4)
    page.click("#share")
    until(page, "window.shared?.startsWith('activities-')")
    with page.expect_download() as download:
        page.click("#picture-save")
    assert re.fullmatch(r"activities-[\d-]+\.png", download.value.suggested_filename)
    SHOTS.mkdir(parents=True, exist_ok=True)
    download.value.save_as(SHOTS / "postcard.png")
    with Image.open(SHOTS / "postcard.png") as picture:
        found = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    # Standing and sitting in their colors.
    for color in ((0x2A, 0x7D, 0xE1), (0x5C, 0x4A, 0x00)):
        assert (found == color).all(axis=1).sum() > 5000
    play(page, standing(0, 3), 10)
    assert page.is_hidden("#summary")


def test_no_code_is_shown_on_a_phone_and_of_an_address_of_the_computer_itself(open_page, address):
    for url, touch in ((address.replace("127.0.0.1", "phone.test"), True), (address, False)):
        other = open_page(url, has_touch=touch)
        other.wait_for_selector("body:not([data-state=loading])")
        assert other.is_hidden("#elsewhere")
