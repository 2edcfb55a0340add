/**
 * What `klatch check` and `klatch release` learn about holds of this machine's keepers.
 *
 * A hold counts only as long as its keeper runs and has renewed it in time: a keeper that was stopped or killed cannot say
 * that it lost the lock.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { KlatchError } from "../errors.ts";
import { ancestorsOf } from "./follow.ts";
import { processLayer } from "../process/layer.ts";
import { findStates, type FoundState, type KeeperState, readState, type StateQuery } from "./state.ts";

/** How a hold stands. */
export type Standing =
  /** There is no keeper of this lock, or its hold was released. */
  | { readonly kind: "none"; readonly why: string; readonly found?: FoundState }
  | { readonly kind: "held"; readonly found: FoundState }
  | { readonly kind: "lost"; readonly found: FoundState; readonly reason: string };

/**
 * How the hold of a lock stands.
 *
 * @param folder of the state files.
 * @param query which lock.
 * @param clock whose `boottime` the keepers share.
 * @throws KlatchError `usage` if there are holds in several namespaces or by several strategies.
 */
export async function standingOf(folder: string, query: StateQuery, clock: Clock): Promise<Standing> {
  const states = await findStates(folder, query);
  const found = choose(states, query);
  if (found === undefined) return { kind: "none", why: "no keeper on this machine holds it" };
  const { state } = found;
  switch (state.phase.kind) {
    case "released":
      return { kind: "none", found, why: `it was released: ${state.phase.reason}` };
    case "lost":
      return { kind: "lost", found, reason: state.phase.reason };
    case "held":
      if (!keeperRuns(state)) return { kind: "lost", found, reason: killed(state, clock) };
      if (clock.boottime() >= state.deadlineMs) return { kind: "lost", found, reason: late(state) };
      return { kind: "held", found };
  }
}

/** Of several holds of one lock: that of the caller's own job, else the latest one that is held, else the latest. */
function choose(states: readonly FoundState[], query: StateQuery): FoundState | undefined {
  const keys = new Set(states.map(({ state }) => `${state.namespace} ${state.strategy}`));
  if (keys.size > 1) {
    const list = states.map(({ state }) => `${state.namespace}/${state.name} (${state.strategy})`);
    throw new KlatchError("usage", `there are several locks "${query.name}" here: ${list.join(", ")}`, {
      hint: "say which one with --namespace and --strategy",
    });
  }
  const around = new Set(ancestorsOf(processLayer().lookUp, Deno.pid).map(({ pid }) => pid));
  const live = states.filter(({ state }) => state.phase.kind === "held" && keeperRuns(state));
  return live.find(({ state }) => state.follows !== undefined && around.has(state.follows)) ?? live[0] ??
    states[0];
}

/** Whether the keeper's process still is the one that wrote the state. */
export function keeperRuns({ pid, startTime, bootId: boot }: KeeperState): boolean {
  const { bootId, lookUp } = processLayer();
  return boot === bootId() && lookUp(pid)?.startTime === startTime;
}

function killed({ pid, expiresAtMs, bootId: boot }: KeeperState, clock: Clock): string {
  const leftMs = boot === processLayer().bootId() ? expiresAtMs - clock.boottime() : 0;
  const rest = leftMs > 0 ? `expires within ${Math.ceil(leftMs / 1000)} s` : "has expired";
  return `the keeper (pid ${pid}) was killed; the lock ${rest}`;
}

function late({ pid }: KeeperState): string {
  return `the keeper (pid ${pid}) did not renew it in time; it is stopped, or the API server does not answer`;
}

/** How a hold has ended. */
export type Ended = Exclude<KeeperState["phase"], { readonly kind: "held" }>;

/** How often to look for the keeper's answer, and how long; a release is tried until the hold expires. */
const LOOK_EVERY_MS = 20;

/**
 * Has a keeper release its hold.
 *
 * @param found the hold, which is held.
 * @param clock whose `boottime` the keepers share.
 * @returns what became of it.
 */
export async function releaseHold(found: FoundState, clock: Clock): Promise<Ended> {
  const { path, state } = found;
  signal(state.pid, "SIGTERM");
  // A stopped keeper cannot release.
  signal(state.pid, "SIGCONT");
  for (;;) {
    const phase = (await readState(path))?.phase;
    if (phase !== undefined && phase.kind !== "held") return phase;
    if (!keeperRuns(state)) {
      // It may have written its last state between the two looks.
      const last = (await readState(path))?.phase;
      return last !== undefined && last.kind !== "held"
        ? last
        : { kind: "lost", reason: killed(state, clock) };
    }
    await clock.sleep(LOOK_EVERY_MS);
  }
}

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch {
    // It has ended; the next look sees that.
  }
}

/** Removes what keepers of this lock have left that do not run any more. */
export async function forgetEnded(folder: string, query: StateQuery): Promise<void> {
  for (const found of await findStates(folder, query)) if (!keeperRuns(found.state)) await forget(found);
}

/** Removes a state file and the log beside it. */
export async function forget({ path }: FoundState): Promise<void> {
  for (const each of [path, path.replace(/\.json$/, ".log")]) await Deno.remove(each).catch(() => {});
}
