/**
 * The status of locks in words and tables.
 *
 * @module
 */
import type { HolderStatus, LockState, LockStatus } from "../../inspect/status.ts";
import { formatAge, printable, shortened } from "../../text.ts";
import { type Cell, type Colour, coloured, tableText } from "./table.ts";

const COLOURS: Readonly<Record<LockState, Colour>> = {
  free: "none",
  held: "green",
  expired: "yellow",
  deleting: "yellow",
  unreadable: "red",
};

/** What a text about locks depends on. */
export interface TextOptions {
  /** The local time, in milliseconds since the Unix epoch. */
  readonly wallMs: number;
  readonly colours: boolean;
}

/**
 * Everything about one lock.
 *
 * @param status the lock.
 * @param options the time, and whether to use colours.
 * @returns lines that end with line breaks.
 */
export function statusText(status: LockStatus, { wallMs, colours }: TextOptions): string {
  const { namespace, name, strategy, kind, state, slots, holders, waiters, transitions, broken } = status;
  const lines: [string, string][] = [
    ["Name", name],
    ["Namespace", namespace],
    ["Strategy", `${strategy} (${kind}/${name})`],
    ["State", coloured(state, COLOURS[state], colours)],
  ];
  if (status.error !== undefined) lines.push(["Error", clean(status.error)]);
  if (slots !== 1) lines.push(["Slots", `${holders.length} of ${slots} in use`]);
  for (const holder of holders) lines.push(...holderLines(holder, wallMs));
  if (transitions !== undefined) lines.push(["Transitions", `${transitions}`]);
  if (broken !== undefined) {
    const why = broken.reason === undefined ? "" : ` (${clean(broken.reason)})`;
    lines.push([
      "Broken",
      `${age(broken.at, wallMs)} ago by ${clean(broken.by)}${why}: ${clean(broken.identity)} was removed`,
    ]);
  }
  lines.push(["Queue", waiters.length === 0 ? "nobody waits" : `${waiters.length} waiting`]);
  const head = lines.map(([label, text]) => `${`${label}:`.padEnd(14)}${text}\n`).join("");
  if (waiters.length === 0) return head;
  const rows = waiters.map(({ place, identity, since }) => [`${place}`, identity, age(since, wallMs)]);
  const queue = tableText(["PLACE", "WAITER", "WAITING"], rows, colours);
  return head + queue.replace(/^(?=.)/gm, "  ");
}

function holderLines(holder: HolderStatus, wallMs: number): [string, string][] {
  const { identity, host, reason, since, renewed, expiresInSeconds, byKlatch } = holder;
  const lines: [string, string][] = [["Holder", clean(identity) + (byKlatch ? "" : " (not klatch)")]];
  if (host !== undefined) lines.push(["  Host", clean(host)]);
  if (reason !== undefined && reason !== "") lines.push(["  Reason", clean(reason)]);
  if (since !== undefined) lines.push(["  Since", `${age(since, wallMs)} ago (${clean(since)})`]);
  if (holder.token !== undefined) lines.push(["  Token", holder.token]);
  if (renewed !== undefined) lines.push(["  Renewed", `${age(renewed, wallMs)} ago`]);
  lines.push(["  Expires", expiry(expiresInSeconds, holder.leaseDurationSeconds)]);
  return lines;
}

function expiry(seconds: number | undefined, leaseDurationSeconds: number | undefined): string {
  if (leaseDurationSeconds === undefined) return "never";
  if (seconds === undefined) return `${leaseDurationSeconds} s after its last renewal`;
  return seconds > 0
    ? `in ${formatAge(seconds * 1000)} unless renewed`
    : `${formatAge(-seconds * 1000)} ago, and nobody has taken over`;
}

/**
 * A table of locks, a row each.
 *
 * @param locks the locks.
 * @param options the time, colours, and whether to show namespaces and more columns.
 */
export function listText(
  locks: readonly LockStatus[],
  { wallMs, colours, namespaces, wide }: TextOptions & {
    readonly namespaces: boolean;
    readonly wide: boolean;
  },
): string {
  const headings = [
    ...namespaces ? ["NAMESPACE"] : [],
    ...["NAME", "STRATEGY", "STATE", "HOLDER", "HELD", "EXPIRES", "WAITING"],
    ...wide ? ["RENEWED", "TRANSITIONS", "REASON"] : [],
  ];
  const rows = locks.map((status): Cell[] => {
    const { namespace, name, strategy, state, slots, holders, waiters, transitions } = status;
    const [first, ...more] = holders;
    const left = first?.expiresInSeconds;
    return [
      ...namespaces ? [namespace] : [],
      name,
      strategy,
      { text: slots === 1 ? state : `${state} ${holders.length}/${slots}`, colour: COLOURS[state] },
      first === undefined ? "-" : first.identity + (more.length > 0 ? ` +${more.length}` : ""),
      first?.since === undefined ? "-" : age(first.since, wallMs),
      first === undefined
        ? "-"
        : left === undefined
        ? "never"
        : left > 0
        ? formatAge(left * 1000)
        : "expired",
      `${waiters.length}`,
      ...wide
        ? [
          first?.renewed === undefined ? "-" : age(first.renewed, wallMs),
          `${transitions ?? "-"}`,
          first?.reason || "-",
        ]
        : [],
    ];
  });
  return tableText(headings, rows, colours);
}

/** How long ago a time was, by the local clock. */
function age(time: string | undefined, wallMs: number): string {
  const ms = wallMs - Date.parse(time ?? "");
  return Number.isNaN(ms) ? "-" : formatAge(Math.max(0, ms));
}

function clean(text: string): string {
  return printable(shortened(text));
}
