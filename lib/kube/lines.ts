/**
 * A stream of bytes as lines.
 *
 * @module
 */

/**
 * The lines of a stream, without their ends. A last line that was cut off, without an end, is dropped.
 *
 * @param stream bytes of UTF-8 text.
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
export async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    let end = rest.indexOf("\n");
    while (end >= 0) {
      yield rest.slice(0, end);
      rest = rest.slice(end + 1);
      end = rest.indexOf("\n");
    }
  }
}
