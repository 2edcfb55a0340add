/**
 * The flags that say how a lock is kept: which strategies, and what only some of them know of.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { Strategy, StrategyOptions, Ticket } from "../lock.ts";
import { strategies } from "../strategies/catalog.ts";
import type { Flag, Parsed } from "./flags.ts";
import { checkLockName } from "../kube/names.ts";

/** More holders than fit into the annotations of one object, which may have 256 KiB in all. */
export const MOST_SLOTS = 10_000;

/** The record's numbers have up to 15 digits; one is left for the ticket after the last. */
const LAST_TICKET = 10 ** 15 - 2;

/** A flag that only one strategy knows. */
interface StrategyFlag extends Flag {
  readonly only?: string;
}

/** The flags. */
export const STRATEGY_FLAGS: readonly StrategyFlag[] = [
  {
    name: "strategy",
    value: "NAME",
    help: `how the lock is kept: ${namesOf(strategies)}; several (endpoints,lease): by each of them`,
  },
  { name: "object", value: "NAME", help: "the object's name, where it is not the lock's" },
  { name: "slots", value: "N", only: "semaphore", help: "semaphore: how many may hold at once" },
  {
    name: "set-slots",
    only: "semaphore",
    help: "semaphore: write --slots into a record that says otherwise",
  },
  { name: "shared", only: "semaphore", help: "semaphore: hold together with others that share" },
  { name: "exclusive", only: "semaphore", help: "semaphore: hold alone, whatever the slots" },
  {
    name: "ticket",
    value: "N[.ATTEMPT]",
    only: "ticket",
    help: "ticket: this number, not the next free one (default attempt: $GITHUB_RUN_ATTEMPT, else 1)",
  },
  {
    name: "strict",
    only: "ticket",
    help: "ticket: not before the older action's count has come to --ticket",
  },
];

/** How a lock is to be kept. */
export interface StrategyChoice {
  /** In the order in which they are acquired; at least one. */
  readonly strategies: readonly Strategy[];
  readonly strategyOptions: StrategyOptions;
  /** The object's name, where it is not the lock's. */
  readonly object: string | undefined;
}

/**
 * Reads the flags.
 *
 * @param parsed a command line that knows {@link STRATEGY_FLAGS}.
 * @param env reads the environment.
 * @throws KlatchError `usage`, also for a flag that none of the strategies knows.
 */
export function strategyChoice(parsed: Parsed, env: (name: string) => string | undefined): StrategyChoice {
  const chosen = strategiesNamed(parsed.text("strategy"));
  for (const { name, only, value } of STRATEGY_FLAGS) {
    const given = value === undefined ? parsed.on(name) : parsed.text(name) !== undefined;
    if (given && only !== undefined && !chosen.some((strategy) => strategy.name === only)) {
      throw new KlatchError("usage", `--${name} means nothing to the strategy ${namesOf(chosen)}`, {
        hint: `it is for --strategy ${only}`,
      });
    }
  }
  const object = parsed.text("object");
  if (object !== undefined) checkLockName(object);
  return { strategies: chosen, strategyOptions: strategyOptionsOf(parsed, env), object };
}

function strategiesNamed(text: string | undefined): readonly Strategy[] {
  if (text === undefined) return strategies.slice(0, 1);
  const chosen = text.split(",").map(strategyNamed);
  const rank = (strategy: Strategy) => strategies.indexOf(strategy);
  const ordered = [...new Set(chosen)].sort((a, b) => rank(b) - rank(a));
  if (ordered.length !== chosen.length) {
    throw new KlatchError("usage", `--strategy ${text} names one of them twice`, {
      hint: `write ${namesOf(ordered)}`,
    });
  }
  if (namesOf(ordered) === namesOf(chosen)) return chosen;
  throw new KlatchError(
    "usage",
    `--strategy ${text}: two that take the same locks in different orders can wait for each other for ever`,
    { hint: `write ${namesOf(ordered)}, as everybody has to` },
  );
}

function strategyNamed(name: string): Strategy {
  const found = strategies.find((strategy) => strategy.name === name);
  if (found !== undefined) return found;
  throw new KlatchError("usage", `--strategy: there is no "${name}"`, {
    hint: `choose one of: ${strategies.map((strategy) => strategy.name).join(", ")}`,
  });
}

/** Their names, as `--strategy` takes them. */
export function namesOf(chosen: readonly Strategy[]): string {
  return chosen.map((strategy) => strategy.name).join(",");
}

function strategyOptionsOf(parsed: Parsed, env: (name: string) => string | undefined): StrategyOptions {
  const [slots, ticket] = [parsed.text("slots"), parsed.text("ticket")];
  const [setSlots, shared, exclusive] = ["set-slots", "shared", "exclusive"].map(parsed.on);
  if (setSlots && slots === undefined) {
    throw new KlatchError("usage", "--set-slots without --slots", { hint: "say how many with --slots N" });
  }
  if (parsed.on("strict") && ticket === undefined) {
    throw new KlatchError("usage", "--strict without --ticket", { hint: "say which number with --ticket N" });
  }
  if (shared && exclusive) {
    throw new KlatchError("usage", "--shared and --exclusive exclude each other", { hint: "choose one" });
  }
  return {
    ...(slots !== undefined && { slots: wholeNumber(slots, "--slots", 1, MOST_SLOTS) }),
    ...(setSlots && { setSlots }),
    ...(shared && { mode: "shared" }),
    ...(exclusive && { mode: "exclusive" }),
    ...(ticket !== undefined && { ticket: ticketOf(ticket, env) }),
    ...(parsed.on("strict") && { strict: true }),
  };
}

/** A run that is run again has the number that it had, and a higher attempt. */
function ticketOf(text: string, env: (name: string) => string | undefined): Ticket {
  const [number = "", attempt, ...more] = text.split(".");
  if (more.length > 0) throw notWhole(text, "--ticket", "N or N.ATTEMPT");
  const most = LAST_TICKET;
  const again = env("GITHUB_RUN_ATTEMPT") || "1";
  return {
    number: wholeNumber(number, "--ticket", 0, most),
    attempt: attempt === undefined
      ? wholeNumber(again, "GITHUB_RUN_ATTEMPT", 1, most)
      : wholeNumber(attempt, "--ticket's attempt", 1, most),
  };
}

/**
 * Reads a whole number as it is written; `1e3`, `0x10`, `010` and `1.0` are none.
 *
 * @param text the number.
 * @param flag whose value it is, for the error.
 * @throws KlatchError `usage` if it is something else, below `least` or above `most`.
 *
 * @example
 * ```ts
 * import { wholeNumber } from "./strategy_flags.ts";
 *
 * if (wholeNumber("3", "--slots", 1, 10) !== 3) throw new Error();
 * ```
 */
export function wholeNumber(text: string, flag: string, least: number, most: number): number {
  const number = /^(0|[1-9]\d*)$/.test(text) ? Number(text) : NaN;
  if (number >= least && number <= most) return number;
  throw notWhole(text, flag, `a whole number from ${least} to ${most}`);
}

function notWhole(text: string, flag: string, wanted: string): KlatchError {
  return new KlatchError("usage", `${flag} "${text}" cannot be used`, { hint: `give ${wanted}` });
}
