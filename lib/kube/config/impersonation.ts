/**
 * Impersonation: the headers that make the server treat a request as another user's.
 *
 * https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import type { ConfigFields } from "./config_fields.ts";

/** The bytes that a header's name may have (RFC 9110, token), but for the one that begins an escape. */
const LEGAL = /[-!#$&'*+.^_`|~0-9A-Za-z]/;

/**
 * The headers for a user's `as`, `as-uid`, `as-groups` and `as-user-extra`.
 *
 * @param fields the user.
 * @returns names and values; each character of a value stands for one byte of its UTF-8, as Go sends it.
 * @throws {KlatchError} `config`: there is no `as`, or a header cannot carry a value unchanged.
 */
export function impersonationOf(fields: ConfigFields): [string, string][] {
  const name = fields.text("as");
  const uid = fields.text("as-uid");
  const groups = fields.texts("as-groups");
  const extra = fields.record("as-user-extra");
  const extraKeys = Object.keys(extra.values);
  if (name === undefined) {
    if (uid === undefined && groups.length === 0 && extraKeys.length === 0) return [];
    throw new KlatchError("config", `${fields.where}: as-uid, as-groups and as-user-extra need as`, {
      hint: `set "as" to the user to impersonate`,
    });
  }
  const headers: [string, string][] = [];
  const add = (header: string, field: string, value: string) =>
    headers.push([header, headerBytes(value, `${fields.where}: ${field}`)]);
  add("Impersonate-User", "as", name);
  if (uid !== undefined) add("Impersonate-Uid", "as-uid", uid);
  for (const group of groups) add("Impersonate-Group", "as-groups", group);
  for (const key of extraKeys) {
    for (const value of extra.texts(key)) add(`Impersonate-Extra-${escaped(key)}`, "as-user-extra", value);
  }
  return headers;
}

/** Go's `headerKeyEscape`: https://github.com/kubernetes/client-go/blob/master/transport/round_trippers.go */
function escaped(key: string): string {
  return bytesOf(key).replace(
    /./gs,
    (byte) => LEGAL.test(byte) ? byte : `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

/** Spaces at the ends would be dropped on the way, which makes it another identity. */
function headerBytes(value: string, where: string): string {
  if (!/[\p{Cc}]|^[ \t]|[ \t]$/u.test(value)) return bytesOf(value);
  throw new KlatchError("config", `${where} has a control character, or a space at its beginning or end`, {
    hint: "no header can carry that: write the name as the cluster knows it",
  });
}

/** The UTF-8 of a text, a character for each byte, which is how `fetch` takes headers. */
function bytesOf(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}
