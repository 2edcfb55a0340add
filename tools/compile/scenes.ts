/**
 * What the program is seen doing while it is recorded: all that a run of a command may have to do quickly. What is
 * not seen is compiled when it is needed.
 *
 * @module
 */
import { CertificateAuthority, haveOpenssl, type KeyPair } from "../../tests/support/certificates.ts";
import { Collected } from "../../tests/support/collected_text.ts";
import { kubeconfigText } from "../../tests/support/kubeconfig_text.ts";

/** The recording program, and where scenes are played. */
export interface Stage {
  readonly recorder: string;
  /** The file in which it keeps what V8 has compiled. */
  readonly record: string;
  /** A folder that is empty. */
  readonly dir: string;
}

/**
 * Plays the scenes one after the other. The sandbox has no TLS, so runs with a pod's credentials and with a client
 * certificate get no further than there. Without openssl(1) there are no certificates.
 *
 * @throws {Error} one of them does not end as it should.
 */
export async function playScenes(stage: Stage): Promise<void> {
  const sandbox = new Deno.Command(stage.recorder, { args: ["sandbox"], stdout: "piped" }).spawn();
  try {
    const url = /http:\S+/.exec(await said(sandbox.stdout, /http:/))?.[0] ?? "";
    const authority = haveOpenssl() ? await CertificateAuthority.create(stage.dir) : undefined;
    await guard(stage);
    await inPod(stage, new URL(url));
    if (authority !== undefined) await withCertificate(stage, url, await authority.client({ user: "x" }));
    await waiting(stage, url);
  } finally {
    sandbox.kill("SIGTERM");
    await sandbox.status;
  }
}

/** A guard hears of a hold, and then of klatch's end. */
async function guard({ recorder, record }: Stage): Promise<void> {
  const order = { terminal: false, mark: { name: "X", value: "x" }, stopSignal: 15, killAfterMyEndMs: 0 };
  const running = new Deno.Command(recorder, {
    args: ["guard", "own"],
    env: { RECORD_TO: record },
    stdin: "piped",
    stdout: "null",
    // In a session of its own, and so in a group of its own, as a guard is.
    detached: true,
  }).spawn();
  const lines = `order ${JSON.stringify(order)}\ndeadline 1e15 2e15\n`;
  await new Response(lines).body?.pipeTo(running.stdin);
  await ends("a guard", running, 0);
}

async function inPod(stage: Stage, { hostname, port }: URL): Promise<void> {
  const { dir } = stage;
  await Deno.writeTextFile(`${dir}/token`, "token");
  await Deno.writeTextFile(`${dir}/namespace`, "x");
  const env = {
    KLATCH_SERVICE_ACCOUNT_DIR: dir,
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
  };
  await ends("a run in a pod", record(stage, ["--wait", "0", "--", "true"], env), 125);
}

async function withCertificate(stage: Stage, url: string, credentials: KeyPair): Promise<void> {
  const env = await kubeconfig(stage, url.replace("http:", "https:"), credentials);
  await ends("a run with a certificate", record(stage, ["--wait", "0", "--", "true"], env), 125);
}

/** A run waits for another, and then has its turn. */
async function waiting(stage: Stage, url: string): Promise<void> {
  const env = await kubeconfig(stage, url, { token: "x" });
  const holder = begin(stage, ["--", "cat"], env);
  await said(holder.stderr, /holding/);
  const next = record(stage, ["--", "true"], env);
  await said(next.stderr, /waiting/);
  await holder.stdin.close();
  await ends("a run that waited", next, 0);
  await ends("a run before it", holder, 0);
}

type Env = Readonly<Record<string, string>>;

async function kubeconfig(
  { dir }: Stage,
  url: string,
  credentials: KeyPair | { token: string },
): Promise<Env> {
  const file = `${dir}/kubeconfig`;
  await Deno.writeTextFile(file, kubeconfigText({ url, user: "x", namespace: "default", credentials }));
  return { KUBECONFIG: file };
}

function begin({ recorder }: Stage, args: readonly string[], env: Env): Deno.ChildProcess {
  const options = { clearEnv: true, stdin: "piped", stderr: "piped" } as const;
  return new Deno.Command(recorder, {
    ...options,
    args: ["run", "x", ...args],
    env: { PATH: Deno.env.get("PATH") ?? "", ...env },
  }).spawn();
}

function record(stage: Stage, args: readonly string[], env: Env): Deno.ChildProcess {
  return begin(stage, args, { ...env, RECORD_TO: stage.record });
}

async function ends(what: string, running: Deno.ChildProcess, expected: number): Promise<void> {
  const { code } = await running.status;
  if (code !== expected) throw new Error(`${what} has ended with ${code} and not with ${expected}`);
}

/** Waits for a line. */
async function said(from: ReadableStream<Uint8Array>, pattern: RegExp): Promise<string> {
  const line = await new Collected(from).line(pattern);
  if (line === undefined) throw new Error(`nobody has said ${pattern}`);
  return line;
}
