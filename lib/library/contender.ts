/**
 * Options of the library as the session takes them, checked before anything is sent.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import { checkLabels } from "../kube/names.ts";
import type { Contender, Strategy, StrategyOptions } from "../lock.ts";
import { checkTiming, DEFAULT_TIMING, type Timing } from "../session/mod.ts";
import { strategies } from "../strategies/catalog.ts";
import type { LockOptions, StrategyChoiceOptions, TimingOptions } from "./options.ts";

/** The options that only one strategy knows. */
const ONLY: Readonly<Record<string, readonly (keyof StrategyChoiceOptions)[]>> = {
  semaphore: ["slots", "setSlots", "mode"],
  ticket: ["ticket", "strict"],
};

/** The largest ticket: the record's numbers have up to 15 digits, and one is left for the ticket after the last. */
const LAST_TICKET = 10 ** 15 - 2;
/** More holders than fit into the annotations of one object. */
const MOST_SLOTS = 10_000;

/**
 * The strategies that were asked for, in the order in which they are acquired.
 *
 * @throws KlatchError `usage` for a name that is none, one that is named twice, or an option that none of them knows.
 */
export function strategiesOf(options: StrategyChoiceOptions): readonly Strategy[] {
  const names = options.strategy === undefined ? [] : [options.strategy].flat();
  const chosen = names.length === 0 ? strategies.slice(0, 1) : names.map(strategyNamed);
  if (new Set(chosen).size !== chosen.length) {
    throw new KlatchError("usage", `strategy ${names.join(", ")} names one of them twice`);
  }
  checkOrder(chosen);
  for (const [only, keys] of Object.entries(ONLY)) {
    const given = keys.find((key) => options[key] !== undefined);
    if (given === undefined || chosen.some(({ name }) => name === only)) continue;
    const names = chosen.map(({ name }) => name).join(", ");
    throw new KlatchError("usage", `the option ${given} is for the strategy ${only}, not for ${names}`);
  }
  return chosen;
}

/** Two clients that acquire the same locks in different orders could wait for each other for ever. */
function checkOrder(chosen: readonly Strategy[]): void {
  const rank = (strategy: Strategy) => strategies.indexOf(strategy);
  const ordered = chosen.toSorted((one, other) => rank(other) - rank(one));
  if (ordered.every((strategy, i) => strategy === chosen[i])) return;
  throw new KlatchError("usage", `strategies in the order ${chosen.map(({ name }) => name).join(", ")}`, {
    hintCode: "strategies-in-order",
    hint: `list them as ${ordered.map(({ name }) => name).join(",")}: every client must use the same order`,
  });
}

function strategyNamed(name: string): Strategy {
  const found = strategies.find((strategy) => strategy.name === name);
  if (found !== undefined) return found;
  throw new KlatchError("usage", `there is no strategy ${JSON.stringify(name)}`, {
    hint: `choose one of: ${strategies.map((strategy) => strategy.name).join(", ")}`,
  });
}

/** The three durations. Throws KlatchError `usage` unless they can keep a lock safe. */
export function timingOf({ leaseDurationMs, renewDeadlineMs, retryPeriodMs }: TimingOptions): Timing {
  const timing = {
    leaseDurationMs: leaseDurationMs ?? DEFAULT_TIMING.leaseDurationMs,
    renewDeadlineMs: renewDeadlineMs ?? DEFAULT_TIMING.renewDeadlineMs,
    retryPeriodMs: retryPeriodMs ?? DEFAULT_TIMING.retryPeriodMs,
  };
  checkTiming(timing);
  return timing;
}

/**
 * Who contends.
 *
 * @throws KlatchError `usage` for an empty identity, a label that Kubernetes refuses, or numbers out of range.
 */
export function contenderOf(options: LockOptions, timing: Timing): Contender {
  const nonce = crypto.getRandomValues(new Uint8Array(8)).toHex();
  const { identity = `${hostname()}_${nonce}`, reason, labels = {} } = options;
  if (identity === "") {
    throw new KlatchError("usage", "the identity is empty, which stands for a lock that nobody holds");
  }
  checkLabels(labels);
  return {
    identity,
    nonce,
    leaseDurationMs: timing.leaseDurationMs,
    reason,
    labels,
    strategyOptions: strategyOptionsOf(options),
  };
}

function strategyOptionsOf(options: StrategyChoiceOptions): StrategyOptions {
  const { slots, setSlots, mode, ticket, strict } = options;
  if (setSlots && slots === undefined) throw new KlatchError("usage", "setSlots without slots");
  if (strict && ticket === undefined) throw new KlatchError("usage", "strict without a ticket");
  if (slots !== undefined) checkWhole("slots", slots, 1, MOST_SLOTS);
  if (ticket !== undefined) {
    checkWhole("ticket.number", ticket.number, 0, LAST_TICKET);
    checkWhole("ticket.attempt", ticket.attempt ?? 1, 1, LAST_TICKET);
  }
  return {
    ...(slots !== undefined && { slots }),
    ...(setSlots && { setSlots }),
    ...(mode !== undefined && { mode }),
    ...(ticket !== undefined && { ticket: { number: ticket.number, attempt: ticket.attempt ?? 1 } }),
    ...(strict && { strict }),
  };
}

function checkWhole(what: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new KlatchError("usage", `${what} is ${value}`, {
    hint: `give a whole number from ${least} to ${most}`,
  });
}

/** The machine's name, if the program may ask for it. */
function hostname(): string {
  try {
    return Deno.hostname();
  } catch {
    return "klatch";
  }
}
