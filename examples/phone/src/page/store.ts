/** What the page remembers on the phone. A browser that stores nothing forgets it. */

const PREFIX = "pocket-zoo-";

export function remembered(key: string): string | null {
  return attempt(() => localStorage.getItem(PREFIX + key));
}

/** Remembers a text, or forgets it where it is null; returns whether the browser did so. */
export function remember(key: string, text: string | null): boolean {
  return attempt(() => {
    if (text === null) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, text);
    return true;
  }) ?? false;
}

/** What a text of JSON holds, or null where it is none. */
export function parsed(text: string | null): unknown {
  return attempt(() => JSON.parse(text ?? "null") as unknown);
}

/** All keys of what is remembered. */
export function rememberedKeys(): string[] {
  const keys = attempt(() => Array.from({ length: localStorage.length }, (_, i) => localStorage.key(i)!)) ?? [];
  return keys.filter((key) => key.startsWith(PREFIX)).map((key) => key.slice(PREFIX.length));
}

/** What a function returns, or null where it throws. */
export function attempt<Result>(run: () => Result): Result | null {
  try {
    return run();
  } catch {
    return null;
  }
}
