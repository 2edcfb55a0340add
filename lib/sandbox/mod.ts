/**
 * The sandbox: a Kubernetes API in memory, over plain HTTP on the loopback interface, for trying klatch and for
 * tests. It keeps Leases, Secrets, ConfigMaps, Endpoints, Events and Namespaces, and behaves as a real API server does
 * in what locks rest on: conditional writes, one growing resourceVersion, watches, expiry of old versions, and
 * the shape of every refusal. kubectl works on it.
 *
 * Not for production: it is unauthenticated, anyone on the machine may do everything, and all is forgotten when
 * it stops. It listens on 127.0.0.1 only and refuses requests that web pages of other hosts could make.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import { handler } from "./http.ts";
import { kubeconfigText } from "./kubeconfig.ts";
import { Store } from "./store.ts";

export { Store } from "./store.ts";
export type { StoreOptions, WriteOptions, Written } from "./options.ts";
export type { Query } from "./objects.ts";
export type { Listener, StoreEvent } from "./history.ts";
export { ApiError } from "./status.ts";
export type { Status } from "./status.ts";
export { CONFIG_MAPS, ENDPOINTS, LEASES, NAMESPACES, type ResourceType, SECRETS } from "./resources.ts";

/** How to start a sandbox. */
export interface SandboxOptions {
  /** The TCP port, 0–65535; 0 (the default) takes a free one. */
  readonly port?: number;
  /** How often a watch that allows bookmarks gets one, in milliseconds; 60 000 unless told, 0 for never. */
  readonly bookmarkIntervalMs?: number;
  /** How many changes a watch can catch up on, at least 0; 1000 unless told. */
  readonly historyLength?: number;
}

/** A running sandbox. */
export interface Sandbox {
  /** Where it listens, e.g. `http://127.0.0.1:34567`. */
  readonly url: string;
  /** Its objects; what is done here shows over HTTP at once, and the other way round. */
  readonly store: Store;
  /** The text of a kubeconfig for it: context `sandbox`, namespace `default`. */
  kubeconfig(): string;
  /** Ends open watches, stops listening, and resolves when the port is free. */
  stop(): Promise<void>;
}

/**
 * Starts a sandbox on 127.0.0.1.
 *
 * @param options port, bookmarks, history.
 * @returns the running sandbox; stop it, or the process goes on.
 * @throws {KlatchError} `usage` where the port is no port number or is taken.
 *
 * @example
 * ```ts
 * import { startSandbox } from "./mod.ts";
 *
 * const sandbox = await startSandbox();
 * const response = await fetch(`${sandbox.url}/api/v1/namespaces/default`);
 * const { status } = await response.json();
 * if (status.phase !== "Active") throw new Error();
 * await sandbox.stop();
 * ```
 */
export function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  return Promise.resolve().then(() => start(options));
}

function start(options: SandboxOptions): Sandbox {
  const { port = 0, bookmarkIntervalMs = 60_000, historyLength = 1000 } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    const hint = "give a number from 0 to 65535, 0 for a free one";
    throw new KlatchError("usage", `sandbox: ${port} is not a port number`, { hint });
  }
  const store = new Store({ now: Date.now, random: Math.random, historyLength });
  const ending = new AbortController();
  const answer = handler({ store, now: Date.now, bookmarkIntervalMs, ending: ending.signal });
  const open = new Set<Promise<void>>();
  const closing = new AbortController();
  const server = listen(port, closing.signal, (request, { completed }) => {
    const done = completed.catch(() => {}).finally(() => open.delete(done));
    open.add(done);
    return answer(request);
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  return {
    url,
    store,
    kubeconfig: () => kubeconfigText(url),
    stop: async () => {
      ending.abort();
      await within(GRACE_MS, Promise.all(open));
      closing.abort();
      await server.finished;
    },
  };
}

/** How long clients that do not read or send have until they are cut off. */
const GRACE_MS = 500;

async function within(ms: number, done: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([done, new Promise((resolve) => timer = setTimeout(resolve, ms))]);
  clearTimeout(timer);
}

function listen(port: number, signal: AbortSignal, answer: Deno.ServeHandler<Deno.NetAddr>) {
  try {
    return Deno.serve({ hostname: "127.0.0.1", port, signal, onListen: () => {} }, answer);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse || error instanceof Deno.errors.PermissionDenied)) {
      throw error;
    }
    const why = error instanceof Deno.errors.AddrInUse ? "it is in use" : "it is not allowed";
    throw new KlatchError("usage", `sandbox: cannot listen on 127.0.0.1:${port}: ${why}`, {
      cause: error,
      hint: "choose another port, or leave it out for a free one",
    });
  }
}
