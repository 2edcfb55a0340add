/**
 * Follows a context to its cluster and user and turns them into a {@link ClusterConfig}: files read, base64
 * decoded, everything checked that can be checked without a connection.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { checkAuthorities, checkKeyPair, fromBase64 } from "./certificates.ts";
import type { Entry, Fields, Kubeconfig } from "./kubeconfig.ts";
import { parseProxyUrl, proxyFromEnv } from "./proxy.ts";
import type { ClusterConfig, Credentials, Env, KeyPair } from "./types.ts";

/**
 * The context to use.
 *
 * @param kubeconfig the merged files.
 * @param wanted `--context`.
 * @returns the context, or `undefined` where none is wanted and none is current.
 * @throws {KlatchError} `config`: there is no such context.
 */
export function chooseContext(kubeconfig: Kubeconfig, wanted: string | undefined): Entry | undefined {
  const name = wanted ?? kubeconfig.currentContext;
  if (name === undefined) return undefined;
  const context = kubeconfig.contexts.get(name);
  if (context !== undefined) return context;
  const known = knownContexts(kubeconfig);
  const which = wanted === undefined ? "the current context" : "context";
  throw new KlatchError("config", `${which} "${name}" does not exist in the kubeconfig`, {
    hintCode: known === "" ? "choose-kubeconfig" : "choose-context",
    hint: known === "" ? "name a kubeconfig that has contexts" : `choose one of: ${known}`,
  });
}

/** The names of all contexts, for messages. */
export function knownContexts(kubeconfig: Kubeconfig): string {
  return [...kubeconfig.contexts.keys()].join(", ");
}

/**
 * Everything that a context leads to.
 *
 * @param kubeconfig the merged files.
 * @param context the context.
 * @param namespace the namespace that was decided on.
 * @param env for the proxy variables.
 * @throws {KlatchError} `config`: something that it names is missing, unreadable, malformed or contradictory.
 */
export async function followContext(
  kubeconfig: Kubeconfig,
  context: Entry,
  namespace: string,
  env: Env,
): Promise<ClusterConfig> {
  const cluster = referred(kubeconfig.clusters, context, "cluster");
  if (cluster === undefined) {
    throw new KlatchError("config", `${context.fields.where}: it names no cluster`);
  }
  const user = referred(kubeconfig.users, context, "user");
  const server = serverUrl(cluster);
  const caPem = await pem(cluster, "certificate-authority");
  if (caPem !== undefined) checkAuthorities(caPem, `${cluster.fields.where}: certificate-authority`);
  const insecureSkipTlsVerify = cluster.fields.flag("insecure-skip-tls-verify");
  if (insecureSkipTlsVerify && caPem !== undefined) {
    throw new KlatchError(
      "config",
      `${cluster.fields.where}: certificate-authority and insecure-skip-tls-verify contradict each other`,
      { hint: "remove one of them" },
    );
  }
  const tlsServerName = cluster.fields.text("tls-server-name");
  const proxyText = cluster.fields.text("proxy-url");
  const proxyUrl = proxyText === undefined
    ? proxyFromEnv(server, env)
    : parseProxyUrl(proxyText, `${cluster.fields.where}: proxy-url`);
  // As kubectl: nothing secret goes over a plain connection.
  const secure = server.startsWith("https:");
  const clientCert = secure ? await clientCertificate(user) : undefined;
  return {
    server,
    namespace,
    source: `context "${context.name}" of ${context.file}`,
    context: context.name,
    cluster: cluster.name,
    ...(user === undefined ? {} : { user: user.name }),
    ...(caPem === undefined ? {} : { caPem }),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...(insecureSkipTlsVerify ? { insecureSkipTlsVerify } : {}),
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
    ...(clientCert === undefined ? {} : { clientCert }),
    credentials: secure && user !== undefined
      ? await credentialsOf(user, cluster, caPem, clientCert)
      : { kind: "none" },
    impersonation: user === undefined ? [] : impersonationOf(user.fields),
  };
}

function referred(entries: ReadonlyMap<string, Entry>, context: Entry, kind: string): Entry | undefined {
  const name = context.fields.text(kind);
  if (name === undefined) return undefined;
  const entry = entries.get(name);
  if (entry !== undefined) return entry;
  const known = [...entries.keys()].join(", ");
  throw new KlatchError("config", `${context.fields.where}: its ${kind} "${name}" does not exist`, {
    hint: known === "" ? `no ${kind} is known` : `known ${kind}s: ${known}`,
  });
}

function serverUrl(cluster: Entry): string {
  const text = cluster.fields.text("server");
  if (text === undefined) throw new KlatchError("config", `${cluster.fields.where}: it has no server`);
  const url = URL.parse(text);
  // A URL of these two kinds always has a host.
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new KlatchError("config", `${cluster.fields.where}: server "${text}" is not a URL`, {
      hint: "write https://HOST:PORT",
    });
  }
  if (url.username !== "" || url.password !== "") {
    throw new KlatchError("config", `${cluster.fields.where}: server must not hold a password`, {
      hint: "put username and password into the user",
    });
  }
  return url.origin + url.pathname.replace(/\/+$/, "");
}

/** The text of a certificate or key that is given as a file or, with `-data`, as base64; the data wins. */
async function pem(entry: Entry, field: string): Promise<string | undefined> {
  const data = entry.fields.text(`${field}-data`);
  if (data !== undefined) {
    try {
      return new TextDecoder().decode(fromBase64(data));
    } catch (cause) {
      throw new KlatchError("config", `${entry.fields.where}: ${field}-data is not base64`, { cause });
    }
  }
  const file = entry.fields.text(field);
  if (file === undefined) return undefined;
  return await readReferred(entry, field, beside(entry.file, file));
}

async function readReferred(entry: Entry, field: string, path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound ? "there is no such file" : String(cause);
    throw new KlatchError("config", `${entry.fields.where}: ${field} ${path} cannot be read: ${why}`, {
      cause,
    });
  }
}

/** A path that a kubeconfig names is relative to the folder of that kubeconfig. */
function beside(kubeconfig: string, path: string): string {
  if (path.startsWith("/")) return path;
  const file = kubeconfig.startsWith("/") ? kubeconfig : `${Deno.cwd()}/${kubeconfig}`;
  return `${file.slice(0, file.lastIndexOf("/"))}/${path}`;
}

async function clientCertificate(user: Entry | undefined): Promise<KeyPair | undefined> {
  if (user === undefined) return undefined;
  const certPem = await pem(user, "client-certificate");
  if (certPem === undefined) return undefined;
  const keyPem = await pem(user, "client-key");
  if (keyPem === undefined) {
    throw new KlatchError("config", `${user.fields.where}: it has a client certificate and no key`, {
      hint: "add client-key or client-key-data",
    });
  }
  return await checkKeyPair({ certPem, keyPem }, user.fields.where);
}

/** What is given in the kubeconfig itself goes before a plugin, as in client-go. */
async function credentialsOf(
  user: Entry,
  cluster: Entry,
  caPem: string | undefined,
  clientCert: KeyPair | undefined,
): Promise<Credentials> {
  const { fields } = user;
  if (fields.has("auth-provider")) {
    const name = fields.record("auth-provider").text("name") ?? "";
    throw new KlatchError(
      "config",
      `${fields.where}: auth-provider "${name}" was removed from Kubernetes in 1.26`,
      {
        hint: "let the provider's own tool write the kubeconfig again, with an exec plugin",
      },
    );
  }
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
  if (tokenFile !== undefined) {
    const path = beside(user.file, tokenFile);
    if (token === undefined) await readReferred(user, "tokenFile", path);
    return { kind: "tokenFile", path, ...(token === undefined ? {} : { fallback: token }) };
  }
  if (token !== undefined) return { kind: "token", token };
  if (basic) return { kind: "basic", username, password };
  if (!fields.has("exec") || clientCert !== undefined) return { kind: "none" };
  const { execPlugin } = await import("./exec_config.ts");
  return { kind: "exec", plugin: execPlugin(user, cluster, caPem, (path) => beside(user.file, path)) };
}

/** https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/ */
function impersonationOf(fields: Fields): [string, string][] {
  const name = fields.text("as");
  const uid = fields.text("as-uid");
  const groups = fields.texts("as-groups");
  const extra = fields.record("as-user-extra");
  if (name === undefined) {
    if (uid === undefined && groups.length === 0 && !fields.has("as-user-extra")) return [];
    throw new KlatchError("config", `${fields.where}: as-uid, as-groups and as-user-extra need as`);
  }
  const headers: [string, string][] = [["Impersonate-User", name]];
  if (uid !== undefined) headers.push(["Impersonate-Uid", uid]);
  for (const group of groups) headers.push(["Impersonate-Group", group]);
  for (const key of Object.keys(extra.values)) {
    const header = `Impersonate-Extra-${encodeURIComponent(key)}`;
    for (const value of extra.texts(key)) headers.push([header, value]);
  }
  return headers;
}
