/**
 * The file that keeps a code cache for later builds: the SHA-256 digest of the script it belongs to, then V8's data.
 *
 * V8 itself compares no more than the script's length: with the code cache of another script of the same length the
 * binary would run that other script.
 *
 * @module
 */

const DIGEST_BYTES = 32;

/**
 * Makes the file.
 *
 * @param script the script that was recorded.
 * @param data what V8 kept of it.
 */
export async function seal(script: string, data: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const file = new Uint8Array(DIGEST_BYTES + data.length);
  file.set(await digestOf(script));
  file.set(data, DIGEST_BYTES);
  return file;
}

/**
 * Takes V8's data out of the file.
 *
 * @param script the script that the data is needed for.
 * @returns V8's data; `undefined` if it belongs to another script.
 */
export async function unseal(script: string, file: Uint8Array): Promise<Uint8Array | undefined> {
  const digest = await digestOf(script);
  const isSame = file.length > DIGEST_BYTES && digest.every((byte, at) => file[at] === byte);
  return isSame ? file.subarray(DIGEST_BYTES) : undefined;
}

async function digestOf(script: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script)));
}
