/**
 * What the answer to a write means. Unless the answer says for certain that the write was committed or that it was
 * not, the outcome is `unknown`.
 *
 * @module
 */
import type { KubeObject, ObjectRef, WriteOutcome } from "./api.ts";
import type { Answer } from "./caller.ts";
import { attempted, isNamespaceMissing, leavesOpen, parseStatus, refusal, type Verb } from "./failures.ts";
import { checkedObject, isRecord } from "./object.ts";
import { LostAnswer } from "./transport.ts";

/**
 * The outcome of a write.
 *
 * @param verb how it was written.
 * @param ref the object that was written.
 * @param answer what the server answered.
 * @throws KlatchError if the server refused the write, in its words.
 */
export function outcomeOf(verb: Verb, ref: ObjectRef, answer: Answer): WriteOutcome {
  const { status: code, text } = answer;
  if (code >= 200 && code < 300) return success(verb, ref, text);
  const status = parseStatus(text);
  const cause = refusal(verb, ref, answer);
  if (leavesOpen(code)) return { kind: "unknown", cause };
  // A webhook may refuse with any code, and a quota may be what is in conflict.
  const isOurs = status.about === undefined || status.about === ref.resource.plural;
  if (code === 409 && isOurs && cause.code === "unreachable") return { kind: "conflict", cause };
  // The server says no more of a patch whose test failed. Of an object that is not allowed it says what kind it is.
  if (verb === "patch" && code === 422 && status.isStatus && status.about === undefined) {
    return { kind: "conflict", cause };
  }
  if (code === 404 && status.reason === "NotFound" && !isNamespaceMissing(status)) return { kind: "gone" };
  throw cause;
}

/** What says yes and shows no object may be a proxy that asked nobody. */
function success(verb: Verb, ref: ObjectRef, text: string): WriteOutcome {
  try {
    const value: unknown = JSON.parse(text);
    return { kind: "done", object: verb === "delete" ? deleted(value) : checkedObject(ref, value) };
  } catch (error) {
    const why = error instanceof SyntaxError
      ? `the answer is not a Kubernetes object: ${JSON.stringify(text.slice(0, 60))}`
      : (error as Error).message;
    return { kind: "unknown", cause: new LostAnswer(`${attempted(verb, ref)}: ${why}`, { cause: error }) };
  }
}

/** A delete is answered with a Status, or with the object as it was. */
function deleted(value: unknown): KubeObject {
  if (isRecord(value) && typeof value["kind"] === "string" && value["status"] !== "Failure") {
    return value as unknown as KubeObject;
  }
  throw new LostAnswer("the answer is neither a Status nor a Kubernetes object");
}
