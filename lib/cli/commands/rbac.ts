/**
 * `klatch rbac NAME`: prints the least Role and RoleBinding that a lock needs.
 *
 * @module
 */
import { accessManifests, type ServiceAccount } from "../../access.ts";
import { KlatchError } from "../../errors.ts";
import { checkLockName, checkNamespace } from "../../kube/names.ts";
import { chooseCluster } from "../cluster.ts";
import type { Command } from "../command.ts";
import { clusterFlags, readCluster } from "../flag_groups/cluster.ts";
import type { Parsed } from "../flags.ts";
import { readLockName } from "../run_options.ts";
import { strategyChoice, strategyFlags } from "../strategy_flags.ts";
import { lookUntilSignal } from "../until_signal.ts";
import { warn } from "../view.ts";

/** The flags that say which object keeps the lock. */
const OBJECT_FLAGS = ["strategy", "object"];

/** The command. */
export const rbac: Command = {
  name: "rbac",
  summary: "print the least rights that a lock needs, as YAML",
  usage: "klatch rbac NAME [flags]",
  description:
    "Prints a Role and a RoleBinding that allow a service account to hold the lock NAME, and nothing else. The API\n" +
    "server cannot restrict creating to a name; all other verbs are granted on the lock's object only.",
  flags: [
    ...strategyFlags().filter(({ name }) => OBJECT_FLAGS.includes(name)),
    {
      name: "service-account",
      value: "NAME",
      help: "service account to bind, NAME or NAMESPACE:NAME (default: default)",
    },
    { name: "events", help: "grant creating Events as well, for kubectl describe and klatch history" },
    { name: "cleanup", help: "grant delete as well, which --cleanup of other commands needs" },
    ...clusterFlags,
  ],
  examples: [
    { title: "Print the rights for a lock, to pipe into kubectl apply -f -", line: "klatch rbac deploy" },
    {
      title: "For a service account of another namespace",
      line: "klatch rbac deploy -n prod --service-account ci:runner",
    },
  ],
  notes: `With --namespace, neither a kubeconfig nor a cluster is needed.
A lock of the strategy ticket is kept in a Secret: who may read that Secret can read all of it, so let it keep the lock
and nothing else.
`,
  async run(parsed, host) {
    const name = readLockName(rbac, parsed);
    const { strategies, object = name } = strategyChoice(onlyObjectFlags(parsed), () => undefined);
    const choice = readCluster(parsed);
    const given = parsed.text("service-account");
    const account = given === undefined ? undefined : readServiceAccount(given);
    const namespace = choice.namespace ??
      (await lookUntilSignal((signal) => chooseCluster(choice, host, signal))).namespace;
    const manifests = accessManifests(
      {
        strategies,
        object: { namespace, name: object },
        cleanup: parsed.on("cleanup"),
        events: parsed.on("events"),
      },
      { namespace: account?.namespace ?? namespace, name: account?.name ?? "default" },
    );
    const { stringify } = await import("yaml");
    host.print(manifests.map((each) => stringify(each, { aliasDuplicateObjects: false })).join("---\n"));
    if (strategies.some(({ resource }) => resource.kind === "Secret")) {
      warn(
        host,
        `this grants reading all of the Secret ${namespace}/${object}: keep nothing in it but the lock, and do not ` +
          "widen the rule to other names",
      );
    }
    return 0;
  },
};

/** What other commands are told by the environment, such as slots, has no bearing on rights. */
function onlyObjectFlags(parsed: Parsed): Parsed {
  return {
    ...parsed,
    text: (flag) => OBJECT_FLAGS.includes(flag) ? parsed.text(flag) : undefined,
    on: () => false,
  };
}

/** Reads `NAME` or, as kubectl has it, `NAMESPACE:NAME`. Throws KlatchError `usage`. */
function readServiceAccount(text: string): Partial<ServiceAccount> & Pick<ServiceAccount, "name"> {
  const [name = "", namespace, extra] = text.split(":").reverse();
  if (name === "" || extra !== undefined) {
    throw new KlatchError("usage", `--service-account "${text}" cannot be used`, {
      hint: "give NAME or NAMESPACE:NAME",
    });
  }
  checkLockName(name);
  if (namespace === undefined) return { name };
  checkNamespace(namespace);
  return { name, namespace };
}
