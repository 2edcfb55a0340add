/**
 * Holds of klatch's that have a name alone, as the older tool of the name kube-lock takes them: klatch ends, the hold
 * stays. klatch notes such a hold in its own annotation too, beside the names that the older tool's annotation had then:
 *
 *     "named":[{"name":"ci","date":"2026-01-01T12:00:00Z","reason":"deploy","noted":true},
 *              {"name":"old","date":"2026-01-01T11:59:00Z"}]
 *
 * The older tool writes back what it read before, with one name more or one less. So its write may drop a hold that came
 * in between, which then still counts. Its `--unlock` takes away one name and nothing else: only when the annotation is
 * what klatch wrote last without that name, the hold is over. Whatever else it may be, the hold counts, and klatch's next
 * write restores the name.
 *
 * @module
 */
import type { Fields } from "./record_fields.ts";
import type { ForeignHolder, Held } from "./semaphore_record.ts";

/** What the two annotations say of names. */
export interface Named {
  /** The holds that the older tool's annotation states, without those of klatch's that have a nonce. */
  readonly foreign: readonly ForeignHolder[];
  /** Everything that the older tool's annotation states. */
  readonly stated: readonly ForeignHolder[];
  /** The holds by name as of klatch's last write. */
  readonly written: readonly ForeignHolder[];
  /** klatch's holds with a nonce as of its last write. */
  readonly held: readonly Held[];
}

/**
 * The holds by name that count.
 *
 * @param named what the annotations say.
 * @returns those of the older tool's annotation, and those of klatch's that a write of that tool dropped.
 */
export function withNoted({ foreign, stated, written, held }: Named): ForeignHolder[] {
  const noted = written.filter((each) => each.noted === true);
  if (noted.length === 0) return [...foreign];
  const present = new Set(stated.map(keyOf));
  const expected = new Set([
    ...written.map(keyOf),
    ...held.map(({ name, since }) => keyOf({ name, date: since })),
  ]);
  const missing = [...expected].filter((key) => !present.has(key));
  const isUnlocked = missing.length === 1 && [...present].every((key) => expected.has(key));
  const dropped = noted.filter((each) =>
    !isUnlocked && !present.has(keyOf(each)) && !stated.some(({ name }) => name === each.name)
  );
  const marked = foreign.map((each) =>
    noted.some((other) => keyOf(other) === keyOf(each)) ? { ...each, noted: true } : each
  );
  return [...marked, ...dropped];
}

/** A hold by name as klatch's annotation has it. */
export function namedOf(fields: Fields): ForeignHolder {
  return {
    name: fields.text("name"),
    date: fields.maybeText("date"),
    reason: fields.maybeText("reason"),
    noted: fields.flag("noted"),
  };
}

/** What goes into klatch's annotation. The reason of one that the older tool took is not needed to recognise it. */
export function writtenNamed({ name, date, reason, noted }: ForeignHolder) {
  return noted === true ? { name, date, reason, noted } : { name, date };
}

function keyOf({ name, date }: Pick<ForeignHolder, "name" | "date">): string {
  return JSON.stringify([name, date]);
}
