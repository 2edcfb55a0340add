/**
 * What a program may ask for when it acquires a lock.
 *
 * @module
 */
import type { LockEvent } from "./events.ts";

/**
 * A loaded `KubeConfig` of `@kubernetes/client-node`, by the fields that are read of it: every instance of that class is
 * one, whatever its version.
 *
 * @see {@link https://kubernetes-client.github.io/javascript/classes/KubeConfig.html}
 */
export interface LoadedKubeConfig {
  /** The clusters, by `name`. */
  readonly clusters: readonly object[];
  /** The users, by `name`. */
  readonly users: readonly object[];
  /** The contexts, by `name`. */
  readonly contexts: readonly object[];
  /** The name of the context in use. */
  readonly currentContext: string;
}

/** Which cluster to use. Without any of it: as the command line, `KUBECONFIG`, `~/.kube/config` or the pod. */
export interface ClusterOptions {
  /**
   * The path of a kubeconfig file, or an instance of `KubeConfig` of `@kubernetes/client-node` after one of its `load…`
   * methods.
   * Default: the files of `KUBECONFIG`, else `~/.kube/config`, else the pod's service account.
   */
  readonly kubeconfig?: string | LoadedKubeConfig;
  /** The context in the kubeconfig. Default: its current context. */
  readonly context?: string;
  /** The namespace of the lock. Default: the context's, else the pod's, else `default`. */
  readonly namespace?: string;
}

/** How the lock is kept. All who contend for one lock must agree on it. */
export interface StrategyChoiceOptions {
  /**
   * `lease` (default), `ticket`, `semaphore` or `endpoints`; or several of them, in the order in which every client has to
   * name them, to hold the lock by each at once during a change-over.
   */
  readonly strategy?: string | readonly string[];
  /** The object's name, if it is not the lock's. */
  readonly object?: string;
  /** `semaphore`: how many may hold at once, 1 to 10,000. Default: what the record says, else 1. */
  readonly slots?: number;
  /** `semaphore`: change the recorded slot count to {@link StrategyChoiceOptions.slots}. */
  readonly setSlots?: boolean;
  /** `semaphore`: hold together with others that share, or exclusively. */
  readonly mode?: "shared" | "exclusive";
  /** `ticket`: contend with this number instead of the next free one. */
  readonly ticket?: {
    /** A whole number from 0 to 999,999,999,999,998. */
    readonly number: number;
    /** A whole number from 1 up; of two with one number the lower attempt goes first. Default: 1. */
    readonly attempt?: number;
  };
  /** `ticket`: wait until `next_build` reaches the ticket (needed beside k8s-lock-action). */
  readonly strict?: boolean;
}

/** How long things may take, in milliseconds. */
export interface TimingOptions {
  /** Time after which an unrenewed lock may be taken over; at least 1,000. Default: 15,000. */
  readonly leaseDurationMs?: number;
  /** How long renewing may fail before the hold counts as lost; below the lease duration. Default: 10,000. */
  readonly renewDeadlineMs?: number;
  /** Pause between attempts; above 0 and below 1 / 1.2 of the renew deadline. Default: 2,000. */
  readonly retryPeriodMs?: number;
}

/** What {@link import("../../mod.ts").acquire} and {@link import("../../mod.ts").withLock} accept. */
export interface LockOptions extends ClusterOptions, StrategyChoiceOptions, TimingOptions {
  /** Maximum time to wait, in milliseconds; 0 means try once. It bounds everything before the hold. Default: no limit. */
  readonly waitMs?: number;
  /** The holder's name in the record; not empty. Default: the host's name and a nonce. */
  readonly identity?: string;
  /** Why the lock is held, shown to waiters. */
  readonly reason?: string;
  /** Labels to put on the object. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Delete the object after the release, if nobody holds it or waits for it and klatch made it. Default: false. */
  readonly cleanup?: boolean;
  /** Aborts the wait; its reason is what the promise rejects with. It does not end a hold. */
  readonly signal?: AbortSignal;
  /** Receives what happens, as it happens. What it throws is ignored. */
  readonly onEvent?: (event: LockEvent) => void;
}
