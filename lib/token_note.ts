/**
 * The fencing token of the present hold, as its holder notes it in the object with its first renewal, for people: nothing
 * depends on it. A record itself cannot state its token, which is the version that the write of the record makes.
 *
 * @module
 */
import type { KubeObject, RecordState } from "./lock.ts";

/** The annotation: JSON with the holder's nonce and its token. */
const TOKEN = "klatch.dev/token";

/**
 * The annotation that a renewal carries.
 *
 * @param state the record that is renewed.
 * @param nonce the holder's.
 * @param token its token.
 * @returns nothing if several may hold: each would write over the other's.
 */
export function tokenNote(
  { slots }: RecordState,
  nonce: string,
  token: string,
): Readonly<Record<string, string>> {
  return slots === 1 ? { [TOKEN]: JSON.stringify({ nonce, token }) } : {};
}

/** The token of the hold with this nonce; `undefined` if it has not been noted, or cannot be read. */
export function notedToken(object: KubeObject, nonce: string | undefined): string | undefined {
  try {
    const note = Object(JSON.parse(object.metadata.annotations?.[TOKEN] ?? "null"));
    const { token } = note;
    return note.nonce === nonce && typeof token === "string" && /^[0-9]{1,20}$/.test(token)
      ? token
      : undefined;
  } catch {
    return undefined;
  }
}
