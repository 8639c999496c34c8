"""The chart of the signal shows every sample: its scale doubles for strong ones. What nobody sees is not drawn."""

from itertools import pairwise

import pytest
from phone.pages import lying, play, send, standing, until

DRAWN = """
window.grid = {}; window.heights = [];
const {fillText, lineTo} = CanvasRenderingContext2D.prototype;
const prepared = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (...kind) {
  grid[this.id] = [];
  if (this.id === 'signal') window.heights = [];
  return prepared.apply(this, kind);
};
CanvasRenderingContext2D.prototype.fillText = function (text, ...where) {
  grid[this.canvas.id].push(Number(text.replace('\u2212', '-')));
  fillText.call(this, text, ...where);
};
CanvasRenderingContext2D.prototype.lineTo = function (x, y) {
  if (this.canvas.id === 'signal') heights.push(y / this.canvas.getBoundingClientRect().height);
  lineTo.call(this, x, y);
};
"""


def shaken(peak, start=0):
    """Two seconds of standing at 50 Hz, with a jolt of some m/s^2."""
    times = [start + i / 50 for i in range(100)]
    return [(time, 0.1, -peak if i == 80 else 9.8, 0.2) for i, time in enumerate(times)]


@pytest.mark.parametrize(("peak", "edge", "step"), [(20, 20, 10), (30, 40, 20), (99, 80, 40), (150, 160, 80)])
def test_reach_and_grid_double_as_often_as_a_sample_in_view_needs(peak, edge, step, run):
    page = run(shaken(peak), 1, before=DRAWN)
    until(page, "edge => grid.signal?.at(-1) === edge", edge)
    assert page.evaluate("grid.signal") == list(range(-edge, edge + 1, step))
    assert 0.75 < page.evaluate("Math.max(...heights)") < 1


def test_the_scale_returns_when_a_jolt_has_left_the_view(run):
    page = run(shaken(30), 1, before=DRAWN)
    until(page, "grid.signal?.at(-1) === 40")
    send(page, shaken(9, start=10))
    until(page, "grid.signal?.at(-1) === 20")


def test_a_chart_out_of_view_is_not_drawn_until_it_is_in_view(run):
    page = run(shaken(9), 1, before=DRAWN, viewport={"width": 390, "height": 450})
    # What is in view is known a moment after the first drawing.
    for _ in range(3):
        page.evaluate("grid.signal = grid.minute = null")
        until(page, "grid.signal !== null")
    assert page.evaluate("grid.minute") is None
    page.locator("#minute").scroll_into_view_if_needed()
    until(page, "grid.minute !== null")


MOVED = """
window.moved = {};
const note = all => all.filter(({target}) => target.className === 'fill').forEach(({target, oldValue}) => {
  const name = target.closest('li').querySelector('.name').textContent;
  const share = oldValue?.match(/scaleX[(](.*?)[)]/)?.[1];
  if (share) (moved[name] ??= []).push(Number(share));
});
addEventListener('DOMContentLoaded', () => new MutationObserver(note).observe(
  document.body, {attributeOldValue: true, attributeFilter: ['style'], subtree: true}));
"""
"""Notes where each bar was before it moved."""


def test_bars_move_with_their_numbers_alone(run):
    page = run(standing(0, 8), 8, before=MOVED)
    play(page, lying(8, 20), 12)
    moved = page.evaluate("moved")
    assert len(moved["standing"]) > 2
    assert all(one != other for shares in moved.values() for one, other in pairwise(shares))
    numbers = {name: [round(100 * share) for share in shares] for name, shares in moved.items()}
    assert all(one != other for each in numbers.values() for one, other in pairwise(each))


FRAMES = """
window.asked = 0; window.minutes = 0;
const {requestAnimationFrame: usual} = window;
window.requestAnimationFrame = (...a) => { asked += 1; return usual(...a); };
const {scale} = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.scale = function (...a) {
  minutes += this.canvas.id === 'minute';
  return scale.apply(this, a);
};
"""
"""Counts animation frames that the page asks for, and drawings of the last minute."""


def test_a_run_asks_for_no_frames_but_those_of_what_it_draws(open_page):
    page = open_page(before=FRAMES, viewport={"width": 390, "height": 1600})
    page.click("#simulate")
    page.wait_for_selector("#label:text-is('Walking')")
    page.evaluate("() => { window.begun = performance.now(); minutes = asked = 0; }")
    swings = set()
    for _ in range(10):
        page.clock.run_for(200)
        swings.add(page.evaluate("document.getElementById('picture').style.getPropertyValue('--swing')"))
    count, frames, seconds = page.evaluate("[minutes, asked, (performance.now() - begun) / 1000]")
    assert 1 <= count <= 2 * seconds + 1
    # The figure moves in them as well, in place of an animation.
    assert len(swings) > 5
    assert (frames, page.evaluate("document.getAnimations().length")) == (0, 0)
