"""An hour is labeled by keys alone, is written as recordings, and trains a model; the page is readable to all."""

import csv
import re
import runpy
import signal
from contextlib import contextmanager
from functools import partial

import pytest
from labeling.test_session import act, recorded, zoo_label
from phone import pages
from phone.pages import until
from running import ROOT

import zoo
from zoo.activity.columns import CsvColumns
from zoo.labeling.session import open_session

look = partial(pages.look, settle=1)
DESKTOP = {"width": 1440, "height": 900}
SIZES = {"": (1440, 900), "-narrow": (390, 844), "-200-percent": (1024, 768)}


@pytest.fixture(scope="module")
def hour(make_once):
    """The hour of the guide, a sixth as long, without and with its notes."""
    example = runpy.run_path(str(ROOT / "examples" / "guides" / "label.py"))
    return make_once("labeled-hour", lambda folder: example["record"](folder / "hour", shorter=6))


@pytest.fixture
def labeling(open_page, built, hour, tmp_path):
    """The page of `zoo label`: `with labeling("--subject", "ann") as (process, page)`."""

    @contextmanager
    def opened(*arguments, file=None, notes=False, proposed=True, **options):
        file = file or (hour / "hour" if notes else hour / "hour" / "TotalAcceleration.csv")
        with zoo_label(file, "-o", "ours.h5", *arguments, cwd=tmp_path) as (process, document):
            page = open_page(
                document["url"], viewport=DESKTOP, has_touch=False, device_scale_factor=1, patient=False, **options
            )
            page.wait_for_selector("#work:visible, #who:visible")
            if proposed:
                await_proposals(page)
            yield process, page

    return opened


def await_proposals(page):
    """Waits for the model, which a busy machine loads in a minute or more."""
    page.wait_for_selector("#state", state="hidden", timeout=600_000)


def press(page, *keys):
    """Presses keys, one when what the one before it did is shown."""
    for key in keys:
        page.keyboard.press(key)
        settled(page)


def settled(page):
    """Waits until all that was asked for is done."""
    page.wait_for_selector("#work[aria-busy=false]")


def answers(tmp_path):
    """The rows of the journal: start, end, label and who decided."""
    (path,) = (tmp_path / "labeled").rglob("*.csv")
    with path.open() as file:
        rows = [*csv.DictReader(file)]
    return [(float(row["start"]), float(row["end"]), row["activity"], row["decided"]) for row in rows]


def headline(page):
    """The word that is asked about."""
    return page.inner_text("#what").removeprefix("Perhaps ").rstrip("?")


def stretches(page):
    return int(page.get_attribute("#day", "aria-label").partition(" ")[0])


def test_an_hour_is_labeled_by_keys_and_trains_a_model(labeling, tmp_path, monkeypatch, zoo_cli):
    with labeling("--subject", "ann", notes=True) as (process, page):
        assert page.inner_text("#title") == "Tuesday, June 3, 8:00 to 8:10"
        count, first = stretches(page), headline(page)
        assert count >= 11
        press(page, "Enter")
        page.wait_for_selector(f"#said:has-text('{first}')", state="attached")
        assert [answer[2:] for answer in answers(tmp_path)] == [(first.lower(), "note")]
        # Another one of the words, a word of one's own, and nothing at all.
        press(page, "2")
        assert ("jogging", "person") in [answer[2:] for answer in answers(tmp_path)]
        press(page, "a")
        page.keyboard.type("wading")
        press(page, "Enter")
        assert ("wading", "person") in [answer[2:] for answer in answers(tmp_path)]
        assert page.locator("#words .word").last.inner_text().split()[1] == "wading"
        # It looks unlike `other`, which is a word of the model.
        assert page.locator("#words .word", has_text="wading").locator("[data-letter=W]").count() == 1
        assert page.locator("#words .word", has_text="other").locator("svg").count() == 1
        press(page, "0")
        assert ("", "person") in [answer[2:] for answer in answers(tmp_path)]
        # Everything goes back, one step after the other.
        press(page, "z", "z", "z", "z")
        assert page.is_disabled("#undo")
        assert page.locator("#words .word", has_text="wading").count() == 0
        assert not [*(tmp_path / "labeled").rglob("*.csv")]
        # A stretch is split, its end moves by a second and by a tenth.
        press(page, "s", "Enter")
        assert stretches(page) == count + 1
        end = answers(tmp_path)[0][1]
        press(page, "z", ",", "Shift+Comma", ".", "Enter")
        assert answers(tmp_path)[0][1] == pytest.approx(end - 0.1, abs=0.002)
        # All that is sure, in the whole recording; and then what is not, as proposed.
        press(page, *["-"] * 8, "Shift+Enter")
        assert len(answers(tmp_path)) > 2
        for _ in range(count):
            if page.inner_text("#queue-title") == "All decided":
                break
            press(page, "n", "Enter")
        command = "zoo data windows ours.h5 -o data3.h5 --test-fraction 0"
        assert page.inner_text("#done") == f"Save, then {command}"
        # Fewer than 20 answers are enough where nothing else has no label.
        assert page.is_enabled("#learn")
        page.click("#save")
        page.wait_for_selector(f"#saved:has-text('stretches in ours.h5'):has-text('{command}')")
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 0
    monkeypatch.chdir(tmp_path)
    assert zoo_cli(*command.split()[1:]).status == 0
    data = zoo.load_data(tmp_path / "data3.h5")
    assert data.classes == ("downstairs", "jogging", "sitting", "standing", "upstairs", "walking")
    result = zoo.train(
        "activity_gru", data, recipe={"epochs": 1, "validation": 0}, out=tmp_path / "model", units=8, verbose=False
    )
    assert result.model.classes == data.classes


def test_the_person_is_asked_once_and_another_tab_is_told(labeling, open_page, tmp_path):
    with labeling(proposed=False) as (_, page):
        page.wait_for_selector("#who:visible")
        page.fill("#person", "../ann")
        page.press("#person", "Enter")
        page.wait_for_selector("#problem:has-text('person')")
        page.fill("#person", "p1")
        page.press("#person", "Enter")
        page.wait_for_selector("#work:visible")
        await_proposals(page)
        other = page.context.new_page()
        other.goto(page.url)
        other.wait_for_selector("#work:visible")
        await_proposals(other)
        word = headline(page).lower()
        (tmp_path / "labeled" / "p1").write_text("no folder")
        press(page, "Enter")
        page.wait_for_selector("#problem:has-text('not a folder: nothing was changed')")
        (tmp_path / "labeled" / "p1").unlink()
        press(page, "Enter")
        press(other, "0")
        other.wait_for_selector("#problem:has-text('something changed meanwhile')")
        press(other, "n", "0")
        assert sorted(answer[2] for answer in answers(tmp_path)) == ["", word]


def test_a_recording_that_cannot_be_opened_leaves_the_other_one_and_its_keys_as_they_are(labeling, tmp_path):
    for number in (1, 2):
        recorded(tmp_path / "day" / f"{number}" / "TotalAcceleration.csv", "sitting", "walking", seed=number)
    with labeling("--subject", "ann", file=tmp_path / "day") as (_, page):
        page.route("**/label/day/1", lambda route: route.abort())
        page.select_option("#recording", "1")
        page.wait_for_selector("#problem:has-text('The computer does not answer')")
        assert page.input_value("#recording") == "0"
        other = page.context.new_page()
        other.goto(page.url)
        other.wait_for_selector("#work:visible")
        press(other, "2")
        # Neither the decision nor what has changed comes through.
        page.route(
            "**/label/day/0", lambda route: route.abort() if route.request.method == "GET" else route.continue_()
        )
        press(page, "3")
        page.wait_for_selector("#problem:has-text('The computer does not answer')")
        page.unroute("**/label/day/0")
        press(page, "3", "3")
        assert [answer[2] for answer in answers(tmp_path)] == ["sitting"]
        page.unroute("**/label/day/1")
        page.select_option("#recording", "1")
        page.wait_for_selector("#line:has-text('day/2/')")
        assert page.input_value("#recording") == "1"


def test_keys_of_one_letter_can_be_switched_off_and_each_is_a_button(labeling, tmp_path):
    with labeling("--subject", "ann") as (_, page):
        page.click("#letters")
        press(page, "1", "0", "s", "z")
        assert not (tmp_path / "labeled").is_dir() or not [*(tmp_path / "labeled").rglob("*.csv")]
        word = headline(page).lower()
        page.click("#accept")
        settled(page)
        # A click leaves no button behind that Enter would press again.
        page.click("#leave")
        settled(page)
        press(page, "Enter")
        decided = [answer[2:] for answer in answers(tmp_path)]
        assert {(word, "note"), ("", "person")} < {*decided}
        assert sorted(how for _, how in decided) == ["note", "note", "person"]
        # A key that is held decides once, on a button as well, and goes on to the next stretch as often as it likes.
        for count, focused in ((4, None), (5, "#leave")):
            if focused:
                page.focus(focused)
            for _ in range(3):
                page.keyboard.down("Enter")
                settled(page)
            page.keyboard.up("Enter")
            settled(page)
            assert len(answers(tmp_path)) == count
        for button, says in (("#cursor-on", "Cursor at"), ("#end-back", "End moved to")):
            page.click(button)
            page.wait_for_selector(f"#said:has-text('{says}')", state="attached")
        before = page.get_attribute("#close", "aria-label")
        page.click("#view-back")
        settled(page)
        assert page.get_attribute("#close", "aria-label") != before
        page.reload()
        page.wait_for_selector("#work:visible")
        assert not page.is_checked("#letters")


def test_what_is_to_check_is_gone_through_without_an_answer(labeling):
    with labeling("--subject", "ann") as (_, page):
        looked_at = set()
        for _ in range(3):
            press(page, "n")
            looked_at.add(page.inner_text("#details"))
        assert len(looked_at) == 3


def test_wrong_labels_are_listed_until_they_are_accepted_or_kept(labeling, tmp_path):
    recorded(tmp_path / "day" / "TotalAcceleration.csv", *["sitting", "walking", "jogging"] * 8, seconds=20.0)
    session, _ = open_session([tmp_path / "day"], CsvColumns(), tmp_path / "labeled", None)
    session.name_person("ann")
    said = ["sitting", "walking", "jogging"] * 8
    said[3:5] = ["walking", "jogging"]
    for at, word in enumerate(said):
        if at + 1 < len(said):
            act(session, do="split", at=at, time=20.0 * (at + 1))
        act(session, do="label", at=at, label=word)
    with labeling("--subject", "ann", "--model", "activity_gru_pocket", file=tmp_path / "day") as (_, page):
        page.click("#learn")
        rows = page.locator("#queue .disputed")
        rows.first.wait_for(timeout=120_000)
        settled(page)
        assert rows.count() == 2
        for mine, other in (("walking", "sitting"), ("jogging", "walking")):
            row = rows.filter(has_text=f"Yours says {mine}")
            assert f"without it, the model says {other}, " in row.inner_text()
        look(page, "label-check", SIZES)
        page.click("#queue .disputed:has-text('Yours says jogging')")
        assert page.inner_text("#what") == "Check: yours says jogging"
        press(page, "k")
        assert (rows.count(), page.is_hidden("#keep")) == (1, False)
        press(page, "Enter")
        assert (rows.count(), page.is_hidden("#keep")) == (0, True)
        assert [answer[2] for answer in answers(tmp_path)][3:5] == ["sitting", "jogging"]
        # What was decided before the page was opened is undone as well.
        press(page, "z", "z")
        assert (rows.count(), len(answers(tmp_path))) == (2, 24)
        press(page, "z")
        assert len(answers(tmp_path)) == 23


def test_the_end_of_a_note_moves_to_the_change_that_the_model_sees(labeling, tmp_path):
    recorded(tmp_path / "day" / "TotalAcceleration.csv", "sitting", "walking", "sitting")
    # The model knows none of these words, and one is noted eleven seconds late.
    (tmp_path / "day" / "Annotation.csv").write_text("seconds_elapsed,text\n0,reading\n41,roaming\n60,reading\n")
    with labeling("--subject", "ann", "--model", "activity_gru_pocket", file=tmp_path / "day") as (_, page):
        page.click("#day", position={"x": 80, "y": 40})
        assert page.inner_text("#what") == "Reading?"
        press(page, "c")
        page.wait_for_selector("#said:has-text('End moved to 8:00:')", state="attached")
        press(page, "Enter")
        assert answers(tmp_path)[0] == pytest.approx((0, 30, "reading", "note"), abs=2)
        press(page, "z", "z")
        page.click("#change")
        settled(page)
        press(page, "Enter")
        assert answers(tmp_path)[0][1] == pytest.approx(30, abs=2)
        press(page, "ArrowRight", "ArrowRight", "c")
        page.wait_for_selector("#problem:has-text('sees no other change')")


def test_nothing_is_decided_before_the_model_has_read_it_and_the_choice_stays_when_it_has(labeling, tmp_path):
    with labeling("--subject", "ann", proposed=False, notes=True) as (_, page):
        # The model is loaded as soon as the page says that it has drawn the recording.
        page.route(
            "**/label/view/*", lambda route: route.continue_(method="GET", url=route.request.url.replace("view", "day"))
        )
        page.reload()
        page.wait_for_selector("#work:visible")
        page.click("#day", position={"x": 1000, "y": 40})
        settled(page)
        noted = page.inner_text("#details").split("noted: ")[1]
        for keys in ("Enter", "1", "0", "Shift+Enter"):
            press(page, keys)
            page.wait_for_selector("#problem:has-text('The model is still reading: nothing was decided.')")
        assert (page.inner_text("#what"), page.is_disabled("#accept")) == ("The model is still reading", True)
        assert not [*(tmp_path / "labeled").rglob("*.csv")]
        page.unroute("**/label/view/*")
        await_proposals(page)
        assert f"noted: {noted}" in page.inner_text("#details")
        word = page.inner_text("#accept-text").removeprefix("Take ")
        press(page, "Enter")
        assert [answer[2] for answer in answers(tmp_path)] == [word]


def test_an_edge_is_dragged_ends_at_the_cursor_and_stays_in_view(labeling, tmp_path):
    recorded(tmp_path / "day" / "TotalAcceleration.csv", "sitting", "walking", "sitting")
    (tmp_path / "day" / "Annotation.csv").write_text("seconds_elapsed,text\n0,reading\n41,roaming\n60,reading\n")
    with labeling("--subject", "ann", "--model", "activity_gru_pocket", file=tmp_path / "day") as (_, page):
        page.click("#day", position={"x": 80, "y": 40})
        press(page, *["-"] * 8)
        box = page.locator("#close").bounding_box()

        def place(moment):
            return box["x"] + 64 + (box["width"] - 64) * moment / 90, box["y"] + 40

        # What is undone while the pointer moves an edge numbers the others anew, or takes this one away.
        for taken, left in ((20.5, 10), (41, 35)):
            press(page, "s")
            page.mouse.move(*place(taken))
            page.mouse.down()
            page.mouse.move(*place(left + 1), steps=4)
            press(page, "z")
            page.mouse.move(*place(left))
            page.mouse.up()
            settled(page)
            assert (page.is_visible("#problem"), stretches(page)) == (taken == 20.5, 3)
        assert re.match("8:00:00 to 8:00:3[45]", page.inner_text("#details"))
        # What was moved last stays in view.
        press(page, *["+"] * 9)
        first, last = re.findall(r"8:0(\d:\d\d)", page.get_attribute("#close", "aria-label"))
        assert "0:30" <= first <= "0:35" <= last <= "0:40"
        press(page, *["-"] * 9)
        page.mouse.click(*place(20))
        settled(page)
        press(page, "e", "Enter")
        assert answers(tmp_path)[0] == pytest.approx((0, 20, "reading", "note"), abs=0.2)


def test_a_page_whose_command_was_started_again_says_where_to_go(labeling, tmp_path):
    with labeling("--subject", "ann") as (_, page):
        page.evaluate("location.hash = 'of-an-earlier-run'")
        page.wait_for_selector("#problem:has-text('zoo label was started again: open the address that it shows now')")


def test_it_is_readable_in_all_sizes_and_in_the_dark(labeling):
    with labeling("--subject", "ann", notes=True) as (_, page):
        press(page, "Enter", "Enter", "5")
        pixels = "document.getElementById('close').getContext('2d').getImageData(0, 0, 900, 300).data"
        until(page, f"() => new Set({pixels}).size > 9")
        page.evaluate("document.querySelector('#queue small').textContent = 'the model says something else'")
        height = "[...document.querySelectorAll('#queue strong')].map(word => word.getBoundingClientRect().height)"
        assert max(page.evaluate(height)) < 30, "a word is broken"
        look(page, "label", SIZES, dark=True)
