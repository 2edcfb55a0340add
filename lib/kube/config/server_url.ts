/**
 * The server's URL of a cluster.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import type { Entry } from "./kubeconfig.ts";

/** Ports on which API servers speak TLS, so that a server without a scheme is a mistake there. */
const TLS_PORTS = new Set(["443", "6443", "8443"]);

/**
 * The URL of a cluster's server, without a slash at the end.
 *
 * A server without a scheme is reached over plain HTTP, as client-go has it: `localhost:8001` is where `kubectl proxy`
 * listens. On ports that are known to be for TLS that cannot be what was meant.
 *
 * @param cluster the cluster.
 * @throws {KlatchError} `config`: there is none, or it is no URL.
 */
export function serverUrl(cluster: Entry): string {
  const { where } = cluster.fields;
  const text = cluster.fields.text("server");
  if (text === undefined) throw new KlatchError("config", `${where}: it has no server`);
  const url = /^https?:\/\//i.test(text) ? parse(text) : parseHost(text);
  if (url === undefined) {
    throw new KlatchError("config", `${where}: server "${text}" is not a URL`, {
      hint: "write https://HOST:PORT",
    });
  }
  if (url.username !== "" || url.password !== "") {
    throw new KlatchError("config", `${where}: server must not hold a password`, {
      hint: "put username and password into the user",
    });
  }
  return url.origin + url.pathname.replace(/\/+$/, "");
}

function parseHost(text: string): URL | undefined {
  if (!/^[^/?#@]+\/?$/.test(text)) return undefined;
  const url = parse(`http://${text}`);
  return url === undefined || TLS_PORTS.has(url.port) ? undefined : url;
}

/** The URL parser drops spaces and control characters, which are no part of any address. */
function parse(text: string): URL | undefined {
  return /[\s\p{Cc}]/u.test(text) ? undefined : URL.parse(text) ?? undefined;
}
