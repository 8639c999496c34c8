"""Every page of the docs site in Chromium, in the light and in the dark, on a phone and on a desk."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AXE = ROOT / "examples" / "phone" / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = [pytest.mark.docs, pytest.mark.browser]


@pytest.fixture(scope="module")
def address(site, host):
    """The address of the site while it is served."""
    with host(site) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def visit(browser, address):
    """Opens a page of the site."""

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


CHECKS = ["color-contrast", "link-name", "image-alt", "button-name", "scrollable-region-focusable", "heading-order"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_read_on_a_phone(scheme, address, addresses, visit, miss):
    if not AXE.is_file():
        miss(f"needs {AXE.relative_to(ROOT)}: make page")
    page = visit(width=390, height=844, color_scheme=scheme)
    findings = []
    page.on("request", lambda request: request.url.startswith(address) or findings.append(f"fetches {request.url}"))
    for path in addresses:
        page.goto(address + path)
        if page.evaluate("document.documentElement.scrollWidth") > 390:
            findings.append(f"{path} is wider than the screen")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for violation in page.evaluate(f"axe.run({{runOnly: {CHECKS}}}).then(found => found.violations)"):
            findings += [f"{path} {violation['id']}: {node['html'][:200]}" for node in violation["nodes"][:3]]
    assert not findings, "\n".join(findings[:20])


def test_a_wide_screen_needs_no_scrolling_and_charts_are_not_white_in_the_dark(address, addresses, visit):
    page = visit(color_scheme="dark")
    for path in addresses:
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 1440, path
    page.goto(f"{address}/presets/activity_gru_pocket/")
    filters = page.eval_on_selector_all("article img[src$='.png']", "all => all.map(i => getComputedStyle(i).filter)")
    assert len(filters) >= 3
    assert all("invert(1)" in found for found in filters)


def test_the_home_page_shows_the_phone_page_at_work_and_a_phone_fetches_it_at_a_tap(site, visit, miss):
    if not (site / "phone").is_dir():
        miss("needs the phone page: make page")
    page = visit()
    live = page.frame_locator(".live iframe")
    live.get_by_text("Simulated recording").first.wait_for()
    live.get_by_text("Simulated activity: standing").wait_for()
    assert not page.locator(".strip").is_visible()
    page = visit(width=390, height=844)
    page.wait_for_load_state("networkidle")
    assert page.locator(".strip").is_visible()
    assert [frame.url for frame in page.frames[1:]] in ([], [""])
    page.get_by_text("Run the page on this phone").click()
    page.wait_for_url("**/phone/")


@pytest.mark.parametrize(
    ("query", "expected"),
    [("quantize", "faq"), ("iPhone", "faq"), ("pretrained", "faq"), ("fine-tune", "faq"), ("zoo list", "commands")],
)
def test_the_search_finds_what_a_newcomer_types(query, expected, visit):
    page = visit()
    page.click(".md-search__button")
    page.keyboard.type(query)
    page.wait_for_selector(f"a[href*='{expected}'] mark", timeout=20_000)


def test_the_table_of_results_is_sorted_by_a_click(visit):
    page = visit("/results/")
    rows = "[...document.querySelectorAll('.sortable tbody tr')]"
    sizes = f"{rows}.map(r => Number(r.cells[3].innerText.replace(',', '')))"
    page.click(".sortable th button:text('parameters')")
    up = page.evaluate(sizes)
    assert up == sorted(up)
    page.click(".sortable th button:text('parameters')")
    assert page.evaluate(sizes) == up[::-1]
    assert page.get_attribute(".sortable th:nth-child(4)", "aria-sort") == "descending"
