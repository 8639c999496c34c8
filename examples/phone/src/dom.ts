/** Elements of a page. */

export const byId = <T extends HTMLElement = HTMLElement>(id: string) => document.getElementById(id) as T;

export function write(id: string, text: string): void {
  const element = byId(id);
  // Unchanged text is not written again, so that a screen reader reads a label once.
  if (element.textContent !== text) element.textContent = text;
}

export function element(tag: string, className = "", textContent = ""): HTMLElement {
  return Object.assign(document.createElement(tag), { className, textContent });
}
