/**
 * Asks an OpenID Connect provider for new tokens. Loaded only when that is needed, with the library that does it.
 *
 * @module
 */

import * as oidc from "openid-client";
import { KlatchError } from "../../errors.ts";
import { httpClient } from "../http_client.ts";
import { proxyFromEnv } from "./proxy.ts";
import { systemAuthorities } from "./system_authorities.ts";
import type { OidcProvider } from "./types.ts";

/** How long one request to the provider may take, in seconds. */
const TIMEOUT_S = 30;

/** The server's words are kept this short. */
const WORDS_CHARS = 200;

/** What the provider gave out. */
export interface Tokens {
  readonly idToken: string;
  readonly refreshToken: string;
}

/**
 * Gets new tokens.
 *
 * @param provider the provider.
 * @param refreshToken the newest one.
 * @param signal ends it.
 * @returns the new id-token, and the refresh-token to use next.
 * @throws {KlatchError} `config`: the provider refuses; `unreachable`: it does not answer.
 */
export async function refreshTokens(
  provider: OidcProvider,
  refreshToken: string,
  signal: AbortSignal,
): Promise<Tokens> {
  const { issuerUrl, where } = provider;
  if (!/^https?:\/\//.test(issuerUrl) || !URL.canParse(issuerUrl)) {
    throw new KlatchError("config", `${where}: idp-issuer-url "${issuerUrl}" is not a URL`, {
      hint: "write https://HOST/PATH, as the provider's tokens have it in iss",
    });
  }
  const secure = issuerUrl.startsWith("https:");
  const client = httpClient({
    caPem: secure ? provider.caPem ?? await systemAuthorities() : undefined,
    proxyUrl: proxyFromEnv(issuerUrl, (name) => Deno.env.get(name)),
    secure,
    source: where,
  });
  const answered: oidc.CustomFetch = (url, { signal: timeout, body, ...options }) =>
    fetch(url, {
      ...options,
      body: body as BodyInit ?? null,
      client,
      signal: AbortSignal.any([signal, ...(timeout === undefined ? [] : [timeout])]),
    });
  try {
    const config = await oidc.discovery(
      new URL(issuerUrl),
      provider.clientId,
      undefined,
      clientAuthentication(provider.clientSecret),
      {
        [oidc.customFetch]: answered,
        timeout: TIMEOUT_S,
        execute: secure ? [] : [oidc.allowInsecureRequests],
      },
    );
    const tokens = await oidc.refreshTokenGrant(config, refreshToken);
    if (tokens.id_token === undefined) throw new Error("its answer has no id_token");
    return { idToken: tokens.id_token, refreshToken: tokens.refresh_token ?? refreshToken };
  } catch (cause) {
    throw failure(provider, cause);
  } finally {
    client.close();
  }
}

/** How the client proves itself: as the provider wants it, in the header unless it takes the secret in the body only. */
function clientAuthentication(secret: string | undefined): oidc.ClientAuth {
  if (secret === undefined) return oidc.None();
  const [basic, post] = [oidc.ClientSecretBasic(secret), oidc.ClientSecretPost(secret)];
  return (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
    const useBody = methods.includes("client_secret_post") && !methods.includes("client_secret_basic");
    (useBody ? post : basic)(server, client, body, headers);
  };
}

function failure({ where, issuerUrl }: OidcProvider, cause: unknown): KlatchError {
  const what = `${where}: the tokens cannot be refreshed at ${issuerUrl}`;
  if (cause instanceof oidc.ResponseBodyError) {
    const words = [cause.error, cause.error_description].filter((word) => word !== undefined).join(": ");
    return new KlatchError("config", `${what}: ${printable(words)}`, {
      hint: "log in again with the tool that wrote the kubeconfig",
      cause,
    });
  }
  const innermost = rootOf(cause);
  const why = printable(innermost instanceof Error ? innermost.message : String(innermost));
  const hint = "check idp-issuer-url, idp-certificate-authority and the network";
  return new KlatchError("unreachable", `${what}: ${why}`, { hint, cause });
}

/** The library wraps what failed into what it was doing. */
function rootOf(cause: unknown): unknown {
  return cause instanceof Error && cause.cause instanceof Error ? rootOf(cause.cause) : cause;
}

/** Words of others must not move the terminal's cursor. */
function printable(words: string): string {
  return words.replace(/[^\P{C}]+/gu, " ").slice(0, WORDS_CHARS);
}
