/**
 * Which process a keeper follows: when it ends, the keeper releases the lock.
 *
 * @module
 */

import type { ProcessEntry } from "../process/layer.ts";

/** Looks a process up; `undefined` if it does not run (any more). */
export type Lookup = (pid: number) => ProcessEntry | undefined;

/** A process to follow, by pid and start time; or nothing, and why. */
export type Followed =
  | { readonly pid: number; readonly startTime: number; readonly name: string }
  | { readonly pid: undefined; readonly why: string };

/** The names of processes that run the jobs of a CI system and live as long as one job. */
export const CI_WORKERS: readonly string[] = [
  // GitHub Actions: https://github.com/actions/runner (the name has 13 characters)
  "Runner.Worker",
  // https://github.com/nektos/act
  "act",
  // Gitea and Forgejo
  "act_runner",
  "forgejo-runner",
];

/** More ancestors than any process has; a table that changes while it is read must not lead around for ever. */
const MOST_ANCESTORS = 100;

/** What the choice depends on. */
export interface FollowRequest {
  /** The process of `klatch acquire`. */
  readonly self: number;
  /** The process that was asked for. */
  readonly given?: number | undefined;
  /** Whether the environment is a CI job's, in which each step is a shell of its own. */
  readonly isJob: boolean;
}

/**
 * Chooses the process to follow: the one that was asked for, else the nearest ancestor that is a CI worker, else the calling
 * shell. In a job whose worker cannot be seen (a container) the calling shell ends with the step; there it is the leader of
 * the session, unless that too came with the step.
 *
 * @param lookup finds processes.
 * @param request who asks, and where.
 * @returns the process; nothing, with the reason, if none lives longer than the step.
 * @throws RangeError if the process that was asked for does not run.
 *
 * @example
 * ```ts
 * import { chooseFollowed } from "./follow.ts";
 *
 * const table = [
 *   { pid: 10, ppid: 1, session: 10, startTime: 1, name: "Runner.Worker" },
 *   { pid: 20, ppid: 10, session: 10, startTime: 2, name: "bash" },
 *   { pid: 30, ppid: 20, session: 10, startTime: 3, name: "klatch" },
 * ];
 * const lookup = (pid: number) => table.find((each) => each.pid === pid);
 * if (chooseFollowed(lookup, { self: 30, isJob: true }).pid !== 10) throw new Error();
 * if (chooseFollowed(lookup, { self: 30, isJob: true, given: 20 }).pid !== 20) throw new Error();
 * ```
 */
export function chooseFollowed(lookup: Lookup, { self, given, isJob }: FollowRequest): Followed {
  if (given !== undefined) {
    const found = lookup(given);
    if (found === undefined) throw new RangeError(`there is no process ${given}`);
    return entry(found);
  }
  const ancestors = ancestorsOf(lookup, self);
  const worker = ancestors.find(({ name }) => CI_WORKERS.includes(name));
  if (worker !== undefined) return entry(worker);
  const [shell] = ancestors;
  if (!isJob) {
    return shell === undefined ? { pid: undefined, why: "its caller cannot be seen" } : entry(shell);
  }
  const leader = shell === undefined ? undefined : lookup(shell.session);
  // A process without a parent that is not the first one was put into a container from outside, as each step is.
  const cameWithStep = leader === undefined || (leader.ppid === 0 && leader.pid !== 1);
  if (cameWithStep) return { pid: undefined, why: "the job's worker cannot be seen from this container" };
  return entry(leader);
}

/** A process's ancestors, nearest first. */
export function ancestorsOf(lookup: Lookup, pid: number): ProcessEntry[] {
  const found: ProcessEntry[] = [];
  let next = lookup(pid)?.ppid ?? 0;
  while (next > 0 && found.length < MOST_ANCESTORS) {
    const parent = lookup(next);
    if (parent === undefined) break;
    found.push(parent);
    next = parent.ppid;
  }
  return found;
}

/** A process and everything that descends from it, in the order of a table. */
export function descendantsOf(pid: number, table: readonly ProcessEntry[]): ProcessEntry[] {
  const inside = new Set([pid]);
  for (let before = 0; before < inside.size;) {
    before = inside.size;
    for (const each of table) if (inside.has(each.ppid)) inside.add(each.pid);
  }
  inside.delete(pid);
  return table.filter((each) => inside.has(each.pid));
}

function entry({ pid, startTime, name }: ProcessEntry): Followed {
  return { pid, startTime, name };
}
