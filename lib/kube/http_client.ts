/**
 * Clients for native fetch that ignore the environment: proxy and authorities are those that they are given, and no
 * TLS secret is written to a file.
 *
 * @module
 */

import { KlatchError } from "../errors.ts";
import type { KeyPair } from "./config/types.ts";

/** What a client is made for. */
export interface HttpClientOptions {
  /** The only authorities to trust, PEM; without it, the system's. */
  readonly caPem: string | undefined;
  readonly clientCert?: KeyPair | undefined;
  readonly proxyUrl?: string | undefined;
  /** Whether TLS is spoken at all. */
  readonly secure: boolean;
  /** Whose certificates these are, for messages. */
  readonly source: string;
}

/** The variables by which the runtime would choose a proxy of its own when a client is made. */
const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]
  .flatMap((name) => [name, name.toLowerCase()]);

/** Names the authorities that the runtime trusts besides `caCerts`. It is read once, when the first client is made. */
const CA_STORE_VARIABLE = "DENO_TLS_CA_STORE";

/** Files whose authorities the runtime would add to those. */
const TLS_VARIABLES = [CA_STORE_VARIABLE, "DENO_CERT", "NODE_EXTRA_CA_CERTS"];

/**
 * Makes a client that goes through the given proxy or none, and trusts the given authorities only, or the system's if
 * there are none, as kubectl does. By default the runtime lets NO_PROXY override the proxy and always trusts its
 * built-in list of public authorities; that can only be changed through the environment, which is restored when this
 * returns.
 *
 * @throws {KlatchError} `config`: the runtime does not take a certificate.
 */
export function httpClient(options: HttpClientOptions): Deno.HttpClient {
  return withoutVariables([...PROXY_VARIABLES, ...TLS_VARIABLES], () => {
    Deno.env.set(CA_STORE_VARIABLE, authorityStores(options));
    try {
      return newClient(options);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new KlatchError("config", `a certificate of ${options.source} cannot be used: ${why}`, { cause });
    }
  });
}

/** Does something while some variables are not set. */
function withoutVariables<T>(names: readonly string[], act: () => T): T {
  const hidden = names.map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of hidden) if (value !== undefined) Deno.env.delete(name);
  try {
    return act();
  } finally {
    for (const [name, value] of hidden) {
      if (value !== undefined) Deno.env.set(name, value);
      else if (name === CA_STORE_VARIABLE) Deno.env.delete(name);
    }
  }
}

/** What to trust besides the configuration's authority. The runtime's own list serves images without a store. */
function authorityStores({ caPem, secure }: HttpClientOptions): string {
  if (caPem !== undefined || !secure) return "";
  return systemStoreReadable() ? "system,mozilla" : "mozilla";
}

/** The runtime fails if a file is named and cannot be read; if none is named it searches the usual places. */
function systemStoreReadable(): boolean {
  const file = Deno.env.get("SSL_CERT_FILE");
  if (!file) return true;
  try {
    return Deno.statSync(file).isFile;
  } catch {
    return false;
  }
}

function newClient({ caPem, clientCert, proxyUrl }: HttpClientOptions): Deno.HttpClient {
  // The runtime aborts the process for a client certificate that it cannot parse; for an authority, 2.6 throws.
  if (clientCert !== undefined) Deno.createHttpClient({ caCerts: [clientCert.certPem] }).close();
  return Deno.createHttpClient({
    poolIdleTimeout: 90_000,
    ...(caPem === undefined ? {} : { caCerts: [caPem] }),
    ...(clientCert === undefined ? {} : { cert: clientCert.certPem, key: clientCert.keyPem }),
    ...(proxyUrl === undefined ? {} : { proxy: proxyOption(proxyUrl) }),
  });
}

function proxyOption(proxyUrl: string): Deno.Proxy {
  const url = new URL(proxyUrl);
  if (url.username === "") return { url: proxyUrl };
  const basicAuth = {
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
  url.username = "";
  url.password = "";
  return { url: url.href, basicAuth };
}
