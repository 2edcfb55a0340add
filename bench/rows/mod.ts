/**
 * The table of rows: a new one is a file and a line here.
 *
 * @module
 */

import type { Row } from "../context.ts";
import { distance } from "./distance.ts";
import { distanceHandover } from "./distance_handover.ts";
import { handover } from "./handover.ts";
import { memory } from "./memory.ts";
import { mixed } from "./mixed.ts";
import { processor } from "./processor.ts";
import { requests } from "./requests.ts";
import { scale } from "./scale.ts";
import { size } from "./size.ts";
import { throughput } from "./throughput.ts";
import { uncontended } from "./uncontended.ts";

/** All rows, in the order in which they are measured. */
export const rows: readonly Row[] = [
  uncontended,
  handover,
  throughput,
  requests,
  distance,
  distanceHandover,
  mixed,
  memory,
  processor,
  size,
  scale,
];
