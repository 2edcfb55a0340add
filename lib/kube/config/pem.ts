/**
 * PEM: blocks of base64 between lines that say what they are.
 *
 * https://www.rfc-editor.org/rfc/rfc7468
 *
 * @module
 */

/** A block, still encoded. */
export interface PemBlock {
  readonly label: string;
  /** Base64 with line breaks; in old formats headers before it. */
  readonly body: string;
}

/**
 * The blocks of a text. What is between them, or has no end, is passed over.
 *
 * @example
 * ```ts
 * import { pemBlocks } from "./pem.ts";
 *
 * const [block] = pemBlocks("a comment\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
 * if (block?.label !== "CERTIFICATE" || block.body.trim() !== "AAAA") throw new Error();
 * ```
 */
export function pemBlocks(pem: string): PemBlock[] {
  const blocks = pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g);
  return Array.from(blocks, ([, label = "", body = ""]) => ({ label, body }));
}

/** Writes a certificate as PEM. */
export function certificatePem(der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** Decodes base64, line breaks included; throws a RangeError if it is none. */
export function fromBase64(base64: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(base64);
  } catch (cause) {
    throw new RangeError("it is not base64", { cause });
  }
}

/** Base64 of a text's UTF-8. */
export function toBase64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}
