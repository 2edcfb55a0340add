/**
 * Checks a client certificate and its key before they are handed to the runtime, which aborts the whole process over
 * a pair that does not belong together or that it cannot use.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { type CertificateFacts, certificateFacts } from "./certificate.ts";
import { contains, type Element, elements, only, part } from "./der.ts";
import { fromBase64, pemBlocks } from "./pem.ts";
import type { KeyPair } from "./types.ts";

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;

/** The object identifiers of the keys that the runtime can sign with, as the bytes of their DER content. */
const RSA = "2a864886f70d010101";
const ELLIPTIC = "2a8648ce3d0201";
const ED25519 = "2b6570";
const CURVES = new Set(["2a8648ce3d030107", "2b81040022", "2b81040023"]);

/** Critical extensions that the runtime understands: 2.5.29.N with N 15, 17, 19, 30, 31, 35, 37. */
const UNDERSTOOD = new Set([15, 17, 19, 30, 31, 35, 37].map((n) => `551d${n.toString(16)}`));

/** Below this the runtime refuses an RSA key. */
const LEAST_RSA_BITS = 2048;

/**
 * Checks a client certificate and its key: both readable, of a kind the runtime can use, and belonging together.
 *
 * @param pair the two, PEM.
 * @param where whose they are, for the message.
 * @returns the pair.
 * @throws {KlatchError} `config`.
 */
export async function checkKeyPair(pair: KeyPair, where: string): Promise<KeyPair> {
  let facts: CertificateFacts;
  try {
    facts = certificateFacts(pair.certPem);
  } catch (cause) {
    throw new KlatchError("config", `${where}: the client certificate cannot be read: ${reason(cause)}`, {
      cause,
    });
  }
  if (facts.version !== 3) {
    throw unusable(
      where,
      `it is of X.509 version ${facts.version}`,
      "have it issued again with extensions (version 3)",
    );
  }
  if (facts.criticalExtensions.some((identifier) => !UNDERSTOOD.has(identifier))) {
    throw unusable(where, "it has a critical extension that klatch does not know");
  }
  const key = privateKey(pair.keyPem, where);
  const [algorithm, keyBits] = elements(only(facts.publicKeyInfo, SEQUENCE).content);
  const publicPart = usablePublicPart(part(algorithm), part(keyBits), where);
  // RSA keys repeat the modulus and most EC keys the point, so a look at the bytes settles it without node:crypto.
  if (publicPart !== undefined && contains(key, publicPart)) return pair;
  await compareByDerivation(pair.keyPem, facts.publicKeyInfo, where);
  return pair;
}

function privateKey(keyPem: string, where: string): Uint8Array {
  let why = "no PEM block PRIVATE KEY is in it";
  // In a traditional key that says a header within the block, which then is no base64.
  if (keyPem.includes("ENCRYPTED")) why = "it is encrypted";
  else {
    try {
      const block = pemBlocks(keyPem).find(({ label }) => label.endsWith("PRIVATE KEY"));
      if (block !== undefined) return only(fromBase64(block.body), SEQUENCE).whole;
    } catch (cause) {
      why = reason(cause);
    }
  }
  const hint = why === "it is encrypted" ? { hint: "decrypt it with openssl pkey" } : {};
  throw new KlatchError("config", `${where}: the client key cannot be used: ${why}`, hint);
}

/** The bytes that a private key of this kind repeats; `undefined` where it repeats none. */
function usablePublicPart(algorithm: Element, keyBits: Element, where: string): Uint8Array | undefined {
  if (keyBits.tag !== BIT_STRING) throw unusable(where, "its public key is malformed");
  const [kind, parameters] = elements(algorithm.content);
  const bits = keyBits.content.subarray(1);
  switch (part(kind).content.toHex()) {
    case RSA: {
      const numbers = only(bits, SEQUENCE).content;
      const modulus = part(elements(numbers)[0]).content;
      const modulusBytes = modulus[0] === 0 ? modulus.length - 1 : modulus.length;
      if (modulusBytes * 8 < LEAST_RSA_BITS) {
        throw unusable(where, `RSA of ${modulusBytes * 8} bits is too weak`);
      }
      return numbers;
    }
    case ELLIPTIC:
      if (!CURVES.has(part(parameters).content.toHex())) {
        throw unusable(where, "its elliptic curve is none of P-256, P-384, P-521");
      }
      return bits;
    case ED25519:
      return undefined;
    default:
      throw unusable(where, "its key is none of RSA, ECDSA, Ed25519");
  }
}

function unusable(where: string, why: string, hint?: string): KlatchError {
  const details = hint === undefined ? {} : { hint };
  return new KlatchError("config", `${where}: the client certificate cannot be used: ${why}`, details);
}

/** For keys that do not repeat their public half: derive it. Rare, hence the late import. */
async function compareByDerivation(keyPem: string, publicKeyInfo: Uint8Array, where: string): Promise<void> {
  const { createPrivateKey, createPublicKey } = await import("node:crypto");
  let derived: Uint8Array;
  try {
    // Deno's typings know no private key here; Node's documentation does.
    const fromPrivate = createPublicKey as unknown as (key: unknown) => ReturnType<typeof createPublicKey>;
    derived = new Uint8Array(fromPrivate(createPrivateKey(keyPem)).export({ type: "spki", format: "der" }));
  } catch (cause) {
    throw new KlatchError("config", `${where}: the client key cannot be used: ${reason(cause)}`, { cause });
  }
  if (derived.toHex() === publicKeyInfo.toHex()) return;
  throw new KlatchError("config", `${where}: the client key does not belong to the client certificate`);
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
