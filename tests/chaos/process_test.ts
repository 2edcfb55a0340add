/**
 * Faults of the processes themselves: KILL and STOP to klatch, to its guard, to both, and to all of a run. The guard is
 * what keeps the promise then; what happens without it is tested as well, so that the check is known to be able to fail.
 *
 * @module
 */

import { assert } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { type ControlPlane, sharedControlPlane } from "../support/control_plane.ts";
import { send } from "../support/marked_processes.ts";
import { sleep } from "../support/waiting.ts";
import { AT_ONCE, atMost, noChaos, openAll } from "./faults.ts";
import { type Cast, type CommandProfile, PATIENT, QUICK, type Scene, TIGHT, type Timing } from "./scene.ts";
import { guardOf, processesOf, runOf } from "./scene_processes.ts";
import { judge, judgeOverlap } from "./verdict.ts";

const KILLED = 128 + 9;

interface Blow {
  readonly fault: string;
  readonly outcome: "lost" | "kept";
  readonly status?: number;
  readonly profile?: CommandProfile;
  readonly timing?: Timing;
  /** Runs the holder without a guard; an overlap is expected then. */
  readonly unguarded?: true;
  /** Gives the holder a binary of its own. */
  readonly ownBinary?: true;
  /** Why it is not tested for now. */
  readonly pending?: string;
  readonly strike: (scene: Scene) => Promise<void> | void;
}

const toKlatch = (signal: Deno.Signal) => (scene: Scene) => scene.holder.signal(signal);
const toGuard = (signal: Deno.Signal) => async (scene: Scene) => send(await guardOf(scene), signal);
const toBoth = (signal: Deno.Signal) => async (scene: Scene) => {
  const guard = await guardOf(scene);
  scene.holder.signal(signal);
  send(guard, signal);
};
/** Everything of the run: what a machine that stands still looks like from within. */
const toAll = (signal: Deno.Signal) => (scene: Scene) => {
  for (const pid of runOf(scene)) send(pid, signal);
};
/** What an upgrade does; another version that was started would do nothing and end. */
const replaceBinary = async ({ binary }: Scene) => {
  await Deno.writeTextFile(`${binary}.new`, "#!/bin/sh\n", { mode: 0o755 });
  await Deno.rename(`${binary}.new`, binary);
};
const deleteBinary = ({ binary }: Scene) => Deno.remove(binary);
const guardAgainAndAgain = async (scene: Scene) => {
  let last: number | undefined;
  for (let times = 0; times < 3; times++) send(last = await guardOf(scene, last), "SIGKILL");
};
const inTurn = (...blows: ((scene: Scene) => Promise<void> | void)[]) => async (scene: Scene) => {
  for (const blow of blows) await blow(scene);
};

const LOST = { outcome: "lost" } as const;
const KEPT = { outcome: "kept" } as const;
const DEAD = { outcome: "lost", status: KILLED } as const;
const STUBBORN = { profile: "stubborn" } as const;
const OWN_BINARY = { ownBinary: true } as const;
const UNGUARDED = { unguarded: true } as const;

const BLOWS: readonly Blow[] = [
  { fault: "klatch killed", ...DEAD, strike: toKlatch("SIGKILL") },
  { fault: "klatch killed", ...DEAD, ...STUBBORN, strike: toKlatch("SIGKILL") },
  { fault: "klatch stopped past the lease", ...LOST, strike: toKlatch("SIGSTOP") },
  { fault: "klatch stopped past the lease", ...LOST, ...STUBBORN, strike: toKlatch("SIGSTOP") },
  { fault: "guard killed", ...KEPT, strike: toGuard("SIGKILL") },
  { fault: "guard killed, and the two after it", ...KEPT, strike: guardAgainAndAgain },
  { fault: "guard stopped past the lease", ...KEPT, strike: toGuard("SIGSTOP") },
  { fault: "klatch and guard killed at once", ...DEAD, strike: toBoth("SIGKILL") },
  { fault: "klatch and guard killed at once", ...DEAD, ...STUBBORN, strike: toBoth("SIGKILL") },
  { fault: "klatch and guard stopped past the lease", ...LOST, strike: toBoth("SIGSTOP") },
  { fault: "klatch and guard stopped past the lease", ...LOST, ...STUBBORN, strike: toBoth("SIGSTOP") },
  {
    fault: "klatch and guard stopped past a lease that ends soon after the renew deadline",
    ...LOST,
    timing: TIGHT,
    strike: toBoth("SIGSTOP"),
  },
  {
    fault: "klatch and guard stopped, and back within the lease",
    ...KEPT,
    timing: PATIENT,
    strike: toBoth("SIGSTOP"),
  },
  { fault: "klatch, guard and command stopped past the lease", ...LOST, strike: toAll("SIGSTOP") },
  {
    fault: "guard stopped, then klatch killed",
    ...DEAD,
    strike: inTurn(toGuard("SIGSTOP"), toKlatch("SIGKILL")),
  },
  {
    fault: "klatch stopped, then guard killed",
    ...KEPT,
    strike: inTurn(toKlatch("SIGSTOP"), toGuard("SIGKILL")),
  },
  { fault: "klatch's file replaced", ...KEPT, ...OWN_BINARY, strike: replaceBinary },
  {
    fault: "klatch's file replaced, then guard killed",
    ...KEPT,
    ...OWN_BINARY,
    strike: inTurn(replaceBinary, toGuard("SIGKILL")),
  },
  {
    fault: "klatch's file deleted, then guard killed",
    ...KEPT,
    ...OWN_BINARY,
    strike: inTurn(deleteBinary, toGuard("SIGKILL")),
  },
  {
    fault: "klatch's file deleted, then klatch killed",
    ...DEAD,
    ...OWN_BINARY,
    strike: inTurn(deleteBinary, toKlatch("SIGKILL")),
  },
  { fault: "klatch killed, `--no-guard`", ...DEAD, ...UNGUARDED, strike: toKlatch("SIGKILL") },
  {
    fault: "klatch stopped past the lease, `--no-guard`",
    ...LOST,
    ...UNGUARDED,
    strike: toKlatch("SIGSTOP"),
  },
  {
    fault: "klatch and command stopped past the lease, `--no-guard`: as on a suspended machine",
    ...LOST,
    ...UNGUARDED,
    strike: toAll("SIGSTOP"),
  },
];

describe("a fault of the processes", { skip: noChaos }, () => {
  let plane: ControlPlane;
  let played: Promise<void>[];
  before(async () => {
    plane = await sharedControlPlane();
    const namespace = await plane.freshNamespace("chaos");
    played = atMost(
      AT_ONCE,
      BLOWS.map((blow) => async () => {
        if (blow.pending === undefined) await play(blow, { plane, namespace });
      }),
    );
  });
  after(() => plane.stop());

  for (const [i, { fault, outcome, unguarded, pending, profile = "plain" }] of BLOWS.entries()) {
    const what = unguarded
      ? "the witness sees two at once, and later tokens are larger"
      : outcome === "lost"
      ? "loses the hold and no more"
      : "does not cost the hold";
    it(`${fault}: ${what} (${profile} command)`, { skip: pending ?? false }, () => played[i]);
  }
});

async function play(blow: Blow, { plane, namespace }: Cast): Promise<void> {
  const { profile, timing, unguarded, outcome, ownBinary } = blow;
  const cast: Cast = {
    plane,
    namespace,
    ...(profile && { profile }),
    ...(timing && { timing }),
    ...(unguarded && { holderFlags: ["--no-guard"] }),
    ...(ownBinary && { ownBinary }),
  };
  await openAll([cast], async ([scene]) => {
    await blow.strike(scene);
    if (outcome === "lost") await scene.somebodyElseEntered();
    else await sleep(QUICK.leaseMs);
    const healedMs = Date.now();
    for (const { pid } of processesOf(scene.id)) send(pid, "SIGCONT");
    if (outcome === "kept") {
      await scene.renewsAgain(healedMs);
      scene.holder.closeStdin();
    }
    if (unguarded) await endUnguarded(blow, scene);
    else await judge(scene, { section: "klatch and its guard", ...blow });
  });
}

/** Nobody ends the command of a klatch that was killed and had no guard. */
async function endUnguarded(blow: Blow, scene: Scene): Promise<void> {
  const { pid } = await scene.witness.entered("holder");
  if (blow.status === KILLED) Deno.kill(-pid, "SIGKILL");
  const { overlaps } = await judgeOverlap(scene, { section: "What the guard is for", ...blow });
  assert(overlaps > 0);
}
