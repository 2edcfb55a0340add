/**
 * Writes an Event and its words.
 *
 * @module
 */
import type { BreakNote } from "../break_note.ts";
import type { KubeClient } from "../kube/api.ts";
import { formatDuration, shortened } from "../text.ts";
import { cut, type EventFacts, eventObject, EVENTS } from "./event.ts";

const SEND_TIMEOUT_MS = 5_000;
/** How long klatch break waits for its Event. */
const BREAK_WITHIN_MS = 2_000;

/**
 * Writes one Event.
 *
 * @param client the way to the API server.
 * @param subject the object that keeps the lock.
 * @param facts what happened.
 * @param id tells it from others.
 * @param signal gives it up.
 * @returns `false` if the server does not take Events from klatch.
 */
export async function sendEvent(
  client: KubeClient,
  subject: Parameters<typeof eventObject>[0],
  facts: EventFacts,
  id: string,
  signal: AbortSignal,
): Promise<boolean> {
  const object = eventObject(subject, facts, id, messageOf(facts));
  const ref = { resource: EVENTS, namespace: subject.namespace, name: object.metadata.name };
  try {
    await client.create(ref, object, { signal, timeoutMs: SEND_TIMEOUT_MS });
    return true;
  } catch {
    return false;
  }
}

/**
 * Writes the Event of a hold that was taken away by force; what the server refuses is left out.
 *
 * @param client the way to the API server.
 * @param subject the object that keeps the lock.
 * @param note who broke it, and why.
 * @param id tells it from others.
 */
export async function recordBreak(
  client: KubeClient,
  subject: Parameters<typeof eventObject>[0],
  { by, at, identity, nonce, reason }: BreakNote,
  id: string,
): Promise<void> {
  const facts = {
    event: "broken",
    at,
    holder: cut(identity),
    nonce,
    by: cut(by),
    reason: reason && cut(reason),
  } as const;
  await sendEvent(client, subject, facts, id, AbortSignal.timeout(BREAK_WITHIN_MS));
}

function messageOf({ event, holder, token, reason, from, by, heldMs, waitedMs = 0 }: EventFacts): string {
  const who = shortened(holder);
  const details = [
    ...token === undefined ? [] : [`token ${token}`],
    ...waitedMs < 1_000 || event === "released" ? [] : [`waited ${formatDuration(waitedMs)}`],
    ...reason === undefined ? [] : [`reason: ${reason}`],
  ].join(", ");
  const more = details === "" ? "" : ` (${details})`;
  switch (event) {
    case "acquired":
      return `${who} acquired the lock${more}`;
    case "took-over":
      return `${who} took over from ${shortened(from ?? "")}, whose lease expired${more}`;
    case "released":
      return `${who} released the lock after ${formatDuration(heldMs ?? 0)}${more}`;
    case "lost":
      return `${who} lost the lock${more}`;
    case "broken":
      return `${shortened(by ?? "")} took the lock away from ${who}${more}`;
  }
}
