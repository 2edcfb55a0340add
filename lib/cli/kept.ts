/**
 * What `check` and `release` are told: which of this machine's keepers they are about.
 *
 * @module
 */
import type { KeeperState, StateQuery } from "../keeper/state.ts";
import type { Command } from "./command.ts";
import { clusterFlags } from "./flag_groups/cluster.ts";
import { outputFlags, readOutput } from "./flag_groups/output.ts";
import type { Flag, Parsed } from "./flags.ts";
import { checkNamespace } from "../kube/names.ts";
import type { Host } from "./host.ts";
import { Reporter } from "./output/reporter.ts";
import { readLockName } from "./run_options.ts";

/** Their flags. Those of the cluster are accepted so that the same ones serve as for `acquire`; only the namespace counts. */
export const keptFlags: readonly Flag[] = [
  ...clusterFlags,
  {
    name: "strategy",
    value: "NAME",
    // A command under a lock has the variable from that lock, and may have acquired this one in another way.
    variable: false,
    help: "how the lock is kept, if there are several of its name",
  },
  ...outputFlags,
];

/** Which lock, and where to report. */
export interface KeptOptions {
  readonly query: StateQuery;
  readonly reporter: Reporter;
  /** Reports about the hold that was found. */
  readonly reporterOf: (state: KeeperState) => Reporter;
}

/** Reads the arguments. Throws KlatchError `usage`. */
export function readKept(command: Command, parsed: Parsed, host: Host): KeptOptions {
  const name = readLockName(command, parsed);
  const [namespace, strategy] = [parsed.text("namespace"), parsed.text("strategy")];
  if (namespace !== undefined) checkNamespace(namespace);
  const log = readOutput(parsed);
  const lock = { namespace: namespace ?? "", name };
  return {
    query: { name, namespace, strategy },
    reporter: new Reporter(host, log, lock, strategy ?? ""),
    reporterOf: ({ namespace, name, strategy }) => new Reporter(host, log, { namespace, name }, strategy),
  };
}
