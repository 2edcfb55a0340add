/**
 * What a cluster or user gives as a file or, encoded, in the kubeconfig itself.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import type { Entry } from "./kubeconfig.ts";
import { fromBase64 } from "./pem.ts";
import { readText, whyUnreadable } from "./read_file.ts";

/**
 * The text of a certificate or key. It is given as a file or, with `-data`, as base64; the data wins.
 *
 * @param entry a cluster or user.
 * @param field `certificate-authority`, `client-certificate` or `client-key`.
 * @param signal ends the reading.
 * @throws {KlatchError} `config`: not base64, not readable.
 */
export async function referredPem(
  entry: Entry,
  field: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const data = entry.fields.text(`${field}-data`);
  if (data !== undefined) {
    try {
      return new TextDecoder().decode(fromBase64(data));
    } catch (cause) {
      throw new KlatchError("config", `${entry.fields.where}: ${field}-data is not base64`, {
        hint: "encode the PEM file with base64 -w0",
        cause,
      });
    }
  }
  const path = referredPath(entry, field);
  return path === undefined ? undefined : await readReferred(entry, field, path, signal);
}

/** The absolute path in a field; `undefined` if the field is absent or data takes its place. */
export function referredPath(entry: Entry, field: string): string | undefined {
  if (entry.fields.text(`${field}-data`) !== undefined) return undefined;
  const path = entry.fields.text(field);
  return path === undefined ? undefined : beside(entry.file, path);
}

/**
 * Reads a file that a field names.
 *
 * @throws {KlatchError} `config`: it cannot be read.
 */
export async function readReferred(
  entry: Entry,
  field: string,
  path: string,
  signal?: AbortSignal,
): Promise<string> {
  try {
    return await readText(path, signal);
  } catch (cause) {
    signal?.throwIfAborted();
    const what = `${entry.fields.where}: ${field} ${path}`;
    throw new KlatchError("config", `${what} cannot be read: ${whyUnreadable(cause)}`, {
      hint: "correct the path (a relative one begins at the kubeconfig's folder) or the file's permissions",
      cause,
    });
  }
}

/** A path that a kubeconfig names is relative to the folder of that kubeconfig. */
export function beside(kubeconfig: string, path: string): string {
  if (path.startsWith("/")) return path;
  const file = kubeconfig.startsWith("/") ? kubeconfig : `${Deno.cwd()}/${kubeconfig}`;
  return `${file.slice(0, file.lastIndexOf("/"))}/${path.replace(/^(\.\/+)+/, "")}`;
}
