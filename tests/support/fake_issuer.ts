/**
 * An OpenID Connect provider on the loopback interface: discovery, and a token endpoint that takes refresh-tokens. Its
 * id-tokens are signed by nobody.
 *
 * @module
 */

/** How the provider behaves. */
export interface IssuerBehavior {
  /** The refresh-token to hand out with every id-token. */
  readonly refreshToken?: string;
  /** How it wants its clients to prove themselves, if it says so. */
  readonly authMethods?: readonly string[];
  /** Refuses with these words. */
  readonly refusal?: { readonly error: string; readonly error_description: string };
  readonly withoutIdToken?: boolean;
  /** Never answers. */
  readonly silent?: boolean;
}

/** A provider that is running. */
export class FakeIssuer {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #secure: boolean;
  #behavior: IssuerBehavior = {};
  #asked = Promise.withResolvers<void>();
  /** Method and path of each request. */
  requests: string[] = [];
  /** What was sent to the token endpoint. */
  forms: URLSearchParams[] = [];
  authorizations: (string | undefined)[] = [];
  /** The id-tokens that were given out. */
  issued: string[] = [];

  private constructor(identity?: { readonly certPem: string; readonly keyPem: string }) {
    this.#secure = identity !== undefined;
    const options = { port: 0, hostname: "127.0.0.1", onListen() {} };
    const tls = identity === undefined ? {} : { cert: identity.certPem, key: identity.keyPem };
    this.#server = Deno.serve({ ...options, ...tls }, (request) => this.#answer(request));
  }

  /** Starts one; over TLS if it gets a certificate. */
  static start(identity?: { readonly certPem: string; readonly keyPem: string }): FakeIssuer {
    return new FakeIssuer(identity);
  }

  get url(): string {
    return `${this.#secure ? "https" : "http"}://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Forgets what was asked, and behaves differently from now on. */
  reset(behavior: IssuerBehavior = {}): void {
    this.#behavior = behavior;
    this.#asked = Promise.withResolvers<void>();
    [this.requests, this.forms, this.authorizations, this.issued] = [[], [], [], []];
  }

  /** Resolves at the next request. */
  asked(): Promise<void> {
    return this.#asked.promise;
  }

  /** An id-token that expires in so many seconds. */
  idToken({ inS }: { readonly inS: number }): string {
    const nowS = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.url,
      sub: "me",
      aud: "kube",
      iat: nowS,
      exp: nowS + inS,
      jti: crypto.randomUUID(),
    };
    const part = (value: unknown) =>
      new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url", omitPadding: true });
    return `${part({ alg: "RS256" })}.${part(claims)}.c2ln`;
  }

  async close(): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    this.requests.push(`${request.method} ${pathname}`);
    this.#asked.resolve();
    if (this.#behavior.silent) {
      await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
    }
    if (pathname === "/.well-known/openid-configuration") return Response.json(this.#metadata());
    this.forms.push(new URLSearchParams(await request.text()));
    this.authorizations.push(request.headers.get("authorization") ?? undefined);
    const { refusal, refreshToken, withoutIdToken } = this.#behavior;
    if (refusal !== undefined) return Response.json(refusal, { status: 400 });
    const idToken = this.idToken({ inS: 600 });
    this.issued.push(idToken);
    return Response.json({
      access_token: "unused",
      token_type: "Bearer",
      ...(withoutIdToken ? {} : { id_token: idToken }),
      ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    });
  }

  #metadata(): Record<string, unknown> {
    const { authMethods } = this.#behavior;
    return {
      issuer: this.url,
      authorization_endpoint: `${this.url}/authorize`,
      token_endpoint: `${this.url}/token`,
      jwks_uri: `${this.url}/keys`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
      ...(authMethods === undefined ? {} : { token_endpoint_auth_methods_supported: authMethods }),
    };
  }
}
