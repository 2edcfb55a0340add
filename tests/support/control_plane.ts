/**
 * A real control plane for tests: etcd and kube-apiserver from `KUBEBUILDER_ASSETS`, on loopback, in a temporary
 * directory, with RBAC. Both processes end with the process that started them, even if it is killed. There are no
 * controllers: nothing makes service accounts, and a deleted namespace stays `Terminating`.
 *
 * @module
 */

import { haveOpenssl } from "./certificates.ts";
import { ControlPlaneAccess, type ControlPlaneDescription } from "./control_plane_access.ts";
import {
  freePort,
  startApiServer,
  startEtcd,
  writeAdminKubeconfig,
  writeServerFiles,
} from "./control_plane_servers.ts";
import type { WatchedProcess } from "./watched_process.ts";

export type { AuditedRequest } from "./audit_log.ts";
export type { ControlPlaneDescription } from "./control_plane_access.ts";
export type { Rule, Subject } from "./rights.ts";

/** Names the file that describes a control plane shared by a whole test run; see with_control_plane.ts. */
export const SHARED_VARIABLE = "KLATCH_TEST_CONTROL_PLANE";

/** Which of the two processes. */
export type Part = "etcd" | "apiserver";

/** A running control plane. What it offers to clients is in {@link ControlPlaneAccess}. */
export interface ControlPlane extends ControlPlaneAccess {
  readonly pids: { readonly etcd: number; readonly apiserver: number };
  readonly etcdPid: number;
  /** Whether others use it too. Then it cannot be frozen or restarted, and `stop` only lets go of it. */
  readonly shared: boolean;
  /** SIGSTOP: connections stay up and nothing answers. */
  freeze(part: Part): void;
  /** SIGCONT. */
  thaw(part: Part): void;
  /** SIGKILL to the API server; connections to it are refused from now on. */
  stopApiServer(): Promise<void>;
  /** Starts the API server again on the same port; resolves when it is ready. */
  restartApiServer(): Promise<void>;
  /** What another process needs to use this control plane. */
  describe(): ControlPlaneDescription;
  /** Ends both processes and removes the directory. May be called twice. */
  stop(): Promise<void>;
}

/**
 * The directory with etcd, kube-apiserver and kubectl.
 *
 * @returns what `KUBEBUILDER_ASSETS` says; undefined where that is not set or openssl is missing (then it says so), and
 * the tests that need a real control plane are to be skipped.
 * @throws {Error} where the variable is set and a binary is not there: then somebody wants these tests to run.
 */
export function controlPlaneAssets(): string | undefined {
  const dir = Deno.env.get("KUBEBUILDER_ASSETS");
  if (!dir) return undefined;
  for (const name of ["etcd", "kube-apiserver", "kubectl"]) {
    try {
      Deno.statSync(`${dir}/${name}`);
    } catch (cause) {
      throw new Error(`KUBEBUILDER_ASSETS is ${dir}, where there is no ${name}`, { cause });
    }
  }
  if (haveOpenssl()) return dir;
  console.error(
    "KUBEBUILDER_ASSETS is set but openssl is missing: tests on a real control plane are skipped",
  );
  return undefined;
}

/**
 * Starts a control plane; two or three seconds and 310 MB of memory.
 *
 * @example
 * ```ts
 * import { controlPlaneAssets, startControlPlane } from "./control_plane.ts";
 *
 * if (controlPlaneAssets() !== undefined) {
 *   const plane = await startControlPlane();
 *   const namespace = await plane.freshNamespace();
 *   const seen = await plane.kubectl(["get", "namespace", namespace]);
 *   await plane.stop();
 *   if (seen.code !== 0) throw new Error(seen.stderr);
 * }
 * ```
 *
 * @throws {Error} with the end of the log of the process that did not start.
 */
export async function startControlPlane(): Promise<ControlPlane> {
  const assets = controlPlaneAssets();
  if (assets === undefined) throw new Error("no control plane: KUBEBUILDER_ASSETS is not set, or no openssl");
  const dir = await Deno.makeTempDir({ prefix: "klatch-control-plane-" });
  let etcd: WatchedProcess | undefined;
  try {
    const files = writeServerFiles(dir);
    // A rejection is met at the second await; etcd must be known by then, to be stopped.
    files.catch(() => {});
    etcd = await startEtcd(assets, dir);
    await files;
    const { server, port } = await startOnFreePort(assets, dir);
    const url = `https://127.0.0.1:${port}`;
    await writeAdminKubeconfig(dir, url);
    return new OwnControlPlane({ url, host: "127.0.0.1", port, dir, assets }, etcd, server);
  } catch (error) {
    await etcd?.stop();
    await Deno.remove(dir, { recursive: true });
    throw error;
  }
}

/**
 * The control plane of the test run, where there is one (see with_control_plane.ts), else a new one of one's own. Keep
 * apart from other tests by {@link ControlPlaneAccess.freshNamespace}, and call `stop` at the end in either case.
 */
export async function sharedControlPlane(): Promise<ControlPlane> {
  const file = Deno.env.get(SHARED_VARIABLE);
  if (!file) return await startControlPlane();
  return new AttachedControlPlane(JSON.parse(await Deno.readTextFile(file)));
}

class OwnControlPlane extends ControlPlaneAccess implements ControlPlane {
  readonly shared = false;
  readonly #place: Omit<ControlPlaneDescription, "pids">;
  readonly #etcd: WatchedProcess;
  #apiserver: WatchedProcess;
  #stopped: Promise<void> | undefined;

  constructor(place: Omit<ControlPlaneDescription, "pids">, etcd: WatchedProcess, apiserver: WatchedProcess) {
    super({ ...place, pids: { etcd: etcd.pid, apiserver: apiserver.pid } });
    this.#place = place;
    this.#etcd = etcd;
    this.#apiserver = apiserver;
  }

  get pids() {
    return { etcd: this.#etcd.pid, apiserver: this.#apiserver.pid };
  }
  get etcdPid() {
    return this.#etcd.pid;
  }
  freeze(part: Part) {
    Deno.kill(this.pids[part], "SIGSTOP");
  }
  thaw(part: Part) {
    Deno.kill(this.pids[part], "SIGCONT");
  }
  stopApiServer() {
    return this.#apiserver.stop();
  }
  async restartApiServer() {
    await this.#apiserver.stop();
    this.closeClients();
    this.#apiserver = await startApiServer(this.#place.assets, this.dir, this.#place.port);
  }
  describe() {
    return { ...this.#place, pids: this.pids };
  }
  stop() {
    return this.#stopped ??= this.#end();
  }
  async #end() {
    this.closeClients();
    await this.#apiserver.stop();
    await this.#etcd.stop();
    await Deno.remove(this.dir, { recursive: true });
  }
}

class AttachedControlPlane extends ControlPlaneAccess implements ControlPlane {
  readonly shared = true;
  readonly #description: ControlPlaneDescription;

  constructor(description: ControlPlaneDescription) {
    super(description);
    this.#description = description;
  }

  get pids() {
    return this.#description.pids;
  }
  get etcdPid() {
    return this.pids.etcd;
  }
  freeze(_part: Part): never {
    throw new Error("others use this control plane: a test that freezes or restarts one starts its own");
  }
  thaw(part: Part) {
    this.freeze(part);
  }
  stopApiServer() {
    return this.freeze("apiserver");
  }
  restartApiServer() {
    return this.freeze("apiserver");
  }
  describe() {
    return this.#description;
  }
  stop() {
    this.closeClients();
    return Promise.resolve();
  }
}

async function startOnFreePort(
  assets: string,
  dir: string,
): Promise<{ server: WatchedProcess; port: number }> {
  for (let attempt = 1;; attempt++) {
    const port = freePort();
    try {
      return { server: await startApiServer(assets, dir, port), port };
    } catch (error) {
      const taken = error instanceof Error && error.message.includes("address already in use");
      if (!taken || attempt === 3) throw error;
    }
  }
}
