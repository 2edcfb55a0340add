/**
 * An HTTP/1.1 client over any stream of bytes, for the one case that neither fetch nor Node's https covers (see
 * `node.ts`). It supports what API servers send: bodies with a length, in chunks, or up to the end of the connection;
 * no trailers, no compression and no upgrade.
 *
 * https://www.rfc-editor.org/rfc/rfc9112
 *
 * @module
 */

import type { TransportRequest, TransportResponse } from "./types.ts";

/** A connection's bytes. */
export interface ByteStream {
  /** The next bytes, or `undefined` at the end. Rejects when the connection breaks. */
  read(): Promise<Uint8Array | undefined>;
  write(bytes: Uint8Array): void;
  destroy(): void;
}

/** A longer head is not from an API server. */
const HEAD_CHARS = 65_536;

/**
 * Makes one exchange.
 *
 * @param stream a connection that nothing else uses.
 * @param host the value of the header `Host`.
 * @param target the path and query.
 * @param request method, body.
 * @param headers the headers, credentials included.
 * @param onEnd called once when the body has been read; says whether the connection can be used again.
 * @returns the response; its body reads from the stream as it is asked for.
 */
export async function exchange(
  stream: ByteStream,
  host: string,
  target: string,
  request: TransportRequest,
  headers: readonly (readonly [string, string])[],
  onEnd: (reusable: boolean) => void,
): Promise<TransportResponse> {
  const body = new TextEncoder().encode(request.body ?? "");
  const lines = [`${request.method} ${target} HTTP/1.1`, `host: ${host}`];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  if (request.body !== undefined) lines.push(`content-length: ${body.length}`);
  stream.write(concat(byteString(lines.join("\r\n") + "\r\n\r\n"), body));

  const input = new Input(stream);
  let head = await readHead(input);
  while (head.status < 200) head = await readHead(input);
  const { status, responseHeaders, minor } = head;
  const keep = minor > 0 && responseHeaders.get("connection")?.toLowerCase() !== "close";
  const length = responseHeaders.get("content-length");
  if (request.method === "HEAD" || status === 204 || status === 304 || length === "0") {
    onEnd(keep);
    return new Response(null, { status, headers: responseHeaders });
  }
  const chunked = /\bchunked$/i.test(responseHeaders.get("transfer-encoding") ?? "");
  const parts = chunked ? chunks(input) : length !== null ? fixed(input, Number(length)) : toEnd(input);
  const delimited = chunked || length !== null;
  const answered = bodyOf(parts, stream, request.signal, keep && delimited, onEnd);
  return new Response(answered, { status, headers: responseHeaders });
}

interface Head {
  readonly status: number;
  /** The second number of the HTTP version. */
  readonly minor: number;
  readonly responseHeaders: Headers;
}

async function readHead(input: Input): Promise<Head> {
  const first = await input.line();
  const match = /^HTTP\/1\.(\d) (\d{3})/.exec(first);
  if (match === null) throw new Error("the server's answer is not HTTP/1.1");
  const responseHeaders = new Headers();
  for (let line = await input.line(), chars = 0; line !== ""; line = await input.line()) {
    if ((chars += line.length) > HEAD_CHARS) throw new Error("the server's answer has too long a head");
    const colon = line.indexOf(":");
    if (colon > 0) responseHeaders.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return { status: Number(match[2]), minor: Number(match[1]), responseHeaders };
}

async function* chunks(input: Input): AsyncGenerator<Uint8Array> {
  for (;;) {
    const size = parseInt(await input.line(), 16);
    if (!(size >= 0)) throw new Error("the server's answer has a malformed chunk");
    if (size === 0) break;
    yield* fixed(input, size);
    await input.line();
  }
  while (await input.line() !== "");
}

async function* fixed(input: Input, length: number): AsyncGenerator<Uint8Array> {
  for (let left = length; left > 0;) {
    const part = await input.some(left);
    if (part === undefined) throw new Error("the connection was closed within the answer");
    left -= part.length;
    yield part;
  }
}

async function* toEnd(input: Input): AsyncGenerator<Uint8Array> {
  for (let part = await input.some(Infinity); part !== undefined; part = await input.some(Infinity)) {
    yield part;
  }
}

function bodyOf(
  parts: AsyncGenerator<Uint8Array>,
  stream: ByteStream,
  signal: AbortSignal,
  reusable: boolean,
  onEnd: (reusable: boolean) => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      try {
        const { value, done } = await parts.next();
        if (!done) return controller.enqueue(value);
        onEnd(reusable);
        controller.close();
      } catch (error) {
        onEnd(false);
        controller.error(signal.aborted ? signal.reason : error);
      }
    },
    cancel() {
      onEnd(false);
      stream.destroy();
    },
  }, { highWaterMark: 0 });
}

/** Bytes that were received and not used yet. */
class Input {
  #rest = new Uint8Array();

  constructor(private readonly stream: ByteStream) {}

  /** At least one and at most `most` bytes; `undefined` at the end. */
  async some(most: number): Promise<Uint8Array | undefined> {
    if (this.#rest.length === 0) {
      const more = await this.stream.read();
      if (more === undefined) return undefined;
      this.#rest = new Uint8Array(more);
    }
    const part = this.#rest.subarray(0, Math.min(most, this.#rest.length));
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }

  /** A line without its end. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf(0x0a);
      if (end >= 0) {
        const line = new TextDecoder("latin1").decode(this.#rest.subarray(0, end));
        this.#rest = this.#rest.subarray(end + 1);
        return line.replace(/\r$/, "");
      }
      if (this.#rest.length > HEAD_CHARS) throw new Error("the server's answer has too long a line");
      const more = await this.stream.read();
      if (more === undefined) throw new Error("the connection was closed before the answer");
      this.#rest = concat(this.#rest, more);
    }
  }
}

/** Headers are bytes, a character each, as in fetch. */
function byteString(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
