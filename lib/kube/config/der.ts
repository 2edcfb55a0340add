/**
 * As much of DER as it takes to look into a certificate: elements with a tag and a content. It knows definite
 * lengths up to four bytes and one-byte tags, which is all that certificates and keys use.
 *
 * ITU-T X.690: https://www.itu.int/rec/T-REC-X.690
 *
 * @module
 */

/** One element. */
export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** The element with its header. */
  readonly whole: Uint8Array;
}

/**
 * Reads the elements that fill `bytes`.
 *
 * @param bytes the content of a constructed element, or a whole document.
 * @returns the elements in order.
 * @throws {RangeError} the bytes are not DER.
 *
 * @example
 * ```ts
 * import { elements } from "./der.ts";
 *
 * const [integer] = elements(Uint8Array.of(0x02, 0x01, 0x05));
 * if (integer?.tag !== 0x02 || integer.content[0] !== 5) throw new Error();
 * ```
 */
export function elements(bytes: Uint8Array): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = byteAt(bytes, at);
    let length = byteAt(bytes, at + 1);
    let start = at + 2;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0 || count > 4) throw new RangeError("a length of this form is not DER");
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + byteAt(bytes, start++);
    }
    if (start + length > bytes.length) throw new RangeError("an element is cut off");
    found.push({
      tag,
      content: bytes.subarray(start, start + length),
      whole: bytes.subarray(at, start + length),
    });
    at = start + length;
  }
  return found;
}

function byteAt(bytes: Uint8Array, index: number): number {
  const value = bytes[index];
  if (value === undefined) throw new RangeError("the bytes end too soon");
  return value;
}

/** Whether `part` occurs in `bytes`. Compared as text, in which the runtime searches much faster than a loop that is cold. */
export function contains(bytes: Uint8Array, part: Uint8Array): boolean {
  const [text, wanted] = [bytes.toHex(), part.toHex()];
  let at = text.indexOf(wanted);
  // Between two bytes, half of each, is no place to be.
  while (at % 2 === 1) at = text.indexOf(wanted, at + 1);
  return at >= 0;
}

/** The one element that fills `bytes`, of a certain kind; throws a RangeError if there is another. */
export function only(bytes: Uint8Array, tag: number): Element {
  const [first, second] = elements(bytes);
  if (first?.tag !== tag || second !== undefined) {
    throw new RangeError("its content is not what its label says");
  }
  return first;
}

/** An element that must be there; throws a RangeError if it is not. */
export function part(element: Element | undefined): Element {
  if (element === undefined) throw new RangeError("a part of it is missing");
  return element;
}
