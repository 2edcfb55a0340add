/**
 * The flags for what the record says of the holder.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import { parseLabels } from "../../kube/names.ts";
import type { Flag, FlagValues } from "../flags.ts";

/** The flags. */
export const identityFlags: readonly Flag[] = [
  {
    name: "identity",
    short: "i",
    value: "NAME",
    help: "name of the holder in the record (default: the host's or pod's name and a nonce)",
  },
  { name: "reason", value: "TEXT", help: "reason for holding the lock, shown to waiters" },
  { name: "labels", value: "K=V,…", help: "labels for the object" },
];

/** What the flags say. */
export interface IdentityOptions {
  /** The holder's name; `undefined`: the host's, and a nonce. */
  readonly identity: string | undefined;
  readonly reason: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

/** Reads the flags. Throws KlatchError `usage` for an empty identity and for labels that Kubernetes would refuse. */
export function readIdentity(values: FlagValues): IdentityOptions {
  const identity = values.text("identity");
  if (identity === "") {
    throw new KlatchError("usage", "--identity is empty", {
      hint: "give a name: an empty holder in the record means that the lock is free",
    });
  }
  return { identity, reason: values.text("reason"), labels: parseLabels(values.text("labels") ?? "") };
}
