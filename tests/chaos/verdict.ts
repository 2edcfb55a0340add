/**
 * What came of a scene: the promises that must hold whatever the fault was, and the figures for the table.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { OWN_STATUS, type Scene, WAITERS } from "./scene.ts";
import { processesOf } from "./scene_processes.ts";

/** The variable that names a file to which every verdict is added, as one line of JSON. */
export const VERDICTS_VARIABLE = "KLATCH_CHAOS_VERDICTS";

/** A line of the table. Times are milliseconds. */
export interface Verdict {
  readonly section: string;
  readonly fault: string;
  readonly temper: string;
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
  readonly temper?: string;
  readonly outcome: "lost" | "kept";
  /** klatch's exit status; 123 for a lost hold and the command's own for a kept one, if not given. */
  readonly status?: number;
}

/**
 * Waits until everybody was served, and judges. The fault must have been healed.
 *
 * @param scene after the holder has ended.
 * @returns the figures, which have been written down as well.
 */
export async function judge(scene: Scene, expected: Expected): Promise<Verdict> {
  const { code: status } = await scene.holder.exited;
  for (const waiter of scene.waiters) {
    const { code, stderr } = await waiter.finished;
    assertEquals(code, 0, `a waiter was not served: ${stderr}`);
  }
  await scene.witness.assertNeverMoreThan(1);
  const visits = await scene.witness.visits();
  assertEquals(visits.length, 1 + WAITERS, "everybody enters once");
  const diedMs = await scene.lifeline.diedMs;
  assertEquals(processesOf(scene.id).map((each) => each.line), [], "processes are left");
  assertEquals(
    status,
    expected.status ?? (expected.outcome === "lost" ? 123 : OWN_STATUS),
    scene.holder.stderr,
  );
  await assertTokensGrow(scene);

  const nextMs = visits[1]?.enteredMs ?? NaN;
  const { section, fault, outcome, temper = "plain" } = expected;
  const overlaps = visits.filter((visit) => visit.place > 1).length;
  const last = scene.lastRenewal(diedMs);
  const freeMs = last.renewedMs + last.durationMs;
  assert(diedMs < freeMs, `died ${diedMs - freeMs} ms after a takeover was possible: ${scene.holder.stderr}`);
  assert(diedMs < nextMs, `died ${diedMs - nextMs} ms after the next had entered`);
  const since = (ms: number) => Math.round(ms - last.renewedMs);
  const times = outcome === "kept"
    ? { nextAfterMs: Math.round(nextMs - diedMs) }
    : { diedAfterMs: since(diedMs), freeAfterMs: since(freeMs), nextAfterMs: since(nextMs) };
  const verdict = { section, fault, temper, outcome, status, overlaps, ...times };
  await writeDown(verdict);
  return verdict;
}

/** Each holder's token is larger than all before it. */
export async function assertTokensGrow(scene: Scene): Promise<void> {
  const tokens = await scene.tokens();
  for (const [i, token] of tokens.entries()) {
    assert(i === 0 || token > (tokens[i - 1] ?? 0n), `tokens do not grow: ${tokens}`);
  }
}

/** Adds a verdict to the file that {@link VERDICTS_VARIABLE} names, if it does. */
export async function writeDown(verdict: Verdict): Promise<void> {
  const file = Deno.env.get(VERDICTS_VARIABLE);
  if (file) await Deno.writeTextFile(file, JSON.stringify(verdict) + "\n", { append: true });
}
