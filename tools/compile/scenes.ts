/**
 * What the program does while it is recorded: everything that a run of a command may have to do quickly. What is not
 * seen here is compiled when it is needed.
 *
 * @module
 */
import { firstLine } from "./first_line.ts";

/** The recording program, and where scenes are played. */
export interface Stage {
  readonly recorder: string;
  /** The file in which it keeps what V8 has compiled. */
  readonly record: string;
  /** A directory that is empty. */
  readonly dir: string;
}

type Env = Readonly<Record<string, string>>;

/**
 * Plays the scenes one after the other. The sandbox has no TLS, so runs with a pod's credentials and with a client
 * certificate get no further than the connection. Without openssl(1) there is no certificate, and no such scene.
 *
 * @throws {Error} one of them does not end as it should.
 */
export async function playScenes(stage: Stage): Promise<void> {
  const sandbox = new Deno.Command(stage.recorder, { args: ["sandbox"], stdout: "piped" }).spawn();
  try {
    const url = /http:[^\s]+\d/.exec(await firstLine(sandbox.stdout, /http:/))?.[0] ?? "";
    await inPod(stage, new URL(url));
    for (const certified of await selfSigned(stage.dir)) await withCertificate(stage, url, certified);
    await waiting(stage, url);
  } finally {
    sandbox.kill("SIGTERM");
    await sandbox.status;
  }
}

async function inPod(stage: Stage, { hostname, port }: URL): Promise<void> {
  await Deno.writeTextFile(`${stage.dir}/token`, "token");
  await Deno.writeTextFile(`${stage.dir}/namespace`, "x");
  const env = {
    KLATCH_SERVICE_ACCOUNT_DIR: stage.dir,
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
  };
  await expectStatus("a run in a pod", record(stage, ["--wait", "0", "--", "true"], env), 125);
}

async function withCertificate(stage: Stage, url: string, { user, cluster }: Certified): Promise<void> {
  const env = await kubeconfig(stage, url.replace("http:", "https:"), user, cluster);
  await expectStatus("a run with a certificate", record(stage, ["--wait", "0", "--", "true"], env), 125);
}

/** A run waits for another, and then acquires the lock. */
async function waiting(stage: Stage, url: string): Promise<void> {
  const env = await kubeconfig(stage, url, "token: x");
  const holder = begin(stage, ["--", "sh", "-c", "echo started; exec cat"], env);
  await firstLine(holder.stdout, /started/);
  const before = await versionOf(url);
  const next = record(stage, ["--", "true"], env);
  await firstLine(next.stderr, /waiting/);
  // It has joined the queue: writes of both at the same time would be a conflict in one recording and none in another.
  while (await versionOf(url) === before) await new Promise((resolve) => setTimeout(resolve, 10));
  await holder.stdin.close();
  await expectStatus("a run that waited", next, 0);
  await expectStatus("the run before it", holder, 0);
}

/** The version of the lock's object. */
async function versionOf(url: string): Promise<string> {
  const response = await fetch(`${url}/apis/coordination.k8s.io/v1/namespaces/default/leases/x`);
  return (await response.json()).metadata.resourceVersion;
}

async function kubeconfig({ dir }: Stage, server: string, user: string, cluster = ""): Promise<Env> {
  const file = `${dir}/kubeconfig`;
  const context = "context: {cluster: x, user: x, namespace: default}";
  await Deno.writeTextFile(
    file,
    `apiVersion: v1
kind: Config
current-context: x
contexts:
- name: x
  ${context}
clusters:
- name: x
  cluster:
    server: "${server}"
    ${cluster}
users:
- name: x
  user:
    ${user}
`,
  );
  return { KUBECONFIG: file };
}

/** A certificate in a kubeconfig: lines of its user and of its cluster. */
interface Certified {
  readonly user: string;
  readonly cluster: string;
}

/** A certificate that signs itself, in files and in the kubeconfig itself; none without openssl(1). */
async function selfSigned(dir: string): Promise<Certified[]> {
  const [key, cert] = [`${dir}/key.pem`, `${dir}/cert.pem`];
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  try {
    const { success } = await new Deno.Command("openssl", {
      args: [...args, "-subj", "/CN=x", "-days", "2", "-keyout", key, "-out", cert],
      stdout: "null",
      stderr: "null",
    }).output();
    if (success) {
      const [certData, keyData] = [base64Of(cert), base64Of(key)];
      return [
        {
          user: `client-certificate: ${cert}\n    client-key: ${key}`,
          cluster: `certificate-authority: ${cert}`,
        },
        {
          user: `client-certificate-data: ${certData}\n    client-key-data: ${keyData}`,
          cluster: `certificate-authority-data: ${certData}`,
        },
      ];
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  console.error("recording without a client certificate, since openssl could not make one");
  return [];
}

function base64Of(file: string): string {
  return Deno.readFileSync(file).toBase64();
}

function begin({ recorder }: Stage, args: readonly string[], env: Env): Deno.ChildProcess {
  const options = { clearEnv: true, stdin: "piped", stdout: "piped", stderr: "piped" } as const;
  return new Deno.Command(recorder, {
    ...options,
    args: ["run", "x", ...args],
    env: { PATH: Deno.env.get("PATH") ?? "", ...env },
  }).spawn();
}

function record(stage: Stage, args: readonly string[], env: Env): Deno.ChildProcess {
  return begin(stage, args, { ...env, RECORD_TO: stage.record });
}

async function expectStatus(what: string, running: Deno.ChildProcess, expected: number): Promise<void> {
  const { code } = await running.status;
  if (code !== expected) throw new Error(`${what} ended with exit status ${code}, not ${expected}`);
}
