/**
 * The certificate authorities to trust.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { factsOf } from "./certificate.ts";
import { certificatePem, fromBase64, pemBlocks } from "./pem.ts";

/**
 * The certificates of a bundle that can be used. Others are passed over, as Go does: one that is broken or of an
 * unknown kind does not make the rest useless.
 *
 * @param pem the authorities to trust.
 * @param where what it is, for the message.
 * @returns PEM with at least one certificate.
 * @throws {KlatchError} `config`: none of it can be used.
 */
export function usableAuthorities(pem: string, where: string): string {
  const blocks = pemBlocks(pem).filter((block) => block.label === "CERTIFICATE");
  const usable: Uint8Array[] = [];
  let fault = "no PEM block CERTIFICATE is in it";
  for (const { body } of blocks) {
    try {
      const der = fromBase64(body);
      factsOf(der);
      usable.push(der);
    } catch (cause) {
      fault = cause instanceof Error ? cause.message : String(cause);
    }
  }
  if (usable.length === 0) {
    throw new KlatchError("config", `${where} holds no usable certificate: ${fault}`, {
      hint: "use the PEM file of the cluster's certificate authority",
    });
  }
  // A block that has no end is none of the blocks.
  const written = pem.split("-----BEGIN").length - 1;
  return usable.length === written ? pem : usable.map(certificatePem).join("");
}
