"""The chart of the signal shows every sample: its scale doubles for strong ones."""

import pytest
from phone.pages import send, until

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
