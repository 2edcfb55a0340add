/**
 * The flags that say how a lock is kept: which strategies, and what only some of them know of, which each strategy
 * says itself.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { OptionFlag, Strategy, StrategyOption, StrategyOptions } from "../lock.ts";
import { strategies } from "../strategies/catalog.ts";
import { readWhole } from "../strategies/whole_number.ts";
import type { Flag, Parsed } from "./flags.ts";
import { checkLockName } from "../kube/names.ts";

/** A flag of a strategy's, and what it is for. */
interface KnownFlag {
  readonly strategy: Strategy;
  readonly option: StrategyOption;
  readonly flag: OptionFlag;
}

/**
 * The flags.
 *
 * @param catalog the strategies.
 *
 * @example
 * ```ts
 * import { strategyFlags } from "./strategy_flags.ts";
 *
 * if (!strategyFlags().some(({ name }) => name === "slots")) throw new Error("a semaphore has slots");
 * ```
 */
export function strategyFlags(catalog: readonly Strategy[] = strategies): readonly Flag[] {
  return [
    {
      name: "strategy",
      value: "NAME",
      help: `how the lock is kept: ${namesOf(catalog)}; several (endpoints,lease): by each of them`,
    },
    { name: "object", value: "NAME", help: "the object's name, if it is not the lock's" },
    ...flagsIn(catalog).map(({ strategy, flag: { name, value, help } }) => ({
      name,
      ...(value !== undefined && { value }),
      help: `${strategy.name}: ${help}`,
    })),
  ];
}

/** How a lock is to be kept. */
export interface StrategyChoice {
  /** In the order in which they are acquired; at least one. */
  readonly strategies: readonly Strategy[];
  readonly strategyOptions: StrategyOptions;
  /** The object's name, if it is not the lock's. */
  readonly object: string | undefined;
}

/**
 * Reads the flags.
 *
 * @param parsed a command line that knows {@link strategyFlags}.
 * @param env reads the environment.
 * @param catalog the strategies.
 * @throws KlatchError `usage`, also for a flag that none of the chosen strategies knows.
 */
export function strategyChoice(
  parsed: Parsed,
  env: (name: string) => string | undefined,
  catalog: readonly Strategy[] = strategies,
): StrategyChoice {
  const chosen = strategiesNamed(parsed.text("strategy"), catalog);
  const given = flagsIn(catalog).filter(({ flag }) => isGiven(parsed, flag));
  for (const { strategy, flag } of given) {
    if (chosen.includes(strategy)) continue;
    throw new KlatchError("usage", `--${flag.name} means nothing to the strategy ${namesOf(chosen)}`, {
      hint: `it is for --strategy ${strategy.name}`,
    });
  }
  const object = parsed.text("object");
  if (object !== undefined) checkLockName(object);
  return { strategies: chosen, strategyOptions: optionsOf(given, parsed, env), object };
}

/** The strategies that a list names, in the one order in which every client acquires them. */
function strategiesNamed(text: string | undefined, catalog: readonly Strategy[]): readonly Strategy[] {
  if (text === undefined) return catalog.slice(0, 1);
  const chosen = text.split(",").map((name) => strategyNamed(name, catalog));
  const ordered = [...new Set(chosen)].sort((a, b) => a.rank - b.rank);
  if (ordered.length !== chosen.length) {
    throw new KlatchError("usage", `--strategy ${text} names one of them twice`, {
      hint: `write ${namesOf(ordered)}`,
    });
  }
  if (namesOf(ordered) === namesOf(chosen)) return chosen;
  throw new KlatchError(
    "usage",
    `--strategy ${text}: two that take the same locks in different orders can wait for each other for ever`,
    { hint: `write ${namesOf(ordered)}: every client must use the same order` },
  );
}

function strategyNamed(name: string, catalog: readonly Strategy[]): Strategy {
  const found = catalog.find((strategy) => strategy.name === name);
  if (found !== undefined) return found;
  throw new KlatchError("usage", `--strategy: there is no "${name}"`, {
    hint: `choose one of: ${catalog.map((strategy) => strategy.name).join(", ")}`,
  });
}

/** Their names, as `--strategy` takes them. */
export function namesOf(chosen: readonly Strategy[]): string {
  return chosen.map((strategy) => strategy.name).join(",");
}

function flagsIn(catalog: readonly Strategy[]): KnownFlag[] {
  return catalog.flatMap((strategy) =>
    strategy.options.flatMap((option) => option.flags.map((flag) => ({ strategy, option, flag })))
  );
}

function isGiven(parsed: Parsed, { name, value }: OptionFlag): boolean {
  return value === undefined ? parsed.on(name) : parsed.text(name) !== undefined;
}

function optionsOf(
  given: readonly KnownFlag[],
  parsed: Parsed,
  env: (name: string) => string | undefined,
): StrategyOptions {
  const values = new Map<string, unknown>();
  for (const { strategy, option, flag } of given) {
    const other = given.find((each) => each.option === option && each.flag !== flag);
    if (other !== undefined) {
      throw new KlatchError("usage", `--${flag.name} and --${other.flag.name} exclude each other`, {
        hint: "choose one",
      });
    }
    checkNeeds(strategy, option, flag, given);
    const text = flag.value === undefined ? "" : parsed.text(flag.name) ?? "";
    values.set(option.name, read(flag, text, env));
  }
  return Object.fromEntries(values);
}

function checkNeeds(
  strategy: Strategy,
  { needs }: StrategyOption,
  flag: OptionFlag,
  given: readonly KnownFlag[],
): void {
  if (needs === undefined || given.some(({ option }) => option.name === needs)) return;
  const [needed] = strategy.options.find(({ name }) => name === needs)?.flags ?? [];
  const usage = `--${needed?.name}${needed?.value === undefined ? "" : ` ${needed.value}`}`;
  throw new KlatchError("usage", `--${flag.name} without --${needed?.name}`, {
    hint: `give ${usage} as well`,
  });
}

function read(flag: OptionFlag, text: string, env: (name: string) => string | undefined): unknown {
  try {
    return flag.read(text, env);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw notUsable(text, `--${flag.name}`, error.message);
  }
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
  try {
    return readWhole(text, least, most);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw notUsable(text, flag, error.message);
  }
}

function notUsable(text: string, flag: string, wanted: string): KlatchError {
  return new KlatchError("usage", `${flag} "${text}" cannot be used`, { hint: `give ${wanted}` });
}
