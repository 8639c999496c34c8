"""A class sees itself on the projector, trains a model, and opens it on its phones, without a terminal."""

import json
import shutil
from functools import partial

import pytest
from phone import pages
from phone.pages import HERTZ, play, until
from running import send, zoo_collect

from zoo.activity.simulate import walk_through
from zoo.serving.server import PAGE_FOLDER

look = partial(pages.look, settle=1)
DESKTOP = {"width": 1440, "height": 900}
class_served = partial(zoo_collect, page=PAGE_FOLDER)


def record(document, person, activity, number, seconds=30):
    rows = walk_through([activity], float(seconds), HERTZ, seed=number)[0]
    lines = [
        f"{i / HERTZ:.4f},{','.join(f'{value:.4f}' for value in row)},{person},{activity}" for i, row in enumerate(rows)
    ]
    return send(document["url"], "\n".join(["time,x,y,z,subject,activity", *lines, ""]).encode(), number)


@pytest.fixture
def project(open_page, built):
    return lambda document, **options: open_page(
        document["projector"], viewport=DESKTOP, has_touch=False, device_scale_factor=1, patient=False, **options
    )


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "class"


def test_the_grid_fills_as_recordings_arrive(project, folder):
    with class_served(folder, "--labels", "walking,sitting,jogging") as (_, document):
        page = project(document)
        page.wait_for_selector("#code svg")
        assert page.inner_text("#address") == document["url"]
        assert page.inner_text("#training-text") == "Missing: 2 more people, 2 more activities."
        assert page.is_disabled("#train")
        record(document, "Otter 27", "walking", 1)
        page.wait_for_selector("#people li:has-text('Otter 27')")
        cells = [" ".join(text.split()) for text in page.locator("#people .cell").all_inner_texts()]
        assert cells == ["walking 0:30", "sitting 0:00", "jogging 0:00"]
        assert page.inner_text("#newest-title") == "Walking, Otter 27"
        assert page.locator("#newest-card .axes").inner_text().split() == ["x", "y", "z", "acceleration,", "m/s²"]
        drawn = "() => new Set(newest.getContext('2d').getImageData(0, 0, newest.width, newest.height).data).size > 9"
        until(page, drawn)
        record(document, "Otter 27", "walking", 2)
        record(document, "Heron 64", "sitting", 3)
        page.wait_for_selector("#people li:has-text('Heron 64')")
        assert page.inner_text("#people-title") == "2 people, 3 recordings"
        minutes = page.locator("#minutes .percent").all_inner_texts()
        assert minutes == ["1:00 of 5 min", "0:30 of 5 min", "0:00 of 5 min"]
        page.fill("#goal", "1")
        page.press("#goal", "Enter")
        assert page.locator("#minutes .percent").first.inner_text() == "1:00 of 1 min"
        assert page.is_enabled("#train")
        # What is refused has its reason, takes nothing else away, and is forgotten when its phone sends something else.
        assert record(document, "=1", "walking", 4) == 422
        page.wait_for_selector("#problem:has-text('The computer takes no such name or activity: choose another one.')")
        look(page, "class-refused", SIZES)
        record(document, "Heron 64", "sitting", 5)
        page.wait_for_selector("#problem", state="hidden")
        # A reload changes nothing, and the goal is remembered.
        page.reload()
        page.wait_for_selector("#people li:has-text('Heron 64')")
        assert page.locator("#minutes .percent").first.inner_text() == "1:00 of 1 min"


def test_the_page_shows_nothing_to_who_has_the_code_of_phones(project, folder):
    with class_served(folder) as (_, document):
        record(document, "Otter 27", "walking", 1)
        token = document["url"].partition("#")[2]
        for wrong in (token, ""):
            page = project({"projector": f"{document['projector'].partition('#')[0]}#{wrong}"})
            page.wait_for_selector("#problem:has-text('not valid')")
            assert page.locator("main > section:visible").count() == 0
            assert "Otter" not in page.content()


def test_a_server_that_comes_back_is_found_again(project, folder):
    with class_served(folder) as (_, document):
        page = project(document)
        page.wait_for_selector("#link:has-text('live')")
        record(document, "Otter 27", "walking", 1)
        page.wait_for_selector("#people li:has-text('Otter 27')")
    page.wait_for_selector("#link:has-text('does not answer')")
    # What arrived stays in view meanwhile.
    assert page.locator("#people li").count() == 1
    with class_served(folder) as (_, again):
        assert again == document
        record(again, "Heron 64", "sitting", 2)
        page.clock.run_for(1100)
        page.wait_for_selector("#people li:has-text('Heron 64')")
        assert page.locator("#people li").count() == 2


def test_a_connection_on_which_nothing_comes_is_not_called_live(project, folder):
    silent = """
        const {fetch: usual} = window;
        window.fetch = (url, ...rest) => `${url}`.includes('class/events') && !window.back
          ? Promise.resolve(new Response(new ReadableStream())) : usual(url, ...rest);
    """
    with class_served(folder) as (_, document):
        page = project(document, before=silent)
        page.wait_for_selector("#link:has-text('live')")
        page.clock.fast_forward(30_000)
        assert page.inner_text("#link") == "live"
        page.clock.fast_forward(11_000)
        page.wait_for_selector("#link:has-text('does not answer')")
        page.evaluate("window.back = true")
        page.clock.run_for(1100)
        page.wait_for_selector("#link:has-text('live')")
        page.wait_for_selector("#code svg")


@pytest.mark.process
def test_a_class_trains_a_model_and_opens_it_on_a_phone(project, folder, open_page):
    # Of five, one is held out: with four to train on, validation needs no folds.
    people = ["Otter 27", "Heron 64", "Badger 31", "Lynx 58", "A person of 40 letters who is so called"]
    with class_served(folder) as (_, document):
        page = project(document)
        for number, person in enumerate(people):
            for place, activity in enumerate(("sitting", "walking")):
                assert record(document, person, activity, 10 * number + place) == 200
        page.wait_for_selector("#train:enabled")
        look(page, "class", SIZES)
        page.click("#train")
        page.wait_for_selector("#progress:visible")
        page.wait_for_selector("#training-text:has-text('Training')", timeout=300_000)
        assert not page.is_visible("#train")
        # Phones go on sending.
        assert record(document, people[0], "walking", 99) == 200
        page.wait_for_selector("#people-title:has-text('11 recordings')")
        look(page, "class-training", SIZES)
        page.wait_for_selector("#matrix tr", timeout=900_000)
        assert page.locator("#matrix th").all_inner_texts() == ["sitting", "walking", "sitting", "walking"]
        counts = [int(text) for text in page.locator("#matrix small").all_inner_texts()]
        assert f"{sum(counts)} windows" in page.inner_text("#result-text")
        (held_out,) = page.locator("#left-out li").all_inner_texts()
        assert held_out in people
        url = page.inner_text("#address")
        phone = open_page(url)
        rows = walk_through(["walking"], 8.0, HERTZ, seed=0)[0].tolist()
        play(phone, [[i / HERTZ, *row] for i, row in enumerate(rows)], 40)
        assert phone.locator("#bars .name").all_inner_texts() == ["sitting", "walking"]
        assert phone.inner_text("#label").lower() == "walking"
    metrics = json.loads((folder.parent / "class-trained-1" / "evaluate.log").read_text())
    assert [*metrics["per_subject"]] == [held_out]
    # Another run of the server has the result, and the address of the model.
    with class_served(folder) as (_, again):
        page = project(again)
        page.wait_for_selector("#matrix tr")
        assert page.inner_text("#address") == url


CLASSES = ["walking", "jogging", "sitting"]


@pytest.fixture
def trained(folder):
    """What a training has left next to the recordings: counts of the windows of one person."""
    left = folder.parent / "class-trained-1"
    (left / "exported").mkdir(parents=True)
    shutil.copy(pages.MODEL, left / "exported" / "model.float32.tflite")
    confusion = [[30, 10, 0], [0, 20, 0], [0, 0, 25]]
    measured = {"classes": CLASSES, "confusion": confusion, "windows": 85, "accuracy": 75 / 85}
    (left / "evaluate.log").write_text(json.dumps(measured | {"per_subject": {"Heron 64": {}}}))


def test_a_result_takes_over_the_board_until_more_is_recorded(project, folder, trained):
    with class_served(folder, "--labels", ",".join(CLASSES)) as (_, document):
        page = project(document)
        page.wait_for_selector("#matrix tr")
        assert page.inner_text("h1") == "It recognizes 88%"
        assert page.locator("#left-out li").all_inner_texts() == ["Heron 64"]
        assert page.locator("#matrix td:not(:empty)").all_inner_texts() == [
            "75%\n30", "25%\n10", "0", "0", "100%\n20", "0", "0", "0", "100%\n25",
        ]  # fmt: skip
        assert page.locator("#matrix .picture").count() == 6
        # The less is taken for it, the paler it is; each activity has the color that it has everywhere.
        shades = page.eval_on_selector_all(
            "#matrix tr:nth-child(2) td", "cells => cells.map(c => getComputedStyle(c).backgroundColor)"
        )
        assert len({*shades}) == 3
        assert page.locator(".code svg:visible").count() == 1
        assert page.inner_text("#address").endswith("/trained/1/")
        assert not page.is_visible("#people-card")
        look(page, "class-trained", SIZES, dark=True)
        page.click("#board")
        assert page.inner_text("#address") == document["url"]
        assert page.locator(".code svg:visible").count() == 1
        assert page.is_visible("#people-card")
        assert not page.is_visible("#result")
        # Who records meanwhile crosses the board; the recordings stay in view.
        record(document, "Otter 27", "walking", 1)
        page.wait_for_selector("#arrivals:has-text('Otter 27, walking') .moving")
        record(document, "Heron 64", "sitting", 2)
        page.wait_for_selector("#arrivals:has-text('Heron 64, sitting')")
        edges = "walkers => walkers.map(each => each.getBoundingClientRect()).map(({left, right}) => [left, right])"
        otter, heron = page.eval_on_selector_all("#arrivals p", edges)
        assert heron[1] <= max(0, otter[0])
        assert not page.is_visible("#result")
        page.wait_for_selector("#arrivals p", state="detached")
        page.click("#board")
        assert page.is_visible("#result")


def test_who_recorded_before_the_page_was_opened_does_not_cross_the_board(project, folder):
    with class_served(folder) as (_, document):
        record(document, "Otter 27", "walking", 1)
        page = project(document, reduced_motion="reduce")
        page.wait_for_selector("#newest-card:visible")
        assert page.locator("#arrivals p").count() == 0
        record(document, "Heron 64", "sitting", 2)
        # Where motion is reduced, it is shown and stands still.
        page.wait_for_selector("#arrivals p:has-text('Heron 64, sitting')")
        left = "() => document.querySelector('#arrivals p').getBoundingClientRect().left"
        assert page.evaluate(left) == page.evaluate(left) == 0


SIZES = {
    "": (1440, 900), "-390": (390, 844), "-320": (320, 568), "-200-percent": (320, 568), "-wide": (1920, 1080),
}  # fmt: skip


def test_a_class_of_thirty_fits(project, folder):
    with class_served(folder) as (_, document):
        page = project(document)
        page.wait_for_selector("#code svg")
        look(page, "class-empty", SIZES, dark=True)
        activities = ("walking", "jogging", "upstairs", "downstairs", "sitting", "standing")
        for number in range(30):
            record(document, f"Otter {10 + number}", activities[number % 6], number, seconds=8)
        page.wait_for_selector("#people-title:has-text('30 people, 30 recordings')")
        look(page, "class-full", SIZES, dark=True)
