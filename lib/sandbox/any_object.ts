/**
 * An object of any kind, as the store keeps it: the store knows few of its fields.
 *
 * @module
 */
import type { KubeObject } from "../lock.ts";

/** See above. */
export interface AnyObject extends KubeObject {
  readonly [field: string]: unknown;
}
