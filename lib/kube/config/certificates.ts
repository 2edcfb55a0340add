/**
 * Checks certificates and keys before they are handed to the runtime, which aborts the whole process over a pair
 * that does not belong together or that it cannot use. It does not verify signatures: the handshake does.
 *
 * Certificates: https://www.rfc-editor.org/rfc/rfc5280#section-4.1; PEM: https://www.rfc-editor.org/rfc/rfc7468
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { contains, type Element, elements } from "./der.ts";
import type { KeyPair } from "./types.ts";

const SEQUENCE = 0x30;
const BIT_STRING = 0x03;
const UTC_TIME = 0x17;
const BOOLEAN = 0x01;
const EXTENSIONS = 0xa3;

/** The object identifiers of the keys that the runtime can sign with, as the bytes of their DER content. */
const RSA = "2a864886f70d010101";
const ELLIPTIC = "2a8648ce3d0201";
const ED25519 = "2b6570";
const CURVES = new Set(["2a8648ce3d030107", "2b81040022", "2b81040023"]);

/** Critical extensions that the runtime understands: 2.5.29.N with N 15, 17, 19, 30, 31, 35, 37. */
const UNDERSTOOD = new Set([15, 17, 19, 30, 31, 35, 37].map((n) => `551d${n.toString(16)}`));

/** Below this the runtime refuses an RSA key. */
const LEAST_RSA_BITS = 2048;

/** What klatch wants to know of a certificate. */
export interface CertificateFacts {
  /** When it ends, milliseconds since the Unix epoch. */
  readonly notAfterMs: number;
  /** 1 or 3; the runtime takes clients of version 3 only. */
  readonly version: number;
  /** The object identifiers of extensions that must be understood, as the hex of their DER content. */
  readonly criticalExtensions: readonly string[];
  /** The SubjectPublicKeyInfo, DER. */
  readonly publicKeyInfo: Uint8Array;
}

interface PemBlock {
  readonly label: string;
  readonly der: Uint8Array;
}

/** Whoever checks a certificate asks next how long it is good: it is remembered, not read again. */
let lastLook: { readonly certPem: string; readonly facts: CertificateFacts } | undefined;

/**
 * Looks into the first certificate of a chain.
 *
 * @param certPem PEM, one certificate or more.
 * @returns end of validity and public key.
 * @throws {RangeError} there is none, or it cannot be read.
 */
export function certificateFacts(certPem: string): CertificateFacts {
  if (lastLook?.certPem !== certPem) lastLook = { certPem, facts: readFacts(certPem) };
  return lastLook.facts;
}

function readFacts(certPem: string): CertificateFacts {
  const leaf = pemBlocks(certPem).find((block) => block.label === "CERTIFICATE");
  if (leaf === undefined) throw new RangeError("no PEM block CERTIFICATE is in it");
  const [toBeSigned] = elements(only(leaf.der, SEQUENCE).content);
  // The version is optional, tagged 0; after it: serial, algorithm, issuer, validity, subject, public key.
  const fields = elements(part(toBeSigned).content);
  const versioned = fields[0]?.tag === 0xa0;
  const version = versioned ? (elements(part(fields[0]).content)[0]?.content[0] ?? 0) + 1 : 1;
  const base = versioned ? 1 : 0;
  const notAfter = part(elements(part(fields[base + 3]).content)[1]);
  return {
    notAfterMs: time(notAfter),
    version,
    criticalExtensions: criticalExtensions(fields.find((field) => field.tag === EXTENSIONS)),
    publicKeyInfo: part(fields[base + 5]).whole,
  };
}

/** Each extension is its identifier, TRUE if it is critical, and its value. */
function criticalExtensions(extensions: Element | undefined): string[] {
  const found: string[] = [];
  if (extensions === undefined) return found;
  for (const extension of elements(only(extensions.content, SEQUENCE).content)) {
    const [identifier, critical] = elements(extension.content);
    if (critical?.tag === BOOLEAN && critical.content[0] !== 0) found.push(part(identifier).content.toHex());
  }
  return found;
}

/**
 * Checks that a PEM text holds certificates.
 *
 * @param pem the authorities to trust.
 * @param where what it is, for the message.
 * @throws {KlatchError} `config`.
 */
export function checkAuthorities(pem: string, where: string): void {
  try {
    certificateFacts(pem);
  } catch (cause) {
    throw new KlatchError("config", `${where} holds no usable certificate: ${reason(cause)}`, { cause });
  }
}

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

/**
 * Says so if a client certificate has expired: a server that only asks for one would just answer 401.
 *
 * @param certPem the chain.
 * @param nowMs wall clock, milliseconds since the Unix epoch.
 * @param where whose it is, for the message.
 * @throws {KlatchError} `config`.
 */
export function checkNotExpired(certPem: string, nowMs: number, where: string): void {
  const { notAfterMs } = certificateFacts(certPem);
  if (nowMs <= notAfterMs) return;
  const ended = new Date(notAfterMs).toISOString().replace(".000Z", "Z");
  throw new KlatchError("config", `${where}: the client certificate expired on ${ended}`, {
    hint: "get a new one from whoever gave out the kubeconfig (and check this machine's clock)",
  });
}

function privateKey(keyPem: string, where: string): Uint8Array {
  let why = "no PEM block PRIVATE KEY is in it";
  // In a traditional key that says a header within the block, which then is no base64.
  if (keyPem.includes("ENCRYPTED")) why = "it is encrypted";
  else {
    try {
      const block = pemBlocks(keyPem).find(({ label }) => label.endsWith("PRIVATE KEY"));
      if (block !== undefined) return only(block.der, SEQUENCE).whole;
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

function pemBlocks(pem: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  for (const match of pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g)) {
    const [, label = "", body = ""] = match;
    blocks.push({ label, der: fromBase64(body) });
  }
  return blocks;
}

/** Decodes base64, line breaks included; throws a RangeError where it is none. */
export function fromBase64(base64: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(base64);
  } catch (cause) {
    throw new RangeError("it is not base64", { cause });
  }
}

function only(bytes: Uint8Array, tag: number): Element {
  const [first, second] = elements(bytes);
  if (first?.tag !== tag || second !== undefined) {
    throw new RangeError("its content is not what its label says");
  }
  return first;
}

function part(element: Element | undefined): Element {
  if (element === undefined) throw new RangeError("a part of it is missing");
  return element;
}

/** UTCTime has two digits for the year, meaning 1950–2049; GeneralizedTime has four. */
function time(element: Element): number {
  const digits = String.fromCharCode(...element.content);
  const year = Number(digits.slice(0, 2)) >= 50 ? "19" : "20";
  const full = element.tag === UTC_TIME ? year + digits : digits;
  const ms = Date.parse(full.replace(/^(....)(..)(..)(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (Number.isNaN(ms)) throw new RangeError("its end of validity is malformed");
  return ms;
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
