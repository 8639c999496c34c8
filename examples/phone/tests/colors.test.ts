/** The colors of activities are seen on both papers, and told apart with each kind of color vision. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

type Color = [number, number, number];

/** Color vision in linear RGB: Machado, Oliveira and Fernandes, 2009, severity 1. */
const VISIONS: Record<string, [Color, Color, Color]> = {
  normal: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
  deuteranopia: [[0.367, 0.861, -0.228], [0.28, 0.673, 0.047], [-0.012, 0.043, 0.969]],
  tritanopia: [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
};

/** The least distance in CIELAB (ΔE 1976): just noticeable is 2.3. */
const APART = 13;

const [light, dark] = readFileSync("src/show/style.css", "utf8").split("@media (prefers-color-scheme: dark)") as [string, string];

function linear(hex: string): Color {
  return [1, 3, 5].map((at) => {
    const share = parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as Color;
}

const times = (matrix: number[][], color: Color) => matrix.map((row) => row.reduce((sum, number, i) => sum + number * color[i]!, 0)) as Color;

function lab(color: Color): Color {
  const xyz = times([[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]], color);
  const [x, y, z] = xyz.map((value, i) => {
    const share = Math.max(0, value) / [0.9505, 1, 1.0888][i]!;
    return share > 0.008856 ? Math.cbrt(share) : 7.787 * share + 16 / 116;
  }) as Color;
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const luminance = ([red, green, blue]: Color) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;

for (const [name, css] of Object.entries({ light, dark })) {
  const value = (variable: string) => linear(css.match(new RegExp(`${variable}: (#[0-9a-f]{6});`))![1]!);
  const colors = Array.from({ length: 8 }, (_, i) => value(`--activity-${i}`));

  test(`colors stand out from ${name} paper`, () => {
    for (const paper of ["--paper", "--card"].map(value)) {
      for (const color of colors) {
        const [low, high] = [luminance(paper), luminance(color)].sort((a, b) => a - b) as [number, number];
        assert.ok((high + 0.05) / (low + 0.05) >= 3);
      }
    }
  });

  for (const [vision, matrix] of Object.entries(VISIONS)) {
    test(`colors on ${name} paper are told apart with ${vision}`, () => {
      const seen = colors.map((color) => lab(times(matrix, color).map((share) => Math.min(1, Math.max(0, share))) as Color));
      seen.forEach((one, i) => {
        for (const other of seen.slice(0, i)) assert.ok(Math.hypot(...one.map((number, k) => number - other[k]!)) >= APART);
      });
    });
  }
}
