/**
 * The system's certificate authorities as PEM. The runtime can use them by itself, but then for every connection of
 * the process; read here they serve the one connection that they are for.
 *
 * @module
 */

import { readText } from "./read_file.ts";

/** Where distributions keep the bundle, as Go looks for it: https://go.dev/src/crypto/x509/root_linux.go */
const BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** The system's bundle (or the one in `SSL_CERT_FILE`); the runtime's own list in an image that has none. */
export async function systemAuthorities(): Promise<string> {
  const named = Deno.env.get("SSL_CERT_FILE");
  for (const file of named ? [named] : BUNDLES) {
    const pem = await readText(file).catch(() => "");
    if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
  }
  const { rootCertificates } = await import("node:tls");
  return rootCertificates.join("\n");
}
