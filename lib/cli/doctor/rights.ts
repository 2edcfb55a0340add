/**
 * Which verbs the server grants, by strategy.
 *
 * @module
 */
import { verbsFor } from "../../access.ts";
import type { ApiProbe } from "../../kube/probe.ts";
import type { Strategy } from "../../lock.ts";
import { asKlatchError } from "../../errors.ts";
import { type Check, untried } from "./check.ts";

/** What rights are asked about. */
export interface RightsQuestion {
  readonly namespace: string;
  /** The lock; `undefined`: any. */
  readonly name: string | undefined;
  readonly strategies: readonly Strategy[];
  /** The strategies that have to work. */
  readonly needed: readonly Strategy[];
}

/** A finding for each strategy. */
export async function rightsChecks(probe: ApiProbe, question: RightsQuestion): Promise<Check[]> {
  return await Promise.all(question.strategies.map((strategy) => rightsCheck(probe, strategy, question)));
}

async function rightsCheck(probe: ApiProbe, strategy: Strategy, question: RightsQuestion): Promise<Check> {
  const { resource, name: kept } = strategy;
  const { namespace, name } = question;
  const title = `rights (${kept})`;
  const verbs = verbsFor(strategy, false);
  let answers: (boolean | undefined)[];
  try {
    answers = await Promise.all(verbs.map((verb) =>
      // The name of an object that is to be created is not known when the request is authorized.
      probe.mayI({ verb, resource, namespace, ...(verb !== "create" && { name }) })
    ));
  } catch (error) {
    return untried(title, asKlatchError(error).message);
  }
  if (answers.includes(undefined)) return untried(title, "the server does not say what is allowed");
  const missing = verbs.filter((_, i) => answers[i] === false);
  const what = name === undefined ? resource.plural : `${resource.plural} ${name}`;
  if (missing.length === 0) return { name: title, state: "ok", fact: `may ${list(verbs)} ${what}` };
  const fact = `may not ${list(missing)} ${what} in namespace ${namespace}`;
  if (!question.needed.includes(strategy)) {
    return { name: title, state: "note", fact: `${fact}; needed only with --strategy ${kept}` };
  }
  if (name === undefined && !missing.includes("create")) {
    return {
      name: title,
      state: "note",
      fact: `${fact}, except perhaps those of some names`,
      remedy: "ask about one lock: klatch doctor NAME",
    };
  }
  const watchOnly = missing.every((verb) => verb === "watch")
    ? "; klatch polls instead, which is slower"
    : "";
  const flag = kept === "lease" ? "" : ` --strategy ${kept}`;
  return {
    name: title,
    state: "bad",
    fact: fact + watchOnly,
    remedy: `have somebody who may apply what this prints: klatch rbac ${
      name ?? "NAME"
    } -n ${namespace}${flag}`,
  };
}

function list(verbs: readonly string[]): string {
  return verbs.join(", ");
}
