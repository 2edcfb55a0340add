/**
 * The certificate that a server shows, for diagnosis: read from a handshake that checks nothing and sends nothing.
 *
 * @module
 */
import { connect, rootCertificates } from "node:tls";
import { names, type NamesOf } from "./certificate.ts";
import type { ClusterConfig } from "./types.ts";

const HANDSHAKE_MS = 5_000;

/**
 * What the server's certificate says.
 *
 * @param config the cluster.
 * @returns whose it is, who issued it and until when it is valid; `undefined` if the server cannot be reached directly or
 * its certificate cannot be read.
 */
export async function peerCertificate(
  { server, proxyUrl, tlsServerName, caPem }: ClusterConfig,
): Promise<NamesOf | undefined> {
  if (proxyUrl !== undefined || !server.startsWith("https:")) return undefined;
  const { hostname, port } = new URL(server);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const isAddress = /^[\d.]+$|:/.test(host);
  const servername = tlsServerName ?? (isAddress ? undefined : host);
  const der = await new Promise<Uint8Array | undefined>((resolve) => {
    const socket = connect({
      host,
      port: Number(port || 443),
      rejectUnauthorized: false,
      ca: caPem ?? rootCertificates.slice(0, 1),
      ...(servername !== undefined && { servername }),
    }, () => done(socket.getPeerCertificate()?.raw));
    const timer = setTimeout(() => done(undefined), HANDSHAKE_MS);
    const done = (der: Uint8Array | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(der);
    };
    socket.on("error", () => done(undefined));
  }).catch(() => undefined);
  try {
    return der === undefined ? undefined : names(new Uint8Array(der));
  } catch {
    return undefined;
  }
}
