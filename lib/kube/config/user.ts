/**
 * How a user of a kubeconfig proves who they are.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { checkKeyPair } from "./key_pair.ts";
import type { Entry } from "./kubeconfig.ts";
import { beside, readReferred, referredPath, referredPem } from "./referred_file.ts";
import type { CertificateFiles, Credentials, KeyPair } from "./types.ts";

/** A client certificate, and where to read it again. */
export interface ClientCertificate {
  readonly clientCert: KeyPair;
  /** Absent if one of the two is in the kubeconfig itself. */
  readonly clientCertFiles?: CertificateFiles;
}

/**
 * The client certificate of a user.
 *
 * @param user the user.
 * @param signal ends the reading.
 * @throws {KlatchError} `config`: unreadable, unusable, or without its key.
 */
export async function clientCertificate(
  user: Entry,
  signal?: AbortSignal,
): Promise<ClientCertificate | undefined> {
  const certPem = await referredPem(user, "client-certificate", signal);
  if (certPem === undefined) return undefined;
  const keyPem = await referredPem(user, "client-key", signal);
  if (keyPem === undefined) {
    throw new KlatchError("config", `${user.fields.where}: it has a client certificate and no key`, {
      hint: "add client-key or client-key-data",
    });
  }
  const clientCert = await checkKeyPair({ certPem, keyPem }, user.fields.where);
  const certFile = referredPath(user, "client-certificate");
  const keyFile = referredPath(user, "client-key");
  if (certFile === undefined || keyFile === undefined) return { clientCert };
  return { clientCert, clientCertFiles: { certFile, keyFile } };
}

/** What the credentials of a user depend on besides the user. */
export interface CredentialsContext {
  readonly cluster: Entry;
  /** The cluster's authorities, already read. */
  readonly caPem: string | undefined;
  /** Whether the user has a client certificate. */
  readonly certified: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * The credentials of a user besides a client certificate. What is given in the kubeconfig itself goes before an
 * authentication provider and a plugin, as in client-go.
 *
 * @throws {KlatchError} `config`: they contradict each other, or something is missing or unknown.
 */
export async function credentialsOf(user: Entry, context: CredentialsContext): Promise<Credentials> {
  const { fields } = user;
  const username = fields.text("username") ?? "";
  const password = fields.text("password") ?? "";
  const token = fields.text("token");
  const tokenFile = fields.text("tokenFile");
  const basic = username !== "" || password !== "";
  if (basic && token !== undefined) {
    throw new KlatchError("config", `${fields.where}: it has both a token and a password`, {
      hint: "remove one of them",
    });
  }
  if (fields.has("auth-provider") && fields.has("exec")) {
    throw new KlatchError("config", `${fields.where}: it has both an auth-provider and an exec plugin`, {
      hint: "remove one of them",
    });
  }
  const provided = fields.has("auth-provider") ? await authProvider(user) : undefined;
  if (tokenFile !== undefined) {
    const path = beside(user.file, tokenFile);
    if (token === undefined) await readReferred(user, "tokenFile", path, context.signal);
    return { kind: "tokenFile", path, ...(token === undefined ? {} : { fallback: token }) };
  }
  if (token !== undefined) return { kind: "token", token };
  if (basic) return { kind: "basic", username, password };
  if (provided !== undefined) return provided;
  if (!fields.has("exec") || context.certified) return { kind: "none" };
  const { execPlugin } = await import("./exec_config.ts");
  const resolve = (path: string) => beside(user.file, path);
  return { kind: "exec", plugin: execPlugin(user, context.cluster, context.caPem, resolve) };
}

/** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#option-1-oidc-authenticator */
async function authProvider(user: Entry): Promise<Credentials> {
  const provider = user.fields.record("auth-provider");
  const name = provider.text("name") ?? "";
  if (name === "oidc") {
    const { oidcProvider } = await import("./oidc_config.ts");
    return { kind: "oidc", provider: await oidcProvider(user) };
  }
  throw new KlatchError("config", `${user.fields.where}: auth-provider "${name}" is not supported`, {
    hint: "Kubernetes removed all but oidc in 1.26: let the provider's own tool write an exec plugin instead",
  });
}
