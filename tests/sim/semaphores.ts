/**
 * Semaphores in the simulation: what all contenders ask for, and an older tool that reads its annotation and writes it
 * back later, with no condition, so that holders get lost in it and come back.
 *
 * @module
 */
import { configMap, type Record, recordIn, semaphoreCase, withRecord } from "../contract/semaphore_cases.ts";
import { CLAIMED, OURS } from "../contract/semaphore_cases.ts";
import type { Contender, KubeObject } from "../../lib/lock.ts";
import { semaphore, type SemaphoreOptions } from "../../lib/strategies/semaphore.ts";
import type { Case } from "./strategies.ts";

/** The names that an older tool goes by here; see `disturbances.ts`. */
const FOREIGN_NAMES = ["foreign", "ci"];

/**
 * A semaphore.
 *
 * @param slots how many may hold at once.
 * @param strategyOptionsOf what the contender with this nonce asks for.
 */
export function semaphoreOf(slots: number, strategyOptionsOf: (nonce: string) => SemaphoreOptions): Case {
  return {
    ...semaphoreCase,
    strategy: asking(strategyOptionsOf),
    held: (lock, holder) => configMap(lock, { max: slots, holders: { [holder]: dated(0) } }),
    seized(object, holder, durationMs) {
      const way = Number(object.metadata.resourceVersion) % 3;
      const mine = entryIn(object);
      if (way === 0) {
        return withRecord(semaphoreCase.seized(object, holder, durationMs), {
          max: slots,
          holders: { [holder]: mine },
        });
      }
      // It finds its own name there already.
      if (ourHolders(object).some(({ name }) => name === holder)) return object;
      return written(object, way, (holders) => ({ ...holders, [holder]: holders[holder] ?? mine }));
    },
    released(object) {
      const way = Number(object.metadata.resourceVersion ?? 0) % 3;
      const stays = ([name]: [string, unknown]) => !FOREIGN_NAMES.includes(name);
      return written(object, way, (holders) => Object.fromEntries(Object.entries(holders).filter(stays)));
    },
  };
}

/** What the older tool writes of a holder, with a time that every run of a seed has. */
function entryIn(object: KubeObject) {
  return dated(Number(object.metadata.resourceVersion));
}

function dated(second: number) {
  return { date: new Date(1000 * second).toISOString().replace(".000", ""), reason: "" };
}

/** Whether a nonce is one of these that want the lock for themselves alone: every third. */
export function isExclusive(nonce: string): boolean {
  return [...nonce].reduce((sum, char) => sum + char.charCodeAt(0), 0) % 3 === 0;
}

/** The strategy, with contenders that ask for something. */
function asking(strategyOptionsOf: (nonce: string) => SemaphoreOptions): typeof semaphore {
  const { claimUnread } = semaphore;
  const wishing = (me: Contender) => ({ ...me, strategyOptions: { ...strategyOptionsOf(me.nonce) } });
  return {
    ...semaphore,
    parse(object) {
      const holders = ourHolders(object);
      if (holders.length > 1 && holders.some(({ exclusive }) => exclusive === true)) {
        throw new Error(`an exclusive holder is not alone: ${JSON.stringify(holders)}`);
      }
      return semaphore.parse(object);
    },
    ...claimUnread !== undefined && {
      claimUnread: (lock, me, wallMs) => claimUnread(lock, wishing(me), wallMs),
    },
    claim: (state, lock, me, ...rest) => semaphore.claim(state, lock, wishing(me), ...rest),
  };
}

/** The older tool writes what it read a moment ago: before klatch's last ones came, or before they went. */
function written(
  object: KubeObject,
  way: number,
  change: (holders: Record["holders"]) => Record["holders"],
): KubeObject {
  const record = recordIn(object);
  const { gone = [] } = noteIn<Ours>(object, OURS) ?? {};
  const holders = { ...record.holders };
  if (way === 1) { for (const { name } of ourHolders(object)) delete holders[name]; }
  if (way === 2) { for (const { name, date } of gone) holders[name] ??= { date, reason: "" }; }
  return withRecord(object, { ...record, holders: change(holders) });
}

function ourHolders(object: KubeObject | undefined): readonly OurHolder[] {
  if (object === undefined) return [];
  const { holders = [] } = noteIn<Ours>(object, OURS) ?? {};
  const claimed = noteIn<OurHolder>(object, CLAIMED);
  return claimed === undefined ? holders : [...holders, claimed];
}

interface OurHolder {
  readonly name: string;
  readonly exclusive?: boolean;
}

interface Ours {
  readonly holders?: readonly OurHolder[];
  readonly gone?: readonly { readonly name: string; readonly date: string }[];
}

/** What was read lately: every contender has its own copies of one text, and looks at each several times. */
const known = new Map<string, unknown>();
const MOST_KNOWN = 100;

function noteIn<Note>(object: KubeObject, annotation: string): Note | undefined {
  const text = object.metadata.annotations?.[annotation];
  if (text === undefined) return undefined;
  const note = known.get(text) ?? JSON.parse(text);
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(text, note);
  return note;
}
