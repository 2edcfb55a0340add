/**
 * What happened to the store, newest last, as far back as it is kept, and those who want to hear of it. Promise:
 * a watcher that starts at a version hears of every later change exactly once and in order, or is told that the
 * version is too old.
 *
 * @module
 */
import type { AnyObject } from "./any_object.ts";
import type { ResourceType } from "./resources.ts";
import type { Selector } from "./selectors.ts";
import { expired, type Status } from "./status.ts";

/** One committed write. */
export interface Change {
  readonly version: number;
  readonly type: ResourceType;
  /** The object from now on; nothing after a delete. */
  readonly object: AnyObject | undefined;
  /** The object before; nothing before a create. */
  readonly previous: AnyObject | undefined;
}

/** What a watch tells. After `ERROR` it tells no more. */
export type StoreEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: AnyObject }
  | { readonly type: "ERROR"; readonly object: Status };

/** A watcher's ear. */
export type Listener = (event: StoreEvent) => void;

/** Who listens, and to what. */
export interface Audience {
  readonly type: ResourceType;
  readonly selects: Selector;
  readonly listener: Listener;
}

interface Watcher extends Audience {
  /** The newest version that this one was told of or does not want to hear of. */
  seen: number;
}

/** The log of changes and its watchers. */
export class History {
  readonly #length: number;
  readonly #watchers = new Set<Watcher>();
  readonly #untold: Change[] = [];
  #changes: Change[] = [];
  #telling = false;
  /** The newest version that is forgotten: a watch may start here, and not before. */
  #floor = 0;

  /** @param length how many changes are kept, at least 0. */
  constructor(length: number) {
    this.#length = length;
  }

  /** Records a change and tells the watchers. */
  append(change: Change): void {
    this.#changes.push(change);
    while (this.#changes.length > this.#length) this.#floor = this.#changes.shift()!.version;
    this.#untold.push(change);
    // A listener that writes gets here again; its change waits, so that all hear of both in the same order.
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let next = this.#untold.shift(); next !== undefined; next = this.#untold.shift()) {
        for (const watcher of [...this.#watchers]) if (this.#watchers.has(watcher)) onEvent(watcher, next);
      }
    } finally {
      this.#telling = false;
    }
  }

  /** Forgets all changes up to now; running watches go on. */
  compact(): void {
    this.#floor = this.#changes.at(-1)?.version ?? this.#floor;
    this.#changes = [];
  }

  /** Ends every running watch with the error that a real server gives when it cannot go on. */
  expireWatches(current: number): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const { listener, seen } of watchers) listener(tooOld(seen, current));
  }

  /**
   * Listens.
   *
   * @param after the version after which changes are told; it may lie in the future.
   * @param current the store's version.
   * @returns stops the listening.
   */
  watch(audience: Audience, after: number, current: number): () => void {
    if (after < this.#floor) {
      audience.listener(tooOld(after, current));
      return () => {};
    }
    const watcher: Watcher = { ...audience, seen: after };
    this.#watchers.add(watcher);
    for (const change of [...this.#changes]) onEvent(watcher, change);
    return () => void this.#watchers.delete(watcher);
  }
}

function tooOld(asked: number, current: number): StoreEvent {
  return { type: "ERROR", object: expired(`too old resource version: ${asked} (${current})`).status };
}

function onEvent(watcher: Watcher, change: Change): void {
  if (change.version <= watcher.seen) return;
  watcher.seen = change.version;
  if (change.type !== watcher.type) return;
  const { object, previous, version } = change;
  const now = object !== undefined && watcher.selects(object);
  const before = previous !== undefined && watcher.selects(previous);
  if (now) watcher.listener({ type: before ? "MODIFIED" : "ADDED", object });
  else if (before) watcher.listener({ type: "DELETED", object: atVersion(previous, version) });
}

/** The object as it last was, with the version of the write that took it out of sight. */
function atVersion(object: AnyObject, version: number): AnyObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
}
