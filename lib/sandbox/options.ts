/**
 * What goes into a store and its writes besides objects, and what comes out of a write.
 *
 * @module
 */
import type { AnyObject } from "./any_object.ts";
import type { FieldValidation } from "./codec.ts";

/** What a store needs from the world. */
export interface StoreOptions {
  /** Milliseconds since the Unix epoch, for creation timestamps. */
  readonly now: () => number;
  /** A number from 0 up to, not including, 1, for uids and generated names. */
  readonly random: () => number;
  /** How many changes a watch can catch up on, at least 0; 1000 unless told. */
  readonly historyLength?: number;
}

/** How to write. */
export interface WriteOptions {
  /** Check everything, commit nothing. */
  readonly dryRun?: boolean;
  /** `Warn` unless told. */
  readonly fieldValidation?: FieldValidation;
}

/** What a write did. */
export interface Written {
  readonly object: AnyObject;
  /** Whether the object did not exist before. */
  readonly created: boolean;
  /** About unknown fields, which are dropped. */
  readonly warnings: readonly string[];
}
