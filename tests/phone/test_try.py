"""Models that run on the cards of the docs, in a real browser: they answer what Python answers."""

import json
import re

import numpy as np
import pytest
from phone.pages import PHONE
from running import host

from zoo.catalog import PRESETS_FOLDER
from zoo.families import FAMILIES
from zoo.patches import simulate
from zoo.patches.data import Scale
from zoo.presets import PRESETS
from zoo.runtime import Interpreter
from zoo.runtime.vocabulary import context_ids, tokenize
from zoo.serving.server import PAGE_FOLDER

NOTED = """
window.tried = [];
const plain = value => ArrayBuffer.isView(value) ? [...value] : value;
document.addEventListener('tried', ({detail}) => tried.push(
  Object.fromEntries(Object.entries(detail).map(([key, value]) => [key, plain(value)]))));
"""
SENTENCES = ["in the right ", "It's Mr. Who", "I don\N{RIGHT SINGLE QUOTATION MARK}t know what", "that is all there is"]


def of_task(task):
    return [name for name, preset in PRESETS.items() if FAMILIES[preset.family].task == task]


def file(name):
    return PRESETS_FOLDER / name / "model.float16.tflite"


@pytest.fixture(scope="module")
def patches():
    """Colored patches `(N, 3, 16, 16)` in 0 to 255."""
    random = np.random.default_rng(1)
    return np.stack([np.rint(255 * simulate.draw("", 16, random).pixels.T) for _ in range(3)])


@pytest.fixture
def card(browser, tmp_path, patches):
    """Opens a page with a model, as a static host serves it below a path; its host is gone afterwards."""
    folder = tmp_path / "any" / "path"
    (folder / "card").mkdir(parents=True)
    (folder / "phone").symlink_to(PAGE_FOLDER)
    (folder / "patches.json").write_text(json.dumps({"patches": patches.reshape(len(patches), -1).tolist()}))

    def open_one(name, task):
        (folder / "model.tflite").write_bytes(file(name).read_bytes())
        (folder / "card" / "index.html").write_text(
            f"""<!doctype html><title>card</title><link rel="icon" href="data:,">
            <div class="try" data-task="{task}" data-model="../model.tflite" data-patches="../patches.json"></div>
            <script type="module" src="../phone/try.js"></script>"""
        )
        page = browser.new_page(viewport=PHONE)
        page.add_init_script(NOTED)
        with host(tmp_path) as port:
            page.goto(f"http://127.0.0.1:{port}/any/path/card/")
            page.wait_for_function("tried.length > 0")
        return page

    return open_one


@pytest.mark.parametrize("name", of_task("text"))
def test_words_have_the_probabilities_that_python_gives_them(name, card):
    page, model = card(name, "text"), Interpreter(file(name))
    words = model.metadata.words
    for sentence in SENTENCES:
        page.fill(".try input", sentence)
        found = page.evaluate("tried.at(-1)")
        assert found["context"] == tokenize(sentence)[-3:]
        ids = context_ids(sentence, words, 3, name)
        expected = model.run("next_word", ids=np.array([ids], np.int32))["probabilities"][0]
        assert [row["word"] for row in found["next"]] == [words[i] for i in np.argsort(-expected)[:5]]
        np.testing.assert_allclose([row["probability"] for row in found["next"]], np.sort(expected)[:-6:-1], atol=1e-4)
        shown = page.locator(".try .number").all_inner_texts()
        assert shown == [f"{np.floor(100 * share + 0.5):.0f}%" for share in np.sort(expected)[:-6:-1]]
    page.close()


def test_a_text_grows_by_a_tap_and_by_enter_and_says_what_it_does_not_know(card):
    page = card("trigram_lm_course_8_64", "text")
    box, said = page.locator(".try input"), page.locator(".try [role=status]")
    box.fill("that is all th")
    buttons = page.locator(".try .bars button")
    assert all(word.startswith("th") for word in buttons.all_inner_texts())
    first = buttons.first.inner_text()
    box.press("Enter")
    assert box.input_value() == f"that is all {first} "
    second = buttons.nth(1).inner_text()
    buttons.nth(1).click()
    assert box.input_value() == f"that is all {first} {second} "
    assert page.evaluate("document.activeElement.tagName") == "INPUT"
    box.fill("the zebra is ")
    assert "does not know “zebra”" in said.inner_text()
    assert buttons.count() == 0
    box.fill("the")
    assert "type 2 more" in said.inner_text()
    page.close()


@pytest.mark.parametrize("name", of_task("patches"))
def test_patches_have_the_code_and_the_reconstruction_that_python_gives_them(name, card, patches):
    page, model = card(name, "patches"), Interpreter(file(name))
    for number, patch in enumerate(patches):
        page.get_by_role("button", name=f"Patch {number + 1}").click()
        found, rgb = page.evaluate("tried.at(-1)"), (patch[None] / 255).astype(np.float32)
        code = model.run("encode", rgb=rgb)["code"][0]
        np.testing.assert_allclose(found["code"], code, atol=1e-4)
        luminance = model.run("reconstruct", rgb=rgb)["luminance"].ravel()
        np.testing.assert_allclose(found["luminance"], luminance, atol=1e-4)
        reads = Scale(*model.metadata.scale).apply(rgb)[0]
        np.testing.assert_allclose(found["read"], reads, atol=1e-5)
        error = np.square(reads - model.run("reconstruct", rgb=rgb)["patch"].ravel()).mean()
        assert float(re.search(r"Error ([\d.]+):", page.inner_text(".try [role=status]"))[1]) == pytest.approx(
            error, abs=6e-5
        )
        # What it reads and what it makes of it are both gray.
        pixels = "all => all.map(one => [...one.getContext('2d').getImageData(0, 0, 16, 16).data])"
        for canvas in page.eval_on_selector_all(".try .pictures figure:not(:last-child) canvas", pixels):
            red, green, blue, _ = np.array(canvas).reshape(-1, 4).T
            assert (red == green).all()
            assert (red == blue).all()
        shown = page.locator(".try .bars .number").all_inner_texts()
        np.testing.assert_allclose(np.array(shown, float), np.sort(code)[:-6:-1], atol=0.0051)
        active = int(re.match(r"\d+", page.inner_text(".try [role=status]"))[0])
        assert active == int((code > 0.1).sum())
    page.close()


def test_filters_are_the_weights_of_their_units_upright(card):
    from zoo import Model

    name = "sparse_autoencoder_best"
    page = card(name, "patches")
    gray = page.evaluate(
        """[...document.querySelectorAll('.filters canvas')].map(canvas =>
           [...canvas.getContext('2d').getImageData(0, 0, 16, 16).data].filter((_, i) => i % 4 === 0))"""
    )
    page.close()
    weights = Model.from_preset(name).get_layer("tied").get_weights()[0].T
    assert len(gray) == len(weights)
    for pixels, unit in zip(gray, weights, strict=True):
        upright = np.reshape(unit, (16, 16)).T
        np.testing.assert_allclose(np.reshape(pixels, (16, 16)), 127.5 * (1 + upright / np.abs(upright).max()), atol=1)


def test_a_model_that_is_not_there_is_said_to_be_missing(browser, tmp_path):
    (tmp_path / "phone").symlink_to(PAGE_FOLDER)
    (tmp_path / "index.html").write_text(
        '<div class="try" data-task="text" data-model="lost.tflite"></div>'
        '<script type="module" src="phone/try.js"></script>'
    )
    page = browser.new_page()
    with host(tmp_path) as port:
        page.goto(f"http://127.0.0.1:{port}/")
        page.get_by_text("The model cannot be loaded: the file lost.tflite is missing").wait_for()
    page.close()
