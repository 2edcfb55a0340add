/**
 * Reads files that somebody else names: bounded, and no longer than a signal allows. A FIFO that nobody writes to
 * and `/dev/zero` are files too.
 *
 * @module
 */
import { orAborted } from "../../abort.ts";

/** Larger files are neither kubeconfigs nor certificates. */
const LIMIT_BYTES = 8 * 1024 * 1024;

const PIECE_BYTES = 65_536;

/** Names of standard input, which the runtime does not let a program open. */
const STDIN = /^(\/dev\/(stdin|fd\/0)|\/proc\/self\/fd\/0)$/;

/** Why a file cannot be read, apart from the system's own errors. */
export class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";
}

/**
 * Reads a file.
 *
 * @param path the path; `/dev/stdin` and `/dev/fd/N` as well.
 * @param signal ends the reading.
 * @returns its bytes, at most 8 MiB.
 * @throws {UnreadableFile} it is larger.
 * @throws {Deno.errors.NotFound} and the system's other errors.
 * @throws the reason of `signal`, when it aborts.
 */
export async function readFile(path: string, signal?: AbortSignal): Promise<Uint8Array> {
  signal?.throwIfAborted();
  if (STDIN.test(path)) return await readAll(Deno.stdin, signal);
  const { isFile, isFifo, size } = await Deno.stat(path);
  if (isFile && size <= LIMIT_BYTES) return await Deno.readFile(path);
  if (isFifo) return await readFifo(path, signal);
  using file = await Deno.open(path);
  return await readAll(file, signal);
}

/** Whether a path is something that can be read only once: standard input, a FIFO, a socket or a device. */
export async function isStream(path: string): Promise<boolean> {
  if (STDIN.test(path)) return true;
  try {
    const { isFile, isDirectory } = await Deno.stat(path);
    return !isFile && !isDirectory;
  } catch {
    return false;
  }
}

/**
 * Opening a FIFO waits for its writer, and the runtime may stand still meanwhile. Opened for writing as well it does
 * not, but then it has no end: so the first bytes are read that way, and the rest from where it ends.
 */
async function readFifo(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  let both: Deno.FsFile;
  try {
    both = await Deno.open(path, { read: true, write: true });
  } catch (cause) {
    if (!(cause instanceof Deno.errors.PermissionDenied)) throw cause;
    // One end of a pipeline, which belongs to somebody else.
    using file = await Deno.open(path);
    return await readAll(file, signal);
  }
  const first = new Uint8Array(PIECE_BYTES);
  let file: Deno.FsFile;
  let count: number;
  try {
    count = await orAborted(both.read(first), signal) ?? 0;
    file = await Deno.open(path);
  } finally {
    both.close();
  }
  try {
    return await readAll(file, signal, first.subarray(0, count));
  } finally {
    file.close();
  }
}

/**
 * Reads a text: UTF-8, or UTF-16 with a byte order mark, as Kubernetes' own tools do.
 *
 * @param path the path.
 * @param signal ends the reading.
 * @throws as {@link readFile}; {@link UnreadableFile} if it is neither.
 */
export async function readText(path: string, signal?: AbortSignal): Promise<string> {
  return decodeText(await readFile(path, signal));
}

/** Decodes a text that {@link readText} would read. */
export function decodeText(bytes: Uint8Array): string {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe
    ? "utf-16le"
    : bytes[0] === 0xfe && bytes[1] === 0xff
    ? "utf-16be"
    : "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UnreadableFile(`it is not ${encoding.toUpperCase()} text`, { cause });
  }
}

/** Why reading failed, for the end of a message. */
export function whyUnreadable(cause: unknown): string {
  if (cause instanceof Deno.errors.NotFound) return "there is no such file";
  return cause instanceof Error ? cause.message : String(cause);
}

async function readAll(
  file: { read(buffer: Uint8Array): Promise<number | null> },
  signal: AbortSignal | undefined,
  first: Uint8Array = new Uint8Array(),
): Promise<Uint8Array> {
  let bytes = new Uint8Array(first.length + PIECE_BYTES);
  bytes.set(first);
  for (let length = first.length;;) {
    const count = await orAborted(file.read(bytes.subarray(length)), signal);
    if (count === null) return bytes.subarray(0, length);
    length += count;
    if (length > LIMIT_BYTES) throw new UnreadableFile(`it is larger than ${LIMIT_BYTES / 1024 / 1024} MiB`);
    if (length < bytes.length) continue;
    const larger = new Uint8Array(bytes.length * 2);
    larger.set(bytes);
    bytes = larger;
  }
}
