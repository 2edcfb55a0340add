/**
 * `klatch break NAME`: takes a hold, or a place in the queue, away by force.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import { type BreakPlan, carryOut, planBreak } from "../../inspect/break.ts";
import { recordBreak } from "../../history/send_event.ts";
import { findLock } from "../../inspect/inspect.ts";
import { statusOf } from "../../inspect/status.ts";
import type { LockName } from "../../lock.ts";
import { printable, shortened } from "../../text.ts";
import { chooseCluster } from "../cluster.ts";
import type { Command } from "../command.ts";
import { clusterFlags, readCluster } from "../flag_groups/cluster.ts";
import { readView, viewFlags } from "../flag_groups/view.ts";
import { noEventsFlag } from "../flag_groups/events.ts";
import type { Host } from "../host.ts";
import { statusText } from "../output/status_text.ts";
import { readLockName } from "../run_options.ts";
import { lookUntilSignal } from "../until_signal.ts";
import { coloursOn, warn } from "../view.ts";

/** The command. */
export const breakLock: Command = {
  name: "break",
  summary: "take a lock away from its holder by force",
  usage: "klatch break NAME [flags]",
  description:
    "Shows what would be taken away, asks on a terminal, and wants --yes elsewhere. The holder notices within one\n" +
    "renewal and stops its command with 123; a holder that is not klatch may not notice at all. Nothing is done if\n" +
    "the lock has changed hands since it was shown.",
  flags: [
    ...clusterFlags,
    ...viewFlags.filter(({ name }) => name === "strategy"),
    // KLATCH_HOLDER is the holder that a command runs under, which is not the one to remove.
    { name: "holder", value: "ID", variable: false, help: "the holder to remove, if there are several" },
    { name: "waiter", value: "ID", help: "remove this waiter from the queue instead of a holder" },
    // KLATCH_REASON says why a lock is held, not why another one is broken.
    {
      name: "reason",
      value: "TEXT",
      variable: false,
      help: "why, noted in the object and shown to the holder",
    },
    noEventsFlag,
    { name: "yes", short: "y", help: "do not ask" },
  ],
  examples: [
    { title: "Take a lock away from a holder that hangs", line: `klatch break deploy --reason "ci-7 hangs"` },
    { title: "Remove a waiter from the queue", line: "klatch break deploy --waiter ci-8 --yes" },
  ],
  notes: `Exit status:
  0    the holder or waiter was removed
  1    there was nothing to remove, or the lock has changed hands
  125  klatch itself failed
`,
  async run(parsed, host) {
    const name = readLockName(breakLock, parsed);
    const view = readView({
      on: parsed.on,
      text: (flag) => flag === "output" ? undefined : parsed.text(flag),
    });
    const [holder, waiter] = [parsed.text("holder"), parsed.text("waiter")];
    if (holder !== undefined && waiter !== undefined) {
      throw new KlatchError("usage", "break: --holder and --waiter exclude each other", {
        hint: "choose one",
      });
    }
    const { client, lock, all } = await lookUntilSignal(async (signal) => {
      const cluster = await chooseCluster(readCluster(parsed), host, signal);
      const lock = { namespace: cluster.namespace, name };
      const client = await cluster.connect((line) => warn(host, line));
      return { client, lock, all: await findLock(client, view.strategies, lock) };
    });
    const [found, another] = all;
    if (another !== undefined) throw ambiguous(lock, [found?.strategy.name ?? "", another.strategy.name]);
    const plan = found && planBreak(found.strategy, found.object, lock, { holder, waiter });
    if (plan === undefined) {
      warn(
        host,
        `nothing to break: ${lock.namespace}/${name} ${waiter === undefined ? "is free" : "has no queue"}`,
      );
      return 1;
    }
    show(plan, host);
    if (!parsed.on("yes") && !await confirmed(plan, host)) return 1;
    const by = host.env("USER") || host.env("LOGNAME") || host.hostname();
    const note = await carryOut(client, plan, {
      by: `${by}@${host.hostname()}`,
      reason: parsed.text("reason"),
    }, host.clock);
    if (note === undefined) {
      warn(host, `did nothing: ${lock.namespace}/${name} has changed since it was shown; look again`);
      return 1;
    }
    const whom = printable(shortened(plan.participant.identity));
    warn(host, `broke ${lock.namespace}/${name}: removed the ${plan.kind} ${whom}`);
    if (plan.kind === "holder" && !parsed.on("no-events")) {
      const { strategy: { resource }, object: { metadata: { uid } } } = plan;
      await recordBreak(client, { resource, ...lock, uid }, note, host.nonce());
    }
    return 0;
  },
};

function show({ strategy, object, lock }: BreakPlan, host: Host): void {
  const options = { wallMs: host.clock.wall(), colours: coloursOn(host) };
  host.print(statusText(statusOf(strategy, object, lock, host.clock.wall()), options));
}

/** Asks on a terminal. Throws KlatchError `usage` if there is none. */
async function confirmed({ kind, participant, lock }: BreakPlan, host: Host): Promise<boolean> {
  const whom = printable(shortened(participant.identity));
  if (host.ask === undefined) {
    throw new KlatchError("usage", `break: ${whom} would be removed, and there is no terminal to ask`, {
      hint: "add --yes if that is what you want",
    });
  }
  const answer = await host.ask(`Remove the ${kind} ${whom} from ${lock.namespace}/${lock.name}? [y/N]`);
  return /^y(es)?$/i.test(answer.trim());
}

function ambiguous({ namespace, name }: LockName, names: readonly string[]): KlatchError {
  return new KlatchError("usage", `${namespace}/${name} is kept in several ways: ${names.join(", ")}`, {
    hint: "say which one with --strategy",
  });
}
