/**
 * `klatch status NAME`: shows who holds a lock, since when and why, and who waits.
 *
 * @module
 */
import { inspectLock } from "../../inspect/inspect.ts";
import { safeJson } from "../../text.ts";
import { chooseCluster } from "../cluster.ts";
import type { Command } from "../command.ts";
import { clusterFlags, readCluster } from "../flag_groups/cluster.ts";
import { readView, viewFlags } from "../flag_groups/view.ts";
import { listText, statusText } from "../output/status_text.ts";
import { readLockName } from "../run_options.ts";
import { lookUntilSignal } from "../until_signal.ts";
import { coloursOn, warn } from "../view.ts";

/** The command. */
export const status: Command = {
  name: "status",
  summary: "show who holds a lock, and who waits",
  usage: "klatch status NAME [flags]",
  flags: [...clusterFlags, ...viewFlags],
  examples: [
    { title: "Show who holds a lock, since when and why", line: "klatch status deploy" },
    { title: "The same for a script", line: "klatch status deploy -o json" },
  ],
  notes: `Exit status:
  0    the lock is held
  1    the lock is free, or its holder's lease has expired
  125  klatch itself failed, or the record cannot be parsed
Ages and the time until a lock expires are estimates by the local clock.
`,
  async run(parsed, host) {
    const name = readLockName(status, parsed);
    const { strategies, format } = readView(parsed);
    const found = await lookUntilSignal(async (signal) => {
      const cluster = await chooseCluster(readCluster(parsed), host, signal);
      const client = await cluster.connect((line) => warn(host, line));
      return await inspectLock(client, strategies, { namespace: cluster.namespace, name }, host.clock);
    });
    const options = { wallMs: host.clock.wall(), colours: coloursOn(host) };
    switch (format) {
      case "json":
        for (const each of found) host.print(`${safeJson(each)}\n`);
        break;
      case "yaml": {
        const { safeYaml } = await import("../output/yaml.ts");
        host.print((await Promise.all(found.map(safeYaml))).join("---\n"));
        break;
      }
      case "name":
        for (const each of found) host.print(`${each.kind.toLowerCase()}/${each.name}\n`);
        break;
      case "wide":
        host.print(listText(found, { ...options, namespaces: true, wide: true }));
        break;
      case "table":
        host.print(found.map((each) => statusText(each, options)).join("\n"));
    }
    if (found.some(({ state }) => state === "unreadable")) return 125;
    return found.some(({ state }) => state === "held" || state === "deleting") ? 0 : 1;
  },
};
