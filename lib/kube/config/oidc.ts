/**
 * OpenID Connect tokens: the id-token of the kubeconfig while it is valid, and then one that the provider gives for
 * the refresh-token. It promises to ask the provider once at a time; logging in is for other tools.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { type Authenticator, bearer, type Identity } from "./identity.ts";
import type { OidcProvider } from "./types.ts";

/** A token that is good for no longer than this is not used any more, as in client-go. */
const MARGIN_MS = 10_000;

/** What the authenticator needs of the world. */
export interface OidcOptions {
  /** The wall clock, milliseconds since the Unix epoch: tokens expire by it. */
  readonly nowMs?: () => number;
  /** Is told, in one line, that refreshed tokens could not be written back. */
  readonly warn?: ((line: string) => void) | undefined;
}

/** An authenticator that uses and refreshes id-tokens. */
export class OidcAuthenticator implements Authenticator {
  #idToken: string | undefined;
  #refreshToken: string | undefined;
  #identity: Identity | undefined;
  #refreshing: Promise<Identity> | undefined;
  readonly #closing = new AbortController();
  readonly #nowMs: () => number;

  constructor(private readonly provider: OidcProvider, private readonly options: OidcOptions = {}) {
    this.#idToken = provider.idToken;
    this.#refreshToken = provider.refreshToken;
    this.#nowMs = options.nowMs ?? (() => Date.now());
  }

  async current(): Promise<Identity> {
    if (this.#idToken === undefined || this.#nowMs() + MARGIN_MS >= this.#expiresAtMs(this.#idToken)) {
      return await this.#refresh();
    }
    return this.#identity ??= bearer(this.#idToken);
  }

  async renew(refused: Identity): Promise<Identity | undefined> {
    // Another request may have had the same refusal, and have got a new identity already.
    if (this.#identity !== undefined && this.#identity.authorization !== refused.authorization) {
      return this.#identity;
    }
    if (this.#refreshToken === undefined) return undefined;
    const identity = await this.#refresh();
    return identity.authorization === refused.authorization ? undefined : identity;
  }

  close(): void {
    this.#closing.abort();
  }

  #refresh(): Promise<Identity> {
    this.#refreshing ??= this.#refreshOnce().finally(() => this.#refreshing = undefined);
    return this.#refreshing;
  }

  async #refreshOnce(): Promise<Identity> {
    const { provider } = this;
    if (this.#refreshToken === undefined) {
      const why = this.#idToken === undefined ? "it has no id-token" : "its id-token has expired";
      throw new KlatchError("config", `${provider.where}: ${why}, and it has no refresh-token`, {
        hint: "log in again with the tool that wrote the kubeconfig",
      });
    }
    // Loaded only here: most id-tokens are still valid.
    const { refreshTokens } = await import("./oidc_refresh.ts");
    const tokens = await refreshTokens(provider, this.#refreshToken, this.#closing.signal);
    this.#idToken = tokens.idToken;
    this.#refreshToken = tokens.refreshToken;
    this.#identity = bearer(tokens.idToken);
    if (provider.store !== undefined) {
      const { storeTokens } = await import("./oidc_store.ts");
      const fault = await storeTokens(provider.store, tokens);
      if (fault !== undefined) {
        this.options.warn?.(`${provider.where}: the refreshed tokens were not written back: ${fault}`);
      }
    }
    return this.#identity;
  }

  /** The claim `exp` of a JSON Web Token: https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4 */
  #expiresAtMs(idToken: string): number {
    const [, payload, , more] = idToken.split(".");
    try {
      if (payload === undefined || more !== undefined) throw new RangeError();
      const bytes = Uint8Array.fromBase64(payload, { alphabet: "base64url" });
      const { exp } = JSON.parse(new TextDecoder().decode(bytes));
      return typeof exp === "number" ? exp * 1000 : 0;
    } catch {
      throw new KlatchError("config", `${this.provider.where}: its id-token is not a JSON Web Token`, {
        hint: "log in again with the tool that wrote the kubeconfig",
      });
    }
  }
}
