/**
 * Reading on a thread of its own, without blocking.
 *
 * @module
 */
import { load, once } from "./library.ts";

const readLibrary = once(() =>
  load({ read: { parameters: ["i32", "buffer", "usize"], result: "isize", nonblocking: true } })
);

/** `read` on a thread of its own. Resolves to what it returned: 0 at the end, -1 for a failure. */
export async function readLater(fd: number, buffer: Uint8Array<ArrayBuffer>): Promise<number> {
  return Number(await readLibrary().read(fd, buffer, BigInt(buffer.length)));
}
