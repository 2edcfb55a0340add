/**
 * The version, kept in one place: deno.json.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };

/** klatch's version, by semantic versioning. */
export const VERSION: string = config.version;

/** How klatch introduces itself to an API server. */
export const USER_AGENT = `klatch/${VERSION}`;
