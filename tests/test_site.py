"""Every page of the docs site in Chromium, in the light and in the dark, on a phone and on a desk."""

import importlib
import json
import re
from itertools import chain
from urllib.parse import urljoin

import pytest
from PIL import Image
from running import AXE, ROOT, SHOTS, host, miss

from zoo.families import FAMILIES
from zoo.presets import PRESETS
from zoo.report import results
from zoo.serving import certificate

pytestmark = [pytest.mark.docs, pytest.mark.browser]


@pytest.fixture(scope="module")
def address(site):
    with host(site) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def visit(browser, address):
    def open_one(path="/", width=1440, height=900, **options):
        page = browser.new_context(viewport={"width": width, "height": height}, **options).new_page()
        page.goto(address + path)
        return page

    return open_one


@pytest.fixture(scope="module")
def addresses(site):
    """The paths of all pages, but for the phone page, which has tests of its own."""
    pages = (path.relative_to(site) for path in site.rglob("*.html"))
    return sorted(f"/{page}".removesuffix("index.html") for page in pages if page.parts[0] != "phone")


@pytest.fixture
def pictures(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs" / ".site")
    return importlib.import_module("pictures")


def test_pictures_of_pages_show_what_the_pages_show(pictures, browser, site):
    # After a change: make site && python docs/.site/pictures.py
    for name, page in chain(pictures.of_phone(browser), pictures.of_guides(browser, site)):
        with Image.open(pictures.ASSETS / f"{name}.png") as picture:
            told = picture.text[pictures.SHOWN]
        # What is measured while the page runs is not always the same.
        numbers = r"[\d.\u2212]+" if name in ("phone-walking", "phone-summary", "phone-recording") else "(?!)"
        assert re.sub(numbers, "", told) == re.sub(numbers, "", pictures.visible(page)), name


def test_the_moving_picture_shows_what_the_page_says_that_it_learned(pictures, browser):
    with pictures.to_teach(browser) as page, Image.open(pictures.FILM) as picture:
        said = pictures.film.story(page, lambda step, tenths, tapped: None)
        assert said == picture.info["comment"].decode()


CHECKS = ["link-name", "image-alt", "button-name", "scrollable-region-focusable", "heading-order"]
COLORED = (
    "/", "/results/", "/small-data/", "/course/", "/cite/", "/glossary/", "/guides/c/", "/guides/tune/",
    "/recipes/task/", "/reference/layers/", "/reference/presets/", "/reference/serving/",
    "/presets/activity_gru_pocket/", "/presets/sparse_autoencoder_best/", "/presets/trigram_lm_best/",
)  # fmt: skip
"""Pages that have together all that pages consist of, the colors of each language of code among it."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_read_on_a_phone_and_fits_a_desk(scheme, address, addresses, visit):
    if not AXE.is_file():
        miss(f"needs {AXE.relative_to(ROOT)}: make page")
    page = visit("/404.html", color_scheme=scheme)
    page.add_init_script(path=AXE)
    findings = []
    page.on("request", lambda request: request.url.startswith(address) or findings.append(f"fetches {request.url}"))
    for path in addresses if scheme == "light" else COLORED:
        checks = CHECKS * (scheme == "light") + ["color-contrast"] * (path in COLORED)
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.goto(address + path).ok, path
        for violation in page.evaluate(f"axe.run({{runOnly: {checks}}}).then(found => found.violations)"):
            findings += [f"{path} {violation['id']}: {node['html'][:200]}" for node in violation["nodes"][:3]]
        for width in (390, 1440):
            page.set_viewport_size({"width": width, "height": 844})
            if page.evaluate("document.documentElement.scrollWidth") > width:
                findings.append(f"{path} is wider than {width} px")
    assert not findings, "\n".join(findings[:20])


def test_charts_are_not_white_in_the_dark(visit):
    page = visit("/presets/activity_gru_pocket/", color_scheme="dark")
    filters = page.eval_on_selector_all("article img[src$='.png']", "all => all.map(i => getComputedStyle(i).filter)")
    assert len(filters) >= 3
    assert all("invert(1)" in found for found in filters)


TRIED = [name for name, preset in PRESETS.items() if FAMILIES[preset.family].task != "activity"]
"""Presets that run on their cards; recognizers run on the phone page."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_accent_is_that_of_the_phone_page(visit, scheme):
    page = visit("/phone/", color_scheme=scheme)
    accent = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--accent')")
    page = visit(color_scheme=scheme)
    assert page.evaluate("getComputedStyle(document.body).getPropertyValue('--md-typeset-a-color')") == accent


def test_each_card_but_of_recognizers_has_its_model_to_try(site):
    for name in TRIED:
        card = site / "presets" / name / "index.html"
        (model,) = re.findall(r'<div class="try" [^>]*data-model="([^"]+)"', card.read_text(encoding="utf-8"))
        assert (card.parent / model).is_file(), name


@pytest.mark.parametrize("name", ["sparse_autoencoder_best", "trigram_lm_best"])
def test_a_model_runs_on_its_card_where_everyone_can_use_it(name, visit):
    if not AXE.is_file():
        miss(f"needs {AXE.relative_to(ROOT)}: make page")
    page = visit(f"/presets/{name}/", width=390, height=844)
    page.add_init_script(path=AXE)
    SHOTS.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.reload()
        page.wait_for_selector(".try .bars li")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        found = page.evaluate("axe.run({include: [['.try'], ['.at-once']]}).then(found => found.violations)")
        assert [(violation["id"], violation["nodes"][0]["html"]) for violation in found] == []
        page.screenshot(path=SHOTS / f"card-{name}-{scheme}.png")
    page.context.set_offline(True)
    before = page.inner_text(".try [role=status]")
    if page.locator(".try input").count():
        page.fill(".try input", "that is all")
    else:
        page.get_by_role("button", name="Patch 4").click()
    assert page.inner_text(".try [role=status]") != before


def test_below_any_path_a_card_opens_the_page_with_its_model_which_stays_offline(site, tmp_path, browser):
    (tmp_path / "any").mkdir()
    (tmp_path / "any" / "path").symlink_to(site)
    with host(tmp_path) as port:
        page = browser.new_context().new_page()
        page.goto(f"http://localhost:{port}/any/path/presets/activity_cnn_pocket/")
        fetched = []
        page.on("request", lambda request: fetched.append(request.url))
        page.get_by_role("link", name="Try it").click()
        page.wait_for_url("**/any/path/phone/?model=activity_cnn_pocket")
        page.wait_for_selector("#offline:not([hidden])")
        assert page.locator("#models option").count() == len(PRESETS) - len(TRIED)
        page.context.set_offline(True)
        page.reload()
        page.wait_for_selector("#about:has-text('activity_cnn_pocket')")
        page.wait_for_selector("#hint:has-text('Simulated activity: standing')")
    assert all(url.startswith((f"http://localhost:{port}/any/path/", "blob:")) for url in fetched)


def test_the_phone_page_of_the_site_opens_the_recognizer_of_all_phones(site, visit):
    listed = [model["name"] for model in json.loads((site / "phone" / "models.json").read_text(encoding="utf-8"))]
    assert listed[0] == "activity_gru_phone"
    assert set(listed) == PRESETS.keys() - set(TRIED)
    visit("/phone/").wait_for_selector("#about:has-text('activity_gru_phone')")


def test_the_home_page_shows_the_phone_page_at_work_and_a_phone_fetches_it_at_a_tap(visit):
    page = visit()
    live = page.frame_locator(".live iframe")
    live.get_by_text("Recording of a real person").first.wait_for()
    live.get_by_text("Really: standing").wait_for()
    assert not page.locator(".strip").is_visible()
    page.screenshot(path=SHOTS / "home.png")
    # No phone can open the address of this computer.
    page.get_by_role("link", name="Try it").click()
    page.wait_for_url("**/phone/")
    page = visit(width=390, height=844, has_touch=True)
    page.wait_for_load_state("networkidle")
    assert page.locator(".strip").is_visible()
    assert [frame.url for frame in page.frames[1:]] in ([], [""])
    buttons = page.locator("article .md-button:visible")
    assert buttons.all_inner_texts() == ["Try it", "Install"]
    page.screenshot(path=SHOTS / "home-phone.png")
    buttons.first.click()
    page.wait_for_url("**/phone/")


def test_on_a_desk_the_home_page_shows_the_code_of_the_address_at_which_it_is_visited(site, browser):
    with host(site, certificate.tls_context(["127.0.0.1"])) as port:
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.goto(f"https://phone.test:{port}/")
        assert page.locator("article .md-button:visible").all_inner_texts() == ["Try it", "Install"]
        live = page.frame_locator(".live iframe")
        drawn = live.locator("#code path").get_attribute("d")
        assert live.locator("#address").text_content() == f"https://phone.test:{port}/phone/"
        page.get_by_role("link", name="Try it").click()
        scan = page.locator("#scan")
        assert scan.get_by_role("img", name="QR code of the address").locator("path").get_attribute("d") == drawn
        page.screenshot(path=SHOTS / "home-code.png")
        scan.get_by_role("button", name="Close").click()
        assert not scan.is_visible()
        assert page.url == f"https://phone.test:{port}/"


def test_the_search_finds_what_a_newcomer_types(visit):
    page = visit("/faq/")
    page.click(".md-search__button")
    for query, expected in {
        "quantize": "faq", "iPhone": "faq", "pretrained": "faq", "fine-tune": "faq", "zoo list": "commands",
    }.items():  # fmt: skip
        page.keyboard.press("ControlOrMeta+A")
        page.keyboard.press("Delete")
        # What the last query found must not count.
        page.wait_for_selector("a mark", state="detached")
        page.keyboard.type(query)
        page.wait_for_selector(f"a[href*='{expected}'] mark", timeout=20_000)


def test_the_tables_of_results_are_sorted_by_their_numbers(visit):
    page = visit("/results/")
    for column in ("95% interval", "parameters"):
        head = page.locator(".zoo table th", has_text=column).first
        place = head.evaluate("head => head.cellIndex")
        cells = f"[...document.querySelector('.zoo table').tBodies[0].rows].map(r => r.cells[{place}].innerText)"
        first = f"{cells}.map(text => parseFloat(text.replace(',', '')))"
        head.locator("button").click()
        up = page.evaluate(first)
        assert up == sorted(up)
        assert len(set(up)) > 3
        head.locator("button").click()
        assert page.evaluate(first) == up[::-1]
        assert head.get_attribute("aria-sort") == "descending"


def test_presets_are_filtered_by_name_size_and_license(visit):
    page = visit("/results/")
    shown = "[...document.querySelectorAll('.zoo tbody tr')].filter(r => !r.hidden).map(r => r.cells[0].innerText)"
    every = page.evaluate(shown)
    assert len(every) == len(PRESETS)
    page.get_by_role("button", name="up to 30 kB").click()
    small = page.evaluate(shown)
    assert set(small) == {row["preset"] for row in results.presets() if row["bytes"] <= 30_000}
    page.get_by_role("button", name="data: MIT", exact=True).click()
    assert set(page.evaluate(shown)) == {name for name in small if PRESETS[name].data.license == "MIT"}
    page.get_by_role("button", name="data: MIT", exact=True).click()
    page.get_by_role("searchbox", name="Filter presets").fill("tiny")
    assert page.evaluate(shown) == ["activity_gru_tiny"]


def test_a_page_that_is_not_here_leads_to_pages_that_are(visit, address):
    page = visit("/404.html")
    links = page.eval_on_selector_all("article li a", "all => all.map(link => link.href)")
    assert len(links) > 3
    for link in links:
        assert page.goto(link).ok, link
    page = visit("/404.html", width=390, height=844)
    page.screenshot(path=SHOTS / "404.png")


@pytest.mark.parametrize(("width", "height", "most"), [(1280, 900, 2), (390, 844, 3)], ids=["desk", "phone"])
def test_a_guide_has_a_figure_every_few_screens(width, height, most, visit, site):
    page, gaps = visit(width=width, height=height), {}
    for guide in sorted(path.name for path in (site / "guides").iterdir()):
        page.goto(urljoin(page.url, f"/guides/{guide}/"))
        ends = page.evaluate("""() => {
          const {top, bottom} = document.querySelector("article").getBoundingClientRect();
          const figures = [...document.querySelectorAll("article :is(img, figure)")];
          const boxes = figures.map((figure) => figure.getBoundingClientRect()).sort((a, b) => a.top - b.top);
          return [top, ...boxes.flatMap((box) => [box.top, box.bottom]), bottom];
        }""")
        gaps[guide] = max(below - above for above, below in zip(ends[::2], ends[1::2], strict=True)) / height
    assert len(gaps) > 15
    assert {guide: gap for guide, gap in gaps.items() if gap > most} == {}


def test_pictures_have_their_size_before_they_arrive(site):
    pages = [page for page in site.rglob("index.html") if "phone" not in page.relative_to(site).parts]
    pictures = [each for page in pages for each in re.findall(r"<img [^>]*>", page.read_text(encoding="utf-8"))]
    assert len(pictures) > 60
    assert [picture for picture in pictures if "width=" not in picture or "height=" not in picture] == []


def test_a_card_begins_with_what_is_recognized_as_what(visit):
    for width, height in ((1280, 900), (390, 844)):
        page = visit("/presets/activity_gru_phone/", width=width, height=height)
        box = page.locator("img.confusion").bounding_box()
        assert box["y"] + box["height"] < height
        assert page.evaluate("document.querySelector('img.confusion').naturalWidth") > 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_chart_of_results_links_each_recognizer(visit):
    page = visit("/results/")
    # Below a picture, links are hidden from screen readers.
    assert page.locator("[role=img] a").count() == 0
    assert page.get_by_role("link", name="activity_gru_phone: macro-F1").count() == 1
    links = page.locator("svg.chart").first.locator("a")
    assert links.count() == len(results.presets(["activity"]))
    links.first.click()
    page.wait_for_url("**/presets/activity_gru_phone/")
