/**
 * Keeps credentials fresh: what to send with a request, and what to send instead after the server said 401. Token
 * files are read again as they rotate, plugins are run again as their credentials expire. It does not talk to the
 * server.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { type Authenticator, bearer, type Identity } from "./identity.ts";
import { toBase64 } from "./pem.ts";
import { readText } from "./read_file.ts";
import type { ClusterConfig, Credentials } from "./types.ts";

/**
 * A token file is read at most this often: client-go counts it stale ten seconds before its minute is over.
 * https://github.com/kubernetes/client-go/blob/master/transport/token_source.go
 */
const TOKEN_FILE_MS = 50_000;

/** What an authenticator needs of the world. */
export interface AuthenticatorOptions {
  /** A monotonic clock, milliseconds. */
  readonly nowMs?: () => number;
  /** Is told, in one line, what the user should know. */
  readonly warn?: (line: string) => void;
}

/**
 * The authenticator of a configuration: its credentials, and its client certificate if that is in files.
 *
 * @param config from `loadClusterConfig`.
 * @param options clock and warnings.
 */
export async function authenticatorOf(
  config: Pick<ClusterConfig, "credentials" | "clientCert" | "clientCertFiles">,
  options: AuthenticatorOptions = {},
): Promise<Authenticator> {
  const { credentials, clientCert, clientCertFiles } = config;
  const inner = await authenticator(credentials, options);
  if (clientCert === undefined || clientCertFiles === undefined) return inner;
  const { RotatingCertificate } = await import("./certificate_files.ts");
  const clocks = { nowMs: options.nowMs ?? (() => performance.now()), wallMs: () => Date.now() };
  return new RotatingCertificate(inner, clientCert, clientCertFiles, clocks);
}

/**
 * The authenticator for some credentials.
 *
 * @param credentials from the configuration.
 * @param options clock and warnings.
 *
 * @example
 * ```ts
 * import { authenticator } from "./tokens.ts";
 *
 * const identity = await (await authenticator({ kind: "token", token: "abc" })).current();
 * if (identity.authorization !== "Bearer abc") throw new Error();
 * ```
 */
export async function authenticator(
  credentials: Credentials,
  options: AuthenticatorOptions = {},
): Promise<Authenticator> {
  const nowMs = options.nowMs ?? (() => performance.now());
  switch (credentials.kind) {
    case "none":
      return constant({});
    case "token":
      return constant(bearer(credentials.token));
    case "basic":
      return constant({
        authorization: `Basic ${toBase64(`${credentials.username}:${credentials.password}`)}`,
      });
    case "tokenFile":
      return new TokenFile(credentials.path, credentials.fallback, nowMs);
    case "exec": {
      const { ExecAuthenticator } = await import("./exec.ts");
      return new ExecAuthenticator(credentials.plugin);
    }
    case "oidc": {
      const { OidcAuthenticator } = await import("./oidc.ts");
      return new OidcAuthenticator(credentials.provider, { warn: options.warn });
    }
  }
}

function constant(identity: Identity): Authenticator {
  return {
    current: () => Promise.resolve(identity),
    renew: () => Promise.resolve(undefined),
    close: () => {},
  };
}

class TokenFile implements Authenticator {
  #identity: Identity | undefined;
  #readAtMs = -Infinity;

  constructor(
    private readonly path: string,
    private readonly fallback: string | undefined,
    private readonly nowMs: () => number,
  ) {}

  async current(): Promise<Identity> {
    if (this.#identity !== undefined && this.nowMs() - this.#readAtMs < TOKEN_FILE_MS) return this.#identity;
    return await this.#read();
  }

  async renew(refused: Identity): Promise<Identity | undefined> {
    const identity = await this.#read();
    return identity.authorization === refused.authorization ? undefined : identity;
  }

  close(): void {}

  async #read(): Promise<Identity> {
    let token: string;
    try {
      token = (await readText(this.path)).trim();
      if (token === "") throw new Error("it is empty");
    } catch (cause) {
      // While the file is being replaced, what it held before is the best there is.
      if (this.#identity !== undefined) return this.#identity;
      if (this.fallback !== undefined) return bearer(this.fallback);
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new KlatchError("config", `token file ${this.path} cannot be read: ${why}`, { cause });
    }
    this.#readAtMs = this.nowMs();
    if (this.#identity?.authorization !== `Bearer ${token}`) this.#identity = bearer(token);
    return this.#identity;
  }
}
