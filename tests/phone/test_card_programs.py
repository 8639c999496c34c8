"""The JavaScript of a card in a real browser: five lines that answer what `zoo.runtime` answers."""

import re
from pathlib import Path

import numpy as np
import pytest
from running import PHONE_PAGE

from zoo.catalog import PRESETS_FOLDER
from zoo.runtime import Interpreter

MODULES = PHONE_PAGE / "node_modules" / "@litertjs"
PAGE = """<!doctype html><title>card</title>
<script type="importmap">{{"imports": {{
  "@litertjs/core": "/core/dist/index.js", "@litertjs/wasm-utils": "/wasm-utils/dist/index.js"}}}}</script>
<script type="module">{program}</script>"""
TYPES = {".js": "text/javascript", ".wasm": "application/wasm"}
# What each program asks, and for which answer.
ASKED = {
    "activity_gru_pocket": ("window", {"window": np.zeros((1, 150, 3), np.float32)}, "probabilities"),
    "sparse_autoencoder_course": ("encode", {"rgb": np.full((1, 3, 16, 16), 0.5, np.float32)}, "code"),
    "trigram_lm_course_8_64": ("next_word", {"ids": np.array([[5, 9, 2]], np.int32)}, "top_ids"),
}


@pytest.mark.parametrize("preset", ASKED)
def test_the_javascript_of_a_card_answers_as_the_runtime(preset, browser):
    if not MODULES.is_dir():
        pytest.skip("needs @litertjs/core: make page")
    program = re.search(r"```javascript\n(.*?)```", (PRESETS_FOLDER / preset / "card.md").read_text(), re.DOTALL)[1]
    assert len(program.splitlines()) == 5

    def answer(route):
        path = route.request.url.removeprefix("http://localhost/")
        if path == "":
            route.fulfill(body=PAGE.format(program=program), content_type="text/html")
        elif path.startswith("wasm/"):
            route.fulfill(path=MODULES / "core" / path, content_type=TYPES[Path(path).suffix])
        elif path.endswith(".js"):
            route.fulfill(path=MODULES / path, content_type=TYPES[".js"])
        elif path.endswith(".tflite"):
            route.fulfill(path=PRESETS_FOLDER / preset / path, content_type="application/octet-stream")
        else:
            route.fulfill(status=404)

    page = browser.new_page()
    page.route("**/*", answer)
    with page.expect_console_message(lambda message: message.type == "log", timeout=60_000) as logged:
        page.goto("http://localhost/")
    found = logged.value.args[0].json_value()
    page.close()
    signature, inputs, output = ASKED[preset]
    expected = Interpreter(PRESETS_FOLDER / preset / "model.float32.tflite").run(signature, **inputs)[output]
    np.testing.assert_allclose(found, expected.ravel(), atol=1e-5)
