/**
 * The table of strategies. A new one is one file, one line here, and the contract suite.
 *
 * @module
 */
import type { Strategy } from "../lock.ts";
import { endpoints } from "./endpoints.ts";
import { lease } from "./lease.ts";
import { semaphore } from "./semaphore.ts";
import { ticket } from "./ticket.ts";

/** Every strategy by its name on the command line; the first is the default. */
export const strategies: readonly Strategy[] = [lease, endpoints, ticket, semaphore];
