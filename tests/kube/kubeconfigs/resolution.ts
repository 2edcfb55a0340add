/**
 * One kubeconfig, resolved by klatch, by `@kubernetes/client-node` and by client-go, each brought to the same form.
 *
 * @module
 */

import { KubeConfig } from "@kubernetes/client-node";
import { loadClusterConfig } from "../../../lib/kube/config/mod.ts";
import { authenticator } from "../../../lib/kube/config/tokens.ts";

/** What a kubeconfig comes to; a field that is not there is not sent or not used. */
export interface Resolution {
  readonly server: string;
  readonly namespace: string;
  readonly ca?: string;
  readonly insecure?: true;
  readonly tlsServerName?: string;
  readonly proxy?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The header `Authorization`. */
  readonly authorization?: string;
  readonly exec?: { readonly command: string; readonly args: readonly string[] };
  /** `Impersonate-…` headers, names in lower case. */
  readonly impersonate?: Readonly<Record<string, readonly string[]>>;
}

/** A resolution, or that there is none. */
export type Outcome = Resolution | { readonly refused: string };

/** As klatch resolves it. */
export async function byKlatch(kubeconfig: string): Promise<Outcome> {
  try {
    const config = await loadClusterConfig({ kubeconfig, env: () => undefined });
    const { credentials } = config;
    const auth = credentials.kind === "exec" ? undefined : await authenticator(credentials);
    const plugin = credentials.kind === "exec" ? credentials.plugin : undefined;
    return resolution({
      server: config.server,
      namespace: config.namespace,
      ca: config.caPem,
      insecure: config.insecureSkipTlsVerify,
      tlsServerName: config.tlsServerName,
      proxy: config.proxyUrl,
      cert: config.clientCert?.certPem,
      key: config.clientCert?.keyPem,
      authorization: (await auth?.current())?.authorization,
      exec: plugin === undefined ? undefined : { command: plugin.command, args: plugin.args },
      impersonate: byName(config.impersonation.map(([name, value]) => [name, fromBytes(value)])),
    });
  } catch (error) {
    return refused(error);
  }
}

/** What of the instance's private parts is looked at, so that no agent is made. */
interface Options {
  headers?: Record<string, string>;
  ca?: Uint8Array;
  cert?: Uint8Array;
  key?: Uint8Array;
}

/** As `@kubernetes/client-node` resolves it. A plugin is not run. */
export async function byClientNode(kubeconfig: string): Promise<Outcome> {
  try {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    const cluster = config.getCurrentCluster();
    const user = config.getCurrentUser();
    if (cluster === null) throw new Error("there is no active cluster");
    const options: Options = {};
    const exec = user?.exec;
    const inner = config as unknown as { applyOptions(options: Options): Promise<void> };
    if (!exec) await inner.applyOptions(options);
    const text = (bytes: Uint8Array | undefined) =>
      bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    const basic = user?.username ? `Basic ${btoa(`${user.username}:${user.password}`)}` : undefined;
    return resolution({
      server: cluster.server,
      namespace: config.getContextObject(config.currentContext)?.namespace ?? "default",
      ca: text(options.ca),
      insecure: cluster.skipTLSVerify,
      tlsServerName: cluster.tlsServerName,
      proxy: cluster.proxyUrl,
      cert: text(options.cert),
      key: text(options.key),
      authorization: options.headers?.["Authorization"] ?? basic,
      exec: exec ? { command: exec.command, args: exec.args ?? [] } : undefined,
      impersonate: user?.impersonateUser ? { "impersonate-user": [user.impersonateUser] } : {},
    });
  } catch (error) {
    return refused(error);
  }
}

/** Resolves kubeconfigs as client-go does, with a program that is built from bench/client_go/kubeconfig. */
export async function byClientGo(program: string, kubeconfigs: readonly string[]): Promise<Outcome[]> {
  const child = new Deno.Command(program, { stdin: "piped", stdout: "piped" }).spawn();
  const requests = kubeconfigs.map((kubeconfig) => JSON.stringify({ kubeconfig }) + "\n").join("");
  const [{ stdout, success }] = await Promise.all([
    child.output(),
    new Response(requests).body?.pipeTo(child.stdin),
  ]);
  if (!success) throw new Error(`${program} failed`);
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return await Promise.all(lines.map(async (line) => {
    const answer = JSON.parse(line);
    // A token file that can be read goes before a token that is written down.
    const token = answer.tokenFile && await Deno.readTextFile(answer.tokenFile).catch(() => undefined);
    return fromGo({ ...answer, ...(token && { token }) });
  }));
}

// deno-lint-ignore no-explicit-any -- the JSON of a program of the tests' own
function fromGo(answer: any): Outcome {
  if (answer.error) return { refused: answer.error };
  const { username, password, token, authProvider, exec } = answer;
  const idToken = authProvider?.["id-token"];
  const authorization = token
    ? `Bearer ${token.trim()}`
    : username || password
    ? `Basic ${new TextEncoder().encode(`${username ?? ""}:${password ?? ""}`).toBase64()}`
    : idToken && `Bearer ${idToken}`;
  // client-go runs no plugin for those who have something else.
  const plugin = authorization || answer.cert ? undefined : exec;
  return resolution({
    server: answer.server,
    namespace: answer.namespace,
    ca: answer.ca,
    insecure: answer.insecure,
    tlsServerName: answer.tlsServerName,
    proxy: answer.proxy,
    cert: answer.cert,
    key: answer.key,
    authorization,
    exec: plugin && { command: plugin.command, args: plugin.args ?? [] },
    impersonate: byName(
      Object.entries(answer.impersonate ?? {}).flatMap(([name, values]) =>
        (values as string[]).map((value): [string, string] => [name, value])
      ),
    ),
  });
}

/** Leaves out what is empty, and writes URLs in one way. */
function resolution(parts: Record<string, unknown>): Resolution {
  const kept = Object.entries(parts).filter(([, value]) =>
    value !== undefined && value !== null && value !== "" && value !== false &&
    !(typeof value === "object" && Object.keys(value).length === 0)
  );
  const found = Object.fromEntries(kept);
  for (const field of ["server", "proxy"]) {
    const url = found[field];
    if (typeof url === "string" && URL.canParse(url)) found[field] = new URL(url).href.replace(/\/+$/, "");
  }
  return found as unknown as Resolution;
}

function byName(headers: readonly (readonly [string, string])[]): Record<string, string[]> {
  const names: Record<string, string[]> = {};
  for (const [name, value] of headers) (names[name.toLowerCase()] ??= []).push(value);
  return names;
}

/** The text whose UTF-8 a header's characters stand for. */
function fromBytes(value: string): string {
  return new TextDecoder().decode(Uint8Array.from(value, (byte) => byte.charCodeAt(0)));
}

function refused(error: unknown): Outcome {
  return { refused: error instanceof Error ? error.message : String(error) };
}
