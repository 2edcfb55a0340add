/**
 * Reads the body of an answer, up to a limit. The limit counts what a compressed body unpacks to, so that a small
 * answer cannot fill the memory.
 *
 * @module
 */
import { LostAnswer, type TransportResponse } from "./transport.ts";

/** An answer that is larger than any object. Asking again would bring as much again. */
export class TooLarge extends LostAnswer {}

/** The largest object, in bytes. The API server takes objects of up to 1.5 MiB (etcd's limit for one request). */
export const MAX_OBJECT_BYTES = 8 * 1024 * 1024;
/** How much of the body of a refusal is read, in bytes: a Status is shorter, and of a proxy's page that is enough. */
export const MAX_ERROR_BYTES = 64 * 1024;

/**
 * Reads a body as UTF-8 text.
 *
 * @param response the answer. Its body is read or cancelled.
 * @param signal ends the reading.
 * @returns the text. That of a refusal (400 and up) is cut after {@link MAX_ERROR_BYTES}.
 * @throws LostAnswer if the connection broke; TooLarge if the body is larger than {@link MAX_OBJECT_BYTES}.
 */
export async function bodyText(response: TransportResponse, signal: AbortSignal): Promise<string> {
  const limit = response.status < 400 ? MAX_OBJECT_BYTES : MAX_ERROR_BYTES;
  try {
    // The runtime reads a short body of known length faster in one go.
    if (response.body === null || hasShortLength(response, limit)) return await response.text();
  } catch (error) {
    throw broken(error);
  }
  const { text, cut } = await upTo(limit, response.body, signal);
  if (cut && response.status < 400) throw new TooLarge(`the answer is larger than ${limit / 1048576} MiB`);
  return text;
}

function hasShortLength({ headers }: TransportResponse, limit: number): boolean {
  const length = headers.get("Content-Length");
  return length !== null && headers.get("Content-Encoding") === null && Number(length) <= limit;
}

async function upTo(
  limit: number,
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly cut: boolean }> {
  const reader = body.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  const decoder = new TextDecoder();
  const parts: string[] = [];
  try {
    for (let left = limit;;) {
      const { value, done } = await reader.read();
      signal.throwIfAborted();
      if (done) return { text: parts.join("") + decoder.decode(), cut: false };
      parts.push(decoder.decode(value.subarray(0, left), { stream: true }));
      if (value.length > left) return { text: parts.join(""), cut: true };
      left -= value.length;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw broken(error);
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

function broken(error: unknown): LostAnswer {
  return new LostAnswer(`the answer broke off: ${error instanceof Error ? error.message : error}`);
}
