/**
 * The containers of an example's manifest, run as it says: with klatch at /klatch, and with the rights of the manifest's
 * service account. What a kubelet does is done by runc.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Container } from "../image/container.ts";
import type { RunningKlatch } from "../support/binary.ts";
import type { ControlPlane } from "../support/control_plane.ts";

const EXAMPLES = new URL("../../docs/examples", import.meta.url).pathname;
const TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount";

/** A container in a manifest, as far as it matters here. */
interface Described {
  readonly name: string;
  readonly command: readonly string[];
  readonly securityContext: unknown;
  readonly resources?: { readonly limits: { readonly memory: string } };
}

/** A pod in a manifest. */
export interface PodSpec {
  readonly serviceAccountName: string;
  readonly initContainers?: readonly Described[];
  readonly containers: readonly Described[];
}

/** The program of every example: says that it runs, and ends when somebody writes into /data/go. */
const PROGRAM = `#!/bin/sh
echo "enter $KLATCH_LOCK $KLATCH_TOKEN" >> /data/log
cat /data/go
echo leave >> /data/log
`;

/** Where an example runs. */
export interface Ground {
  readonly plane: ControlPlane;
  readonly namespace: string;
  /** A folder for files, which everybody may enter. */
  readonly dir: string;
  /** What is at /klatch. */
  readonly folder: string;
}

/** What several pods of an example share: a program, and a directory for it to write to. */
export interface Workload {
  /** Starts one pod's container. */
  start(): Promise<{ container: Container; running: RunningKlatch }>;
  /** The lines that the programs have written. */
  log(): string[];
  /** Lets the program that runs go on. */
  go(): Promise<void>;
  /** Ends the containers. */
  remove(): Promise<void>;
}

/** Runs kubectl in the namespace, and returns what it prints. */
export async function kubectl({ plane, namespace }: Ground, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await plane.kubectl([...args, "--namespace", namespace]);
  assertEquals(code, 0, stderr);
  return stdout;
}

/** Applies an example, and returns the spec of its pods as the API server has it. */
export async function applyExample(
  ground: Ground,
  example: string,
  object: string,
  path: readonly string[],
): Promise<PodSpec> {
  await kubectl(ground, "apply", "--kustomize", `${EXAMPLES}/${example}`);
  const applied = JSON.parse(await kubectl(ground, "get", object, "--output", "json"));
  return path.reduce((value, key) => value[key], applied);
}

/** Prepares what the pods of one container in a manifest need. */
export async function workload(
  { plane, namespace, dir, folder }: Ground,
  pod: PodSpec,
  described: Described | undefined,
): Promise<Workload> {
  if (described === undefined) throw new Error("the manifest has no such container");
  assertEquals(described.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  }, "the containers of the test are as restricted as that");
  assertEquals(described.resources?.limits.memory, "128Mi");
  const data = `${dir}/${described.name}`;
  await Deno.mkdir(data);
  await Deno.chmod(data, 0o777);
  await new Deno.Command("mkfifo", { args: ["--mode=666", `${data}/go`] }).output();
  const program = `${dir}/${described.name}.sh`;
  await Deno.writeTextFile(program, PROGRAM, { mode: 0o755 });
  const token = await plane.serviceAccountDir(namespace, pod.serviceAccountName);
  const credentials = `${dir}/${described.name}-credentials`;
  await new Deno.Command("cp", { args: ["-R", token, credentials] }).output();
  await new Deno.Command("chmod", { args: ["-R", "a+rX", credentials] }).output();
  const containers: Container[] = [];
  const path = described.command.at(-1) ?? "";

  return {
    async start() {
      const container = await Container.prepare({
        command: described.command,
        env: plane.inClusterEnv,
        mounts: {
          "/klatch": folder,
          ...(path.startsWith("/") && { [path]: program }),
          [TOKENS]: credentials,
        },
        data,
      });
      containers.push(container);
      return { container, running: container.run() };
    },
    log: () => read(`${data}/log`).trim().split("\n"),
    go: () => Deno.writeTextFile(`${data}/go`, ""),
    remove: async () => {
      for (const each of containers) await each.remove();
    },
  };
}

/** How many programs have begun. */
export function entered(log: readonly string[]): number {
  return log.filter((line) => line.startsWith("enter")).length;
}

function read(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
