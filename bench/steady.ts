/**
 * Processes that do nothing but hold a lock, or wait for one, for as long as one looks on.
 *
 * @module
 */

import { lease } from "../lib/strategies/lease.ts";
import { connect } from "../tests/contract/bench.ts";
import { type RunningKlatch, spawnKlatch } from "../tests/support/binary.ts";
import type { Context } from "./context.ts";
import type { Contender } from "./contenders.ts";
import { sleep } from "../tests/support/waiting.ts";

/** Those whose cost is looked at: they keep their lock in a Lease, so that one record serves for all. */
export function steadyContenders(context: Context): Contender[] {
  return context.contenders.filter(({ name }) => name === "klatch, lease" || name === "client-go");
}

/** Starts one that holds a lock of its own; resolves when its command runs. */
export async function holds(context: Context, contender: Contender, lock: string): Promise<RunningKlatch> {
  const log = `${context.dir}/${lock}.log`;
  const running = start(context, contender, lock, [...context.programs.stamp, log, "holder", "-"]);
  let ended = false;
  void running.exited.then(() => ended = true);
  while (!(await Deno.readTextFile(log).catch(() => "")).includes("\n")) {
    if (ended) throw new Error(`${contender.name} ended: ${running.stderr}`);
    await sleep(10);
  }
  return running;
}

/** Starts one that waits for a lock that is held; resolves when it says that it waits. */
export async function waits(context: Context, contender: Contender, lock: string): Promise<RunningKlatch> {
  const running = start(context, contender, lock, ["true"]);
  if (contender.waits !== undefined) await running.line("stderr", contender.waits);
  return running;
}

/** Makes a Lease that is held by nobody who lives, for an hour: for looking at one process with no other beside it. */
export async function heldByNobody(context: Context): Promise<string> {
  const { namespace, kubeconfig } = context.server;
  const name = context.fresh("held");
  const { client, close } = await connect(kubeconfig, namespace);
  try {
    const { apiVersion, kind } = lease.resource;
    const now = new Date().toISOString().replace("Z", "000Z");
    const spec = {
      holderIdentity: "nobody",
      leaseDurationSeconds: 3600,
      acquireTime: now,
      renewTime: now,
      leaseTransitions: 0,
    };
    const object = { apiVersion, kind, metadata: { namespace, name }, spec };
    const outcome = await client.create({ resource: lease.resource, namespace, name }, object);
    if (outcome.kind !== "done") throw new Error(`the Lease ${name} was not made: ${outcome.kind}`);
  } finally {
    close();
  }
  return name;
}

function start(
  context: Context,
  contender: Contender,
  name: string,
  command: readonly string[],
): RunningKlatch {
  const { namespace, kubeconfig } = context.server;
  const lock = { namespace, name, dir: context.dir, kubeconfig };
  const [binary = "", ...args] = contender.words(lock, command);
  return spawnKlatch(args, { binary, stdin: "open" });
}
