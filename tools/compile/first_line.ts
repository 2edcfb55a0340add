/**
 * Waits for a line of a process's output.
 *
 * @module
 */

/**
 * Reads until a line matches, and goes on reading afterwards so that the process never waits for its reader.
 *
 * @returns the line.
 * @throws {Error} if the stream ends first; the message has all that was read.
 */
export async function firstLine(from: ReadableStream<Uint8Array>, pattern: RegExp): Promise<string> {
  const reader = from.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`no line with ${pattern} in:\n${text}`);
    text += value;
    const found = text.split("\n").slice(0, -1).find((line) => pattern.test(line));
    if (found === undefined) continue;
    (async () => {
      while (!(await reader.read()).done);
    })();
    return found;
  }
}
