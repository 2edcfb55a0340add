/**
 * A stream of bytes as lines.
 *
 * @module
 */

/** The longest line by default, in characters. */
const MAX_CHARS = 8 * 1024 * 1024;

/**
 * The lines of a stream, without their ends. A last line that was cut off, without an end, is dropped. Takes time in
 * proportion to the text, however small the pieces are in which it comes.
 *
 * @param stream bytes of UTF-8 text.
 * @param maxChars the longest line, in characters, at least 1.
 * @throws Error if a line is longer.
 *
 * @example
 * ```ts
 * import { lines } from "./lines.ts";
 *
 * const got: string[] = [];
 * for await (const line of lines(new Blob(["a\nb\nc"]).stream())) got.push(line);
 * if (got.join() !== "a,b") throw new Error(got.join());
 * ```
 */
export async function* lines(
  stream: ReadableStream<Uint8Array>,
  maxChars: number = MAX_CHARS,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let begun: string[] = [];
  let chars = 0;
  for await (const chunk of stream) {
    const text = decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      if (chars + end - from > maxChars) throw tooLong(maxChars);
      begun.push(text.slice(from, end));
      yield begun.join("");
      begun = [];
      chars = 0;
      from = end + 1;
    }
    if (from === text.length) continue;
    begun.push(text.slice(from));
    chars += text.length - from;
    if (chars > maxChars) throw tooLong(maxChars);
  }
}

function tooLong(maxChars: number): Error {
  return new Error(`a line is longer than ${maxChars} characters`);
}
