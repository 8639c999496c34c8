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
  const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
  const context = canvas.getContext("2d")!;
  // A size that is set anew, as in old browsers, costs a look at all styles.
  if (canvas.width === wide && canvas.height === high && "reset" in context) context.reset();
  else [canvas.width, canvas.height] = [wide, high];
  context.scale(scale, scale);
  const style = getComputedStyle(document.documentElement);
  return { context, width, height, color: (name) => style.getPropertyValue(name), rem: parseFloat(style.fontSize) };
}

const seen = new Map<Element, boolean>();
let observer: IntersectionObserver | undefined;

/** Whether a part of an element is in view, and the page as well; of one that was never asked about, it is assumed. */
export function isSeen(element: Element): boolean {
  observer ??= new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) seen.set(target, isIntersecting);
  });
  if (!seen.has(element)) {
    seen.set(element, true);
    observer.observe(element);
  }
  return !document.hidden && seen.get(element)!;
}
