/** A canvas that is ready to be drawn on, sharp on every screen, in the colors of the page. */

export interface Canvas {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
  color: (name: string) => string;
  rem: number;
}

export function prepare(canvas: HTMLCanvasElement): Canvas {
  const { width, height } = canvas.getBoundingClientRect();
  const scale = window.devicePixelRatio;
  [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
  const context = canvas.getContext("2d")!;
  context.scale(scale, scale);
  const style = getComputedStyle(document.documentElement);
  return { context, width, height, color: (name) => style.getPropertyValue(name), rem: parseFloat(style.fontSize) };
}
