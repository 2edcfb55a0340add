/**
 * `klatch list`: shows all locks of a namespace, by whatever strategy and tool they are kept.
 *
 * @module
 */
import { listLocks } from "../../inspect/inspect.ts";
import { safeJson } from "../../text.ts";
import { chooseCluster } from "../cluster.ts";
import { type Command, expectNoWords } from "../command.ts";
import { clusterFlags, readCluster } from "../flag_groups/cluster.ts";
import { readView, viewFlags } from "../flag_groups/view.ts";
import { lineOf } from "../hints.ts";
import { listText } from "../output/status_text.ts";
import { lookUntilSignal } from "../until_signal.ts";
import { coloursOn, warn } from "../view.ts";

/** The command. */
export const list: Command = {
  name: "list",
  summary: "show all locks of a namespace",
  usage: "klatch list [flags]",
  description:
    "Shows Leases, whoever made them, and those Endpoints, Secrets and ConfigMaps that keep a lock of klatch,\n" +
    "client-go, k8s-lock-action or kube-lock. What may not be listed is left out, with a warning.",
  flags: [
    ...clusterFlags,
    { name: "all-namespaces", short: "A", help: "show the locks of all namespaces" },
    ...viewFlags,
  ],
  examples: [
    { title: "Show all locks of a namespace", line: "klatch list -n shop" },
    { title: "Show all locks of the cluster, with reasons", line: "klatch list -A -o wide" },
  ],
  async run(parsed, host) {
    expectNoWords("list", parsed);
    const { strategies, format } = readView(parsed);
    const everywhere = parsed.on("all-namespaces");
    const { locks, failures, namespace } = await lookUntilSignal(async (signal) => {
      const cluster = await chooseCluster(readCluster(parsed), host, signal);
      const lister = await cluster.connectLister((line) => warn(host, line));
      const namespace = everywhere ? undefined : cluster.namespace;
      return { ...await listLocks(lister, strategies, namespace, host.clock), namespace };
    });
    for (const failure of failures) warn(host, lineOf(failure));
    switch (format) {
      case "json":
        host.print(`${safeJson({ items: locks })}\n`);
        break;
      case "yaml": {
        const { safeYaml } = await import("../output/yaml.ts");
        host.print(await safeYaml({ items: locks }));
        break;
      }
      case "name":
        for (const each of locks) host.print(`${each.kind.toLowerCase()}/${each.name}\n`);
        break;
      default: {
        if (locks.length === 0) {
          warn(
            host,
            `no locks found ${namespace === undefined ? "in any namespace" : `in namespace ${namespace}`}`,
          );
          break;
        }
        const options = { wallMs: host.clock.wall(), colours: coloursOn(host) };
        host.print(listText(locks, { ...options, namespaces: everywhere, wide: format === "wide" }));
      }
    }
    return 0;
  },
};
