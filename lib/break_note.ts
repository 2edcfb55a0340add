/**
 * What `break` notes in an object: who took which hold away, when and why. The holder that was robbed finds its nonce in it.
 *
 * @module
 */
import type { KubeObject } from "./lock.ts";

/** The annotation that holds the note, as JSON. The last one only. */
const BROKEN = "klatch.dev/broken";

/** A hold, or a place in the queue, that was taken away by force. */
export interface BreakNote {
  /** Who took it away. */
  readonly by: string;
  /** When, by that one's clock: RFC 3339. */
  readonly at: string;
  /** Why. */
  readonly reason?: string | undefined;
  /** Whose it was. */
  readonly identity: string;
  /** The nonce of that one; `undefined` if another tool wrote the record. */
  readonly nonce?: string | undefined;
}

/** The note in an object; `undefined` if there is none, or none that can be read. */
export function breakNoteOf({ metadata: { annotations = {} } }: KubeObject): BreakNote | undefined {
  const text = annotations[BROKEN];
  if (text === undefined) return undefined;
  try {
    const { by, at, reason, identity, nonce } = Object(JSON.parse(text));
    const isText = [by, at, identity].every((each) => typeof each === "string");
    const optional = (value: unknown) => typeof value === "string" ? value : undefined;
    return isText ? { by, at, reason: optional(reason), identity, nonce: optional(nonce) } : undefined;
  } catch {
    return undefined;
  }
}

/** The object with a note. */
export function withBreakNote(object: KubeObject, note: BreakNote): KubeObject {
  const annotations = { ...object.metadata.annotations, [BROKEN]: JSON.stringify(note) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
