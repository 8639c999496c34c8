/** Notes how much of what has arrived, in bytes; the total is null where it is not known. */
export type Progress = (what: string, received: number, total: number | null) => void;

/**
 * Fetches a file in parts.
 *
 * @param total Its size in bytes, where it is known.
 * @throws If it is not there.
 */
export async function download(
  url: string, what: string, progress: Progress, total: number | null = null,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the file ${url} is missing (status ${response.status})`);
  // The length of what is compressed on its way is not that of the file.
  const stated = response.headers.get("Content-Encoding") ? 0 : Number(response.headers.get("Content-Length"));
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let received = 0;
  const reader = response.body!.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    received += part.value.length;
    progress(what, received, total ?? (stated || null));
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
