/**
 * `klatch history NAME`: shows what Events tell of a lock.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import { entryOf, EVENTS, type HistoryEntry } from "../../history/event.ts";
import { holdsOf } from "../../history/holds.ts";
import type { Strategy } from "../../lock.ts";
import { formatDuration, safeJson } from "../../text.ts";
import { chooseCluster } from "../cluster.ts";
import type { Command } from "../command.ts";
import { clusterFlags, readCluster } from "../flag_groups/cluster.ts";
import { readView, viewFlags } from "../flag_groups/view.ts";
import { type Cell, tableText } from "../output/table.ts";
import { readLockName } from "../run_options.ts";
import { coloursOn, warn } from "../view.ts";

const FORMATS = ["table", "json", "yaml", "svg"] as const;

/** The command. */
export const history: Command = {
  name: "history",
  summary: "show who held a lock when, as far as Events tell",
  usage: "klatch history NAME [flags]",
  description:
    "Shows the Events about a lock: who acquired it, released it, lost it, took it over or broke it. Kubernetes keeps\n" +
    "Events for an hour by default. Holders that may not create Events, or were told not to, are missing.",
  flags: [
    ...clusterFlags,
    ...viewFlags.filter(({ name }) => name === "strategy"),
    { name: "output", short: "o", value: "FORMAT", choices: FORMATS, help: `format: ${FORMATS.join(", ")}` },
  ],
  examples: [
    { title: "Show what has happened to a lock", line: "klatch history deploy" },
    { title: "Draw it as a timeline", line: "klatch history deploy -o svg > deploy.svg" },
  ],
  notes: `Exit status:
  0    there are Events
  1    there are none
  125  klatch itself failed
`,
  async run(parsed, host) {
    const name = readLockName(history, parsed);
    const format = parsed.text("output") ?? "table";
    if (!FORMATS.some((each) => each === format)) {
      throw new KlatchError("usage", `--output: there is no format "${format}"`, {
        hint: `choose one of: ${FORMATS.join(", ")}`,
      });
    }
    const { strategies } = readView({
      on: parsed.on,
      text: (flag) => flag === "output" ? undefined : parsed.text(flag),
    });
    const cluster = await chooseCluster(readCluster(parsed), host);
    const list = await cluster.connectLister((line) => warn(host, line));
    const events = await list(EVENTS, cluster.namespace, `involvedObject.name=${name}`);
    const entries = entriesOf(events.map(entryOf), strategies);
    const lock = `${cluster.namespace}/${name}`;
    if (entries.length === 0) warn(host, `there are no Events about ${lock}`);
    switch (format) {
      case "json":
        host.print(`${safeJson({ items: entries })}\n`);
        break;
      case "yaml": {
        const { stringify } = await import("yaml");
        host.print(stringify({ items: entries }));
        break;
      }
      case "svg": {
        const holds = holdsOf(entries);
        const { timelineSvg } = await import("../../history/timeline_svg.ts");
        if (holds.length > 0) host.print(timelineSvg(lock, holds, host.clock.wall()));
        break;
      }
      default:
        if (entries.length > 0) host.print(historyText(entries, coloursOn(host)));
    }
    return entries.length > 0 ? 0 : 1;
  },
};

/** The entries about objects that can keep a lock, the oldest first. */
function entriesOf(entries: readonly HistoryEntry[], strategies: readonly Strategy[]): HistoryEntry[] {
  return entries.filter(({ kind }) => strategies.some(({ resource }) => resource.kind === kind))
    .toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at));
}

function historyText(entries: readonly HistoryEntry[], colours: boolean): string {
  const rows = entries.map((entry): Cell[] => {
    const { at, event, holder, token, waitedMs, heldMs } = entry;
    const isBad = event === "lost" || event === "broken";
    return [
      at.replace(/\.\d+Z$/, "Z"),
      { text: event, colour: isBad ? "red" : event === "took-over" ? "yellow" : "none" },
      holder ?? "-",
      token ?? "-",
      waitedMs === undefined ? "-" : formatDuration(waitedMs),
      heldMs === undefined ? "-" : formatDuration(heldMs),
      detail(entry) || "-",
    ];
  });
  return tableText(["TIME", "EVENT", "HOLDER", "TOKEN", "WAITED", "HELD", "DETAIL"], rows, colours);
}

function detail({ event, from, by, reason, message }: HistoryEntry): string {
  const why = reason ?? "";
  if (event === "took-over") return `from ${from ?? "?"}${why && `: ${why}`}`;
  if (event === "broken") return `by ${by ?? "?"}${why && `: ${why}`}`;
  return event === "other" ? message : why;
}
