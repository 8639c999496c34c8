"""Which model runs, and how sure an answer has to be, is for the owner of the phone to decide."""

import pytest
from phone.pages import MODEL, look, play, standing, stop

from zoo.catalog import PRESETS_FOLDER
from zoo.runtime.metadata import extract

LSTM = PRESETS_FOLDER / "activity_lstm_course" / "model.float32.tflite"


@pytest.fixture
def choice(serve_page, inertial_file):
    with serve_page(MODEL, inertial_file, LSTM) as url:
        yield url


def test_a_chosen_model_runs_and_is_remembered(choice, open_page):
    page = open_page(choice)
    page.wait_for_selector("#about:has-text('activity_gru_pocket')")
    page.click("#settings summary")
    assert page.locator("#models option").count() == 3
    page.select_option("#models", index=2)
    page.wait_for_selector("#about:has-text('activity_lstm_course')")
    page.reload()
    page.wait_for_selector("#about:has-text('activity_lstm_course')")
    assert len(play(page, standing(0, 4), 20)) >= 20
    # Another model ends what runs.
    page.click("#settings summary")
    page.select_option("#models", index=1)
    page.wait_for_selector("#about:has-text('inertial')")
    assert page.get_attribute("body", "data-state") == "start"
    assert page.locator("#known .chip").all_inner_texts() == ["still", "turning"]


def test_an_address_names_the_model_that_runs(choice, open_page):
    page = open_page(f"{choice}?model=activity_lstm_course")
    page.wait_for_selector("#about:has-text('activity_lstm_course')")
    assert page.input_value("#models").startswith("models/")
    page.goto(f"{choice}?model=of-another-page")
    page.wait_for_selector("#about:has-text('activity_gru_pocket')")


def test_of_models_chosen_in_haste_the_last_one_runs_alone(choice, open_page):
    page = open_page(choice.replace("127.0.0.1", "phone.test"), has_touch=False)
    page.wait_for_selector("#signal-axes span")
    held = []
    page.route("**/*.tflite", lambda route: held.append(route))
    page.click("#settings summary")
    for index in (1, 2):
        # From the keyboard: while a model loads, the list is hidden.
        page.evaluate(
            """index => {
              const models = document.getElementById('models');
              models.selectedIndex = index;
              models.dispatchEvent(new Event('change'));
            }""",
            index,
        )
        while len(held) < index:
            page.wait_for_timeout(20)
    for route in reversed(held):
        route.continue_()
    page.wait_for_selector("#about:has-text('activity_lstm_course')")
    page.wait_for_selector("#signal-axes span")
    page.wait_for_timeout(300)
    page.clock.run_for(6000)
    assert "activity_lstm_course" in page.inner_text("#about")
    assert page.evaluate("document.getElementById('models').selectedIndex") == 2
    page.click("#stop")
    page.wait_for_selector("body[data-state=summary]")
    summary = page.inner_text("main")
    page.clock.run_for(3000)
    assert page.inner_text("main") == summary


def test_a_file_of_ones_own_is_opened_and_one_that_does_not_run_is_named(choice, open_page, tmp_path):
    page = open_page(choice)
    page.click("#settings summary")
    page.set_input_files("#file", LSTM)
    page.wait_for_selector("#about:has-text('activity_lstm_course')")
    assert len(play(page, standing(0, 4), 20)) >= 20
    (tmp_path / "broken.tflite").write_bytes(LSTM.read_bytes()[:600])
    page.set_input_files("#file", tmp_path / "broken.tflite")
    page.wait_for_selector("#problem-text:has-text('truncated or damaged')")
    # The model that ran before is still there.
    assert "activity_lstm_course is still open" in page.inner_text("#problem-text")
    assert len(play(page, standing(10, 14), 20)) >= 20
    stop(page)
    page.select_option("#models", index=0)
    page.wait_for_selector("#about:has-text('activity_gru_pocket')")
    assert page.is_enabled("#start")


@pytest.fixture
def sure():
    """Percent below which an answer is "Not sure", as the file says."""
    return round(100 * extract(MODEL).threshold)


def test_how_sure_an_answer_has_to_be_is_chosen_while_it_runs_and_remembered(run, sure):
    page = run(standing(0, 4), 20)
    assert page.inner_text("#label") == "Standing"
    page.click("#settings summary")
    # A page with one model offers no choice.
    assert [page.is_visible(f"#{id}") for id in ("models-row", "file", "as-in-file")] == [False, True, False]
    assert page.inner_text("#sure") == f"{sure}%"
    page.focus("#threshold")
    page.keyboard.press("End")
    # After a gap the signal starts anew: of its first moments nobody is so sure.
    play(page, standing(10, 11.55), 1)
    assert (page.inner_text("#sure"), page.inner_text("#label")) == ("99%", "Not sure")
    assert page.inner_text("#as-in-file") == f"Back to {sure}%, as in the file"
    look(page, "settings", dark=True)
    page.reload()
    page.click("#settings summary")
    assert page.inner_text("#sure") == "99%"
    page.click("#as-in-file")
    assert page.inner_text("#sure") == f"{sure}%"
    play(page, standing(0, 4), 20)
    assert page.inner_text("#label") == "Standing"


def test_how_it_works_is_told_with_the_numbers_of_the_file_and_shown_on_the_last_windows(open_page, sure):
    page = open_page()
    play(page, standing(0, 14), 100)
    page.click("#how summary")
    text = page.inner_text("#how-text")
    for words in (
        "50 rows per second",
        "reads 5 rows at a time",
        "in 64 numbers",
        "each of 6 activities and for all other movements",
        f"below {sure}%",
    ):
        assert words in text
    words = page.locator("#windows li").all_inner_texts()
    assert len(words) == 3
    assert all(line.startswith("standing ") for line in words)
    drawn = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(value => value)"
    assert page.locator("#windows canvas").evaluate_all(f"all => all.map({drawn})") == [True] * 3
    page.evaluate("document.getElementById('how').scrollIntoView()")
    look(page, "explained", dark=True)
    stop(page)
    assert page.locator("#windows li").count() == 3
