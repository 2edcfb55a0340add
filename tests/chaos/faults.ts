/**
 * What the tests of this directory have in common: whether they can run, scenes that open together, waiting for the end
 * of a lease.
 *
 * @module
 */

import { klatchBinary } from "../support/binary.ts";
import { controlPlaneAssets } from "../support/control_plane.ts";
import { sleep } from "../support/waiting.ts";
import { canWitness } from "../support/witness.ts";
import { type Cast, Scene } from "./scene.ts";

/** Why these tests cannot run here; false where they can. */
export const noChaos: string | false = controlPlaneAssets() === undefined
  ? "needs KUBEBUILDER_ASSETS and openssl"
  : klatchBinary() === undefined
  ? "needs dist/klatch: run the task compile, or set KLATCH_BINARY"
  : !canWitness()
  ? "needs flock(1) and a date(1) with nanoseconds"
  : false;

/** Known faults, which the scenes that meet them show; none today. */
export const PENDING: Readonly<Record<string, string>> = {};

/** As many scenes as casts. */
type Scenes<Casts extends readonly Cast[]> = { [index in keyof Casts]: Scene };

/** Opens scenes side by side, does something with them, and closes them whatever happens. */
export async function openAll<const Casts extends readonly Cast[]>(
  casts: Casts,
  play: (scenes: Scenes<Casts>) => Promise<void>,
): Promise<void> {
  const opening = await Promise.allSettled(casts.map((cast) => Scene.open(cast)));
  const open = opening.filter((each) => each.status === "fulfilled").map((each) => each.value);
  try {
    for (const each of opening) if (each.status === "rejected") throw each.reason;
    await play(open as Scenes<Casts>);
  } finally {
    for (const scene of open) await scene.close();
  }
}

/** How many scenes are played at a time: more would starve each other on a small machine. */
export const AT_ONCE = 4;

/** Starts each of these as soon as fewer than `limit` run. Failures are met when their promise is awaited. */
export function atMost(limit: number, tasks: readonly (() => Promise<void>)[]): Promise<void>[] {
  const lanes = Array.from({ length: limit }, () => Promise.resolve());
  return tasks.map((task, i) => {
    const done = (lanes[i % limit] ?? Promise.resolve()).then(task);
    lanes[i % limit] = done.catch(() => {});
    return done;
  });
}

/** How long a fault goes on after the lease is over, so that waiters come to feel it. */
const BEYOND_MS = 1_000;

/** Resolves when a scene's command is dead, and its lease over for a while. */
export async function pastTheLease(scene: Scene): Promise<void> {
  const diedMs = await scene.lifeline.diedMs;
  await scene.holder.exited;
  const { renewedMs, durationMs } = scene.lastRenewal(diedMs);
  await sleep(renewedMs + durationMs + BEYOND_MS - Date.now());
}
