/**
 * What happened to a lock, as an Event of Kubernetes: readable by `kubectl describe` and `kubectl get events`, and, by an
 * annotation, by `klatch history`. Events are kept for an hour by default, and are no part of the lock: nothing
 * depends on them.
 *
 * @see {@link https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/}
 * @module
 */
import type { KubeObject, LockName, Resource } from "../lock.ts";
import { shortened } from "../text.ts";

/** Events of the core group, which `kubectl describe` looks for. */
export const EVENTS: Resource = { apiVersion: "v1", kind: "Event", plural: "events" };

/** The annotation that has an event's facts as JSON. */
const FACTS = "klatch.dev/event";
/** The API server takes messages of up to 1,024 characters. */
const LONGEST_MESSAGE = 1_000;
const LONGEST_REASON = 300;

/** What can happen to a lock. */
export const EVENT_KINDS = ["acquired", "took-over", "released", "lost", "broken"] as const;

/** One of {@link EVENT_KINDS}. */
export type EventKind = typeof EVENT_KINDS[number];

/** What klatch notes of an event. Times are RFC 3339, by the clock of the one who notes them. */
export interface EventFacts {
  readonly event: EventKind;
  readonly at: string;
  /** Whom it is about: the holder, or who was removed. */
  readonly holder: string;
  /** The holder's nonce, which tells two holds of one name apart. */
  readonly nonce?: string | undefined;
  readonly token?: string | undefined;
  /** Since when it is or was held. */
  readonly since?: string | undefined;
  /** How long the holder waited before, in milliseconds. */
  readonly waitedMs?: number | undefined;
  /** How long it was held, in milliseconds. */
  readonly heldMs?: number | undefined;
  /** Who lost it by expiry (`took-over`). */
  readonly from?: string | undefined;
  /** The nonce of that one. */
  readonly fromNonce?: string | undefined;
  /** Who broke it. */
  readonly by?: string | undefined;
  /** Why it was acquired, lost or broken. */
  readonly reason?: string | undefined;
}

/** An event about a lock, klatch's or another tool's. */
export interface HistoryEntry extends Omit<EventFacts, "event" | "holder"> {
  /** `other` for an event of another tool. */
  readonly event: EventKind | "other";
  readonly holder: string | undefined;
  /** The object's kind. */
  readonly kind: string;
  /** The event in words. */
  readonly message: string;
}

/** What an event is about. */
export interface EventSubject extends LockName {
  readonly resource: Resource;
  /** `kubectl describe` shows events of this very object only. */
  readonly uid: string | undefined;
}

/**
 * The Event to write.
 *
 * @param subject the object that keeps the lock.
 * @param facts what happened.
 * @param id tells it from others; lower-case letters and digits.
 * @param message the event in words.
 *
 * @example
 * ```ts
 * import { entryOf, eventObject } from "./event.ts";
 *
 * const resource = { apiVersion: "v1", kind: "Secret", plural: "secrets" };
 * const subject = { resource, namespace: "default", name: "deploy", uid: "u" };
 * const facts = { event: "acquired", at: "2026-11-27T12:00:00.000Z", holder: "ci-7" } as const;
 * const entry = entryOf(eventObject(subject, facts, "1", "ci-7 acquired the lock"));
 * if (entry.event !== "acquired" || entry.holder !== "ci-7") throw new Error(JSON.stringify(entry));
 * ```
 */
export function eventObject(
  { resource, namespace, name, uid }: EventSubject,
  facts: EventFacts,
  id: string,
  message: string,
): KubeObject {
  const { apiVersion, kind } = resource;
  const time = `${facts.at.slice(0, 19)}Z`;
  const event = {
    apiVersion: EVENTS.apiVersion,
    kind: EVENTS.kind,
    metadata: {
      name: `${name.slice(0, 200).replace(/[-.]+$/, "")}.${id}`,
      namespace,
      annotations: { [FACTS]: JSON.stringify(facts) },
    },
    involvedObject: { apiVersion, kind, namespace, name, ...(uid !== undefined && { uid }) },
    reason: REASONS[facts.event],
    message: shortened(message, LONGEST_MESSAGE),
    type: facts.event === "lost" || facts.event === "broken" ? "Warning" : "Normal",
    source: { component: "klatch" },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
  return event;
}

const REASONS: Readonly<Record<EventKind, string>> = {
  "acquired": "Acquired",
  "took-over": "TookOver",
  "released": "Released",
  "lost": "Lost",
  "broken": "Broken",
};

/** A reason as it goes into an event. */
export function cut(reason: string): string {
  return shortened(reason, LONGEST_REASON);
}

/** An Event as an entry of a lock's history. What others have written is taken as text and numbers only. */
export function entryOf(object: KubeObject): HistoryEntry {
  const fields = Object(object);
  const { involvedObject, message, firstTimestamp, eventTime, lastTimestamp } = fields;
  const common = { kind: text(Object(involvedObject).kind) ?? "", message: text(message) ?? "" };
  const facts = factsOf(object);
  if (facts !== undefined) return { ...common, ...facts };
  const at = [firstTimestamp, eventTime, lastTimestamp, object.metadata.creationTimestamp].map(text)
    .find((each) => each !== undefined);
  return { ...common, event: "other", at: at ?? "", holder: undefined };
}

function factsOf({ metadata }: KubeObject): EventFacts | undefined {
  try {
    const facts = Object(JSON.parse(metadata.annotations?.[FACTS] ?? ""));
    const event = EVENT_KINDS.find((kind) => kind === facts.event);
    const [at, holder] = [text(facts.at), text(facts.holder)];
    if (event === undefined || holder === undefined || at === undefined || Number.isNaN(Date.parse(at))) {
      return undefined;
    }
    return {
      event,
      at,
      holder,
      nonce: text(facts.nonce),
      token: text(facts.token),
      since: text(facts.since),
      waitedMs: number(facts.waitedMs),
      heldMs: number(facts.heldMs),
      from: text(facts.from),
      fromNonce: text(facts.fromNonce),
      by: text(facts.by),
      reason: text(facts.reason),
    };
  } catch {
    return undefined;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 && value < 1e15 ? value : undefined;
}
