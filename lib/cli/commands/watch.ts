/**
 * `klatch watch [NAME]`: shows locks as they change.
 *
 * @module
 */
import { orAborted } from "../../abort.ts";
import { followLocks } from "../../inspect/follow.ts";
import { inspectLock, listLocks } from "../../inspect/inspect.ts";
import type { LockStatus } from "../../inspect/status.ts";
import { listenSignals, SIGNALS } from "../../process/signals.ts";
import { safeJson } from "../../text.ts";
import { chooseCluster } from "../cluster.ts";
import type { Command } from "../command.ts";
import { clusterFlags, readCluster } from "../flag_groups/cluster.ts";
import { readView, viewFlags, type ViewOptions } from "../flag_groups/view.ts";
import type { Parsed } from "../flags.ts";
import type { Host } from "../host.ts";
import { Screen } from "../output/screen.ts";
import { listText, statusText } from "../output/status_text.ts";
import { readLockName } from "../run_options.ts";
import { coloursOn, warn } from "../view.ts";

/** The command. */
export const watch: Command = {
  name: "watch",
  summary: "show locks as they change",
  usage: "klatch watch [NAME] [flags]",
  description:
    "On a terminal the screen is refreshed in place until Ctrl-C. Elsewhere each change is a line, with -o json an object.",
  flags: [
    ...clusterFlags,
    { name: "all-namespaces", short: "A", help: "show the locks of all namespaces" },
    ...viewFlags,
  ],
  examples: [
    { title: "Watch one lock and its queue", line: "klatch watch deploy" },
    { title: "Watch all locks of a namespace", line: "klatch watch -n shop" },
  ],
  async run(parsed, host) {
    const view = readView(parsed);
    const [name] = parsed.words;
    if (name !== undefined) readLockName(watch, parsed);
    using signals = listenSignals();
    const stop = new AbortController();
    signals.route((signal) => {
      if (signal !== SIGNALS.WINCH) stop.abort();
    });
    const opening = orAborted(lookAt(name, parsed, view, host, stop.signal), stop.signal);
    const look = await opening.catch((error) => {
      if (!stop.signal.aborted) throw error;
    });
    if (look === undefined) return 0;
    if (!host.outIsTerminal || host.screen === undefined || view.format === "json") {
      await followLocks({
        look,
        clock: host.clock,
        signal: stop.signal,
        onLook: (_, changed) => changed.forEach((each) => host.print(lineFor(each, view, host))),
      });
      return 0;
    }
    using screen = new Screen(host, host.screen);
    await followLocks({
      look,
      clock: host.clock,
      signal: stop.signal,
      onLook: (locks) => screen.draw(picture(locks, name, parsed, host)),
    });
    return 0;
  },
};

/** How to read the locks that were asked for. */
async function lookAt(
  name: string | undefined,
  parsed: Parsed,
  { strategies }: ViewOptions,
  host: Host,
  signal: AbortSignal,
): Promise<() => Promise<readonly LockStatus[]>> {
  const cluster = await chooseCluster(readCluster(parsed), host, signal);
  const tell = (line: string) => warn(host, line);
  if (name !== undefined) {
    const client = await cluster.connect(tell);
    const lock = { namespace: cluster.namespace, name };
    return () => inspectLock(client, strategies, lock, host.clock);
  }
  const lister = await cluster.connectLister(tell);
  const namespace = parsed.on("all-namespaces") ? undefined : cluster.namespace;
  return async () => (await listLocks(lister, strategies, namespace, host.clock)).locks;
}

function picture(locks: readonly LockStatus[], name: string | undefined, parsed: Parsed, host: Host): string {
  const options = { wallMs: host.clock.wall(), colours: coloursOn(host) };
  if (name !== undefined) return locks.map((each) => statusText(each, options)).join("\n");
  const wide = parsed.text("output") === "wide";
  return listText(locks, { ...options, namespaces: parsed.on("all-namespaces"), wide });
}

/** One change as a line. */
function lineFor(status: LockStatus, { format }: ViewOptions, host: Host): string {
  if (format === "json") return `${safeJson(status)}\n`;
  const time = new Date(host.clock.wall()).toISOString();
  const options = { wallMs: host.clock.wall(), colours: false, namespaces: true, wide: format === "wide" };
  const [, row = ""] = listText([status], options).split("\n");
  return `${time}   ${row}\n`;
}
