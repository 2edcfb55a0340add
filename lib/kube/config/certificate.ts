/**
 * Looks into X.509 certificates. It does not verify signatures: the handshake does.
 *
 * https://www.rfc-editor.org/rfc/rfc5280#section-4.1
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { type Element, elements, only, part } from "./der.ts";
import { fromBase64, pemBlocks } from "./pem.ts";

const SEQUENCE = 0x30;
const UTC_TIME = 0x17;
const BOOLEAN = 0x01;
const EXTENSIONS = 0xa3;

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

/** Whoever checks a certificate asks next how long it is good: it is remembered, not read again. */
let lastLook: { readonly certPem: string; readonly facts: CertificateFacts } | undefined;

/**
 * Looks into the first certificate of a chain.
 *
 * @param certPem PEM, one certificate or more.
 * @returns end of validity, version, extensions and public key.
 * @throws {RangeError} there is none, or it cannot be read.
 */
export function certificateFacts(certPem: string): CertificateFacts {
  if (lastLook?.certPem !== certPem) lastLook = { certPem, facts: firstFacts(certPem) };
  return lastLook.facts;
}

function firstFacts(certPem: string): CertificateFacts {
  const leaf = pemBlocks(certPem).find((block) => block.label === "CERTIFICATE");
  if (leaf === undefined) throw new RangeError("no PEM block CERTIFICATE is in it");
  return factsOf(fromBase64(leaf.body));
}

/**
 * Looks into a certificate.
 *
 * @param der the certificate, DER.
 * @throws {RangeError} it cannot be read.
 */
export function factsOf(der: Uint8Array): CertificateFacts {
  const [toBeSigned] = elements(only(der, SEQUENCE).content);
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

/** Whose a certificate is, and until when. */
export interface NamesOf {
  /** The subject's common name; empty if it has none. */
  readonly subject: string;
  /** The issuer's common name; empty if it has none. */
  readonly issuer: string;
  /** When it ends, milliseconds since the Unix epoch. */
  readonly notAfterMs: number;
}

/** The object identifier of a common name, 2.5.4.3, as the hex of its DER content. */
const COMMON_NAME = "550403";

/**
 * Whose a certificate is.
 *
 * @param der the certificate, DER.
 * @throws {RangeError} it cannot be read.
 */
export function names(der: Uint8Array): NamesOf {
  const [toBeSigned] = elements(only(der, SEQUENCE).content);
  const fields = elements(part(toBeSigned).content);
  const base = fields[0]?.tag === 0xa0 ? 1 : 0;
  return {
    issuer: commonName(part(fields[base + 2])),
    subject: commonName(part(fields[base + 4])),
    notAfterMs: factsOf(der).notAfterMs,
  };
}

/** The same for the first certificate of a PEM text. */
export function namesIn(certPem: string): NamesOf {
  const leaf = pemBlocks(certPem).find((block) => block.label === "CERTIFICATE");
  if (leaf === undefined) throw new RangeError("no PEM block CERTIFICATE is in it");
  return names(fromBase64(leaf.body));
}

/** A name is a sequence of sets, each of an identifier and a text. */
function commonName(name: Element): string {
  for (const set of elements(name.content)) {
    for (const pair of elements(set.content)) {
      const [identifier, text] = elements(pair.content);
      if (identifier?.content.toHex() === COMMON_NAME && text !== undefined) {
        return new TextDecoder().decode(text.content);
      }
    }
  }
  return "";
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

/** UTCTime has two digits for the year, meaning 1950–2049; GeneralizedTime has four. */
function time(element: Element): number {
  const digits = String.fromCharCode(...element.content);
  const year = Number(digits.slice(0, 2)) >= 50 ? "19" : "20";
  const full = element.tag === UTC_TIME ? year + digits : digits;
  const ms = Date.parse(full.replace(/^(....)(..)(..)(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (Number.isNaN(ms)) throw new RangeError("its end of validity is malformed");
  return ms;
}
