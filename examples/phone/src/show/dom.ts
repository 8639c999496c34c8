/** Elements of a page. */

export const byId = <T extends HTMLElement = HTMLElement>(id: string) => document.getElementById(id) as T;

export function write(id: string, text: string): void {
  const element = byId(id);
  // Unchanged text is not written again, so that a screen reader reads a label once.
  if (element.textContent !== text) element.textContent = text;
}

export function element(tag: string, className = "", ...content: (Node | string)[]): HTMLElement {
  const made = Object.assign(document.createElement(tag), { className });
  made.append(...content);
  return made;
}

/** Sets attributes of an element, and returns it. */
export function set<Made extends Element>(made: Made, attributes: Record<string, string>): Made {
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** A picture, or a part of one. */
export function vector(tag: "svg" | "path", attributes: Record<string, string>): SVGElement {
  return set(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes);
}

export function show(id: string, visible: boolean): void {
  const part = byId(id);
  if (part.hidden === visible) part.hidden = !visible;
}

/** What a list shows already, by its id. */
const listed = new Map<string, string>();

/** Makes the rows of a list where they have changed. */
export function list<Row>(id: string, rows: Row[], make: (row: Row, number: number) => Element): void {
  const key = JSON.stringify(rows);
  if ((listed.get(id) ?? "[]") === key) return;
  listed.set(id, key);
  byId(id).replaceChildren(...rows.map(make));
}
