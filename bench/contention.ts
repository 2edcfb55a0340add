/**
 * One lock, one that holds it, and others that wait for it; then the holder's command ends, and the others get
 * the lock one after the other. It says when each command began and ended, and fails if two of them overlapped
 * or somebody was not served, since a figure for a lock that does not exclude would be worth nothing.
 *
 * @module
 */

import { type Strategy, viewOf } from "../lib/lock.ts";
import { connect } from "../tests/contract/bench.ts";
import { endKlatchProcesses, type RunningKlatch, spawnKlatch } from "../tests/support/binary.ts";
import type { Context } from "./context.ts";
import type { Contender, Lock } from "./contenders.ts";
import { inLine } from "./queue.ts";
import { sleep } from "../tests/support/waiting.ts";

/** So many are started at a time: more would only measure how slowly they all start. */
const AT_ONCE = 4;
/** After this, who said that it waits has its watch open, and who says nothing has begun to wait. */
const SETTLE_MS = 750;
const SILENT_SETTLE_MS = 1_500;
/** If nobody is seen in line for so long, nobody will be. */
const NO_LINE_MS = 10_000;
/** For everything to come to its end; many times what it takes. */
const PATIENCE_MS = 10 * 60_000;

/** What is to happen. */
export interface Scene {
  readonly contender: Contender;
  /** How many wait, besides the first holder. */
  readonly waiters: number;
  /** How long each waiter's command lasts. */
  readonly bodyMs: number;
  /** The kubeconfigs of the holder and of the waiters; the server's own if not given. */
  readonly holderConfig?: string;
  readonly waiterConfig?: string;
  /** Makes the words that start a contender of those that run it; as they are if not given. */
  readonly launch?: (words: readonly string[]) => readonly string[];
  /** Is called when all wait, and awaited before the lock is released. */
  readonly whileWaiting?: (holder: RunningKlatch, waiters: readonly RunningKlatch[]) => Promise<void>;
}

/** What happened. Times are milliseconds. */
export interface Outcome {
  /** Who held, in that order; of those who wait, their indices. */
  readonly order: readonly string[];
  /** From each command's last act to the next one's first; as many as there are waiters. */
  readonly gaps: readonly number[];
  /** From the first holder's last act to the last waiter's last act. */
  readonly totalMs: number;
}

/** Plays it once, on a lock of its own. */
export async function contend(context: Context, scene: Scene): Promise<Outcome> {
  const { contender, waiters, bodyMs } = scene;
  const name = context.fresh("contention");
  const log = `${context.dir}/${name}.log`;
  const { namespace, kubeconfig } = context.server;
  const start = (id: string, config: string, until: string, stdin?: "open") => {
    const lock: Lock = { namespace, name, dir: context.dir, kubeconfig: config };
    const words = contender.words(lock, [...context.programs.stamp, log, id, until]);
    const [binary = "", ...args] = scene.launch?.(words) ?? words;
    return spawnKlatch(args, { binary, ...(stdin !== undefined && { stdin }) });
  };
  try {
    const holder = start("first", scene.holderConfig ?? kubeconfig, "-", "open");
    await begun(log, holder);
    const running: RunningKlatch[] = [];
    while (running.length < waiters) {
      const more = Array.from({ length: Math.min(AT_ONCE, waiters - running.length) }, (_, i) => {
        return start(`${running.length + i}`, scene.waiterConfig ?? kubeconfig, String(bodyMs));
      });
      running.push(...more);
      const { waits } = contender;
      if (waits !== undefined) await Promise.all(more.map((each) => each.line("stderr", waits)));
    }
    await sleep(contender.waits === undefined ? SILENT_SETTLE_MS : SETTLE_MS);
    if (contender.strategy !== undefined) await queued(context, contender.strategy, name, waiters);
    await scene.whileWaiting?.(holder, running);
    await holder.closeStdin();
    await ends([holder, ...running], contender.name);
    return readLog(await Deno.readTextFile(log), waiters);
  } finally {
    endKlatchProcesses();
  }
}

/**
 * Reads what the commands wrote.
 *
 * @param log lines in the order of writing.
 * @param waiters how many there must be besides the first.
 * @throws {Error} two overlapped, or one is missing.
 */
export function readLog(log: string, waiters: number): Outcome {
  const lines = log.trim().split("\n").map((line) => {
    const [verb, id, ns = ""] = line.split(" ");
    return { verb, id, ms: Number(BigInt(ns) / 1000n) / 1000 };
  });
  if (lines.length !== 2 * (waiters + 1)) throw new Error(`not all were served:\n${log}`);
  const gaps: number[] = [];
  const order: string[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    const [enter, exit, before] = [lines[i], lines[i + 1], lines[i - 1]];
    if (enter?.verb !== "enter" || exit?.verb !== "exit" || enter.id !== exit.id) {
      throw new Error(`commands overlapped:\n${log}`);
    }
    if (before !== undefined) gaps.push(enter.ms - before.ms);
    order.push(enter.id ?? "");
  }
  return { gaps, order, totalMs: (lines.at(-1)?.ms ?? NaN) - (lines[1]?.ms ?? NaN) };
}

/**
 * Waits until all are in line for whom there is a place. That is some time after they said that they wait: those who
 * join at once get out of each other's way. Another build may keep its line elsewhere: then nothing of it changes here.
 */
async function queued(context: Context, strategy: Strategy, name: string, waiters: number): Promise<void> {
  const { namespace, kubeconfig } = context.server;
  const { client, close } = await connect(kubeconfig, namespace);
  const end = performance.now() + PATIENCE_MS;
  let before = -1, sinceMs = 0;
  try {
    for (;;) {
      const object = await client.get({ resource: strategy.resource, namespace, name });
      const queue = viewOf(strategy, object).waiters.length;
      if (queue === inLine(strategy, waiters)) return;
      if (queue !== before) [before, sinceMs] = [queue, performance.now()];
      if (queue === 0 && performance.now() > sinceMs + NO_LINE_MS) return;
      if (performance.now() > end) {
        throw new Error(`${strategy.name}: ${queue} of ${waiters} are in the queue`);
      }
      await sleep(200);
    }
  } finally {
    close();
  }
}

/** Waits until the first command has begun. */
async function begun(log: string, holder: RunningKlatch): Promise<void> {
  let ended = false;
  void holder.exited.then(() => ended = true);
  while (!(await Deno.readTextFile(log).catch(() => "")).includes("\n")) {
    if (ended) throw new Error(`the first holder ended: ${holder.stderr}`);
    await sleep(5);
  }
}

async function ends(running: readonly RunningKlatch[], name: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name}: not all were served in time`)), PATIENCE_MS);
  });
  try {
    const all = await Promise.race([late, Promise.all(running.map((each) => each.finished))]);
    const failed = all.find(({ code }) => code !== 0);
    if (failed) throw new Error(`${name} ended with ${failed.code}: ${failed.stderr}`);
  } finally {
    clearTimeout(timer);
  }
}
