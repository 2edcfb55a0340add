/**
 * What came of a scene: the promises that must hold whatever the fault was, and the figures for the table.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { poll } from "../support/waiting.ts";
import { OWN_STATUS, type Scene, WAITERS } from "./scene.ts";
import { processesOf } from "./scene_processes.ts";

/** The variable that names a file to which every verdict is added, as one line of JSON. */
export const VERDICTS_VARIABLE = "KLATCH_CHAOS_VERDICTS";

/** How long what is left of a scene may take to end. */
const PATIENCE_MS = 20_000;

/** A line of the table. Times are milliseconds. */
export interface Verdict {
  readonly section: string;
  readonly fault: string;
  readonly profile: string;
  /** Whether the fault cost the holder its hold. */
  readonly outcome: "lost" | "kept";
  /** klatch's own exit status. */
  readonly status: number;
  /** From sending the last renewal to the death of the command's last process; for a lost hold. */
  readonly diedAfterMs?: number;
  /** From sending the last renewal to the first moment at which another may take over; for a lost hold. */
  readonly freeAfterMs?: number;
  /** From sending the last renewal, or from the end of the command if the hold was kept, to the next command's start. */
  readonly nextAfterMs: number;
  /** How many commands started while another lived. */
  readonly overlaps: number;
}

/** What is expected. */
export interface Expected {
  readonly section: string;
  readonly fault: string;
  readonly profile?: string;
  readonly outcome: "lost" | "kept";
  /** klatch's exit status; 123 for a lost hold and the command's own for a kept one, if not given. */
  readonly status?: number;
}

/**
 * Waits until everybody was served, and judges: no overlap; the command dead before anybody could have taken over;
 * the status that is due; larger tokens for later holders; nothing left.
 *
 * @param scene after the fault has been healed, and the command let go if the hold was kept.
 * @returns the figures, which have been written down as well.
 */
export async function judge(scene: Scene, expected: Expected): Promise<Verdict> {
  const verdict = await measure(scene, expected);
  const { diedAfterMs = 0, freeAfterMs = 0 } = verdict;
  await scene.witness.assertNeverMoreThan(1);
  const { stderr } = scene.holder;
  assert(
    diedAfterMs < freeAfterMs || expected.outcome === "kept",
    `died too late: ${describe(verdict)}${stderr}`,
  );
  assert(expected.outcome === "kept" || diedAfterMs < verdict.nextAfterMs, describe(verdict));
  await writeDown(verdict);
  return verdict;
}

/**
 * As {@link judge}, for what the guard is not there to prevent, or cannot: another command must have begun while the
 * first one lived. Without this, the check of the others could not be known to be able to fail.
 */
export async function judgeOverlap(scene: Scene, expected: Expected): Promise<Verdict> {
  const verdict = await measure(scene, expected);
  await assertRejects(
    () => scene.witness.assertNeverMoreThan(1),
    Error,
    "was inside as number 2 of at most 1",
  );
  assert((verdict.diedAfterMs ?? 0) > verdict.nextAfterMs, describe(verdict));
  await writeDown(verdict);
  return verdict;
}

async function measure(scene: Scene, expected: Expected): Promise<Verdict> {
  const { code: status } = await scene.holder.exited;
  for (const waiter of scene.waiters) {
    const { code, stderr } = await waiter.finished;
    assertEquals(code, 0, `a waiter was not served: ${stderr}`);
  }
  const visits = await scene.witness.visits();
  assertEquals(visits.length, 1 + WAITERS, "everybody enters once");
  const diedMs = await scene.lifeline.diedMs;
  await untilNothingIsLeft(scene);
  assertEquals(
    status,
    expected.status ?? (expected.outcome === "lost" ? 123 : OWN_STATUS),
    scene.holder.stderr,
  );
  await assertTokensGrow(scene);

  const nextMs = visits[1]?.enteredMs ?? NaN;
  const { section, fault, outcome, profile = "plain" } = expected;
  const overlaps = visits.filter((visit) => visit.place > 1).length;
  const last = scene.lastRenewal(diedMs);
  const since = (ms: number) => Math.round(ms - last.renewedMs);
  const times = outcome === "kept" ? { nextAfterMs: Math.round(nextMs - (visits[0]?.leftMs ?? NaN)) } : {
    diedAfterMs: since(diedMs),
    freeAfterMs: since(last.renewedMs + last.durationMs),
    nextAfterMs: since(nextMs),
  };
  return { section, fault, profile, outcome, status, overlaps, ...times };
}

/** A guard that klatch left behind notices soon that there is nothing to guard. */
async function untilNothingIsLeft(scene: Scene): Promise<void> {
  let left: string[] = [];
  const nothing = () => (left = processesOf(scene.id).map((each) => each.line)).length === 0;
  const failure = () => `processes are left:\n${left.join("\n")}`;
  await poll(nothing, { limitMs: PATIENCE_MS, everyMs: 20, failure });
}

/** Each holder's token is larger than all before it. */
async function assertTokensGrow(scene: Scene): Promise<void> {
  const tokens = await scene.tokens();
  for (const [i, token] of tokens.entries()) {
    assert(i === 0 || token > (tokens[i - 1] ?? 0n), `tokens do not grow: ${tokens}`);
  }
}

function describe(verdict: Verdict): string {
  return JSON.stringify(verdict) + "\n";
}

/** Adds a verdict to the file that {@link VERDICTS_VARIABLE} names, if it does. */
async function writeDown(verdict: Verdict): Promise<void> {
  const file = Deno.env.get(VERDICTS_VARIABLE);
  if (file) await Deno.writeTextFile(file, JSON.stringify(verdict) + "\n", { append: true });
}
