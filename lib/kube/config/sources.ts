/**
 * Which kubeconfigs are read: the one that was asked for, the one in `KLATCH_KUBECONFIG_DATA`, those in `KUBECONFIG`,
 * or `~/.kube/config`, in this order.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { type Kubeconfig, parseKubeconfig, readKubeconfig } from "./kubeconfig.ts";
import { isStream, readText, whyUnreadable } from "./read_file.ts";
import type { ConfigRequest, Env } from "./types.ts";

/** Holds a kubeconfig, plain or as base64, for places where secrets are variables; it is never written to a file. */
export const DATA_VARIABLE = "KLATCH_KUBECONFIG_DATA";

/** Text that can be base64; a kubeconfig cannot, as it has colons. */
const BASE64 = /^[A-Za-z0-9+/=\s]+$/;

/** What was found. */
export interface Sources {
  /** By name, in order of precedence. */
  readonly found: ReadonlyMap<string, Kubeconfig>;
  /** Why there is none, for messages; for a look at an empty list. */
  readonly missing: string;
  /** Why `~/.kube/config`, which nobody has asked for, was not read although it is there. */
  readonly unreadable?: KlatchError;
}

/**
 * Reads the kubeconfigs.
 *
 * @param request flags, environment, signal.
 * @throws {KlatchError} `config`: one that was asked for cannot be read, or one is malformed.
 * @throws the reason of the request's signal, when it aborts.
 */
export async function readSources({ kubeconfig, env, signal }: ConfigRequest): Promise<Sources> {
  if (kubeconfig) return await readWanted(kubeconfig, signal);
  const data = env(DATA_VARIABLE)?.trim();
  if (data) return await readData(data);
  const listed = env("KUBECONFIG");
  if (listed) return await readListed(listed, signal);
  return await readDefault(env, signal);
}

/**
 * Reads the kubeconfig that is to be read if it can be read only once, for who needs it a second time.
 *
 * @param request flags, environment, signal.
 * @returns its text, which {@link readSources} takes from `KLATCH_KUBECONFIG_DATA`; `undefined` for files.
 * @throws {KlatchError} `config` if it cannot be read.
 * @throws the reason of the request's signal, when it aborts.
 */
export async function readStream({ kubeconfig, env, signal }: ConfigRequest): Promise<string | undefined> {
  const file = kubeconfig || (env(DATA_VARIABLE)?.trim() ? undefined : env("KUBECONFIG"));
  if (!file || !await isStream(file)) return undefined;
  try {
    return await readText(file, signal);
  } catch (cause) {
    signal?.throwIfAborted();
    throw new KlatchError("config", `kubeconfig ${file} cannot be read: ${whyUnreadable(cause)}`, { cause });
  }
}

async function readWanted(file: string, signal: AbortSignal | undefined): Promise<Sources> {
  refuseContent(file, "the name of the kubeconfig");
  const parsed = await readKubeconfig(file, signal);
  if (parsed !== undefined) return { found: new Map([[file, parsed]]), missing: "" };
  throw new KlatchError("config", `kubeconfig ${file} does not exist`, { hint: "check the path" });
}

async function readData(data: string): Promise<Sources> {
  const name = `$${DATA_VARIABLE}`;
  const text = BASE64.test(data) ? decoded(data) : data;
  if (text === undefined) {
    throw new KlatchError("config", `${name} is neither a kubeconfig nor the base64 of one`, {
      hint: `set it to the output of: kubectl config view --raw --minify | base64 -w0`,
    });
  }
  return { found: new Map([[name, await parseKubeconfig(text, name)]]), missing: "" };
}

async function readListed(listed: string, signal: AbortSignal | undefined): Promise<Sources> {
  refuseContent(listed, "the value of KUBECONFIG");
  const files = [...new Set(listed.split(":").filter((file) => file !== ""))];
  const found = new Map<string, Kubeconfig>();
  for (const file of files) {
    const parsed = await readKubeconfig(file, signal);
    if (parsed !== undefined) found.set(file, parsed);
  }
  const missing = files.length === 0 ? "KUBECONFIG names no file" : `there is no ${files.join(" and no ")}`;
  return { found, missing };
}

async function readDefault(env: Env, signal: AbortSignal | undefined): Promise<Sources> {
  const home = env("HOME");
  if (!home) return { found: new Map(), missing: "HOME is not set" };
  const file = `${home}/.kube/config`;
  const missing = `there is no ${file}`;
  try {
    const parsed = await readKubeconfig(file, signal);
    return { found: new Map(parsed === undefined ? [] : [[file, parsed]]), missing };
  } catch (error) {
    const cause = error instanceof KlatchError ? error.cause : undefined;
    // HOME may be /dev/null, or a folder that belongs to another user, as in an image that is run as nobody.
    if (cause instanceof Deno.errors.NotADirectory) return { found: new Map(), missing };
    if (!(error instanceof KlatchError) || !(cause instanceof Deno.errors.PermissionDenied)) throw error;
    return { found: new Map(), missing, unreadable: error };
  }
}

/** A kubeconfig in place of its path would be shown in every message about a file that does not exist. */
function refuseContent(value: string, where: string): void {
  const text = BASE64.test(value) ? decoded(value) : value;
  if (text === undefined || !/clusters["']?\s*:/.test(text)) return;
  throw new KlatchError("config", `${where} is a kubeconfig, and not the path of one`, {
    hint: `put it into ${DATA_VARIABLE}`,
  });
}

/** The text behind base64, if it is that. */
function decoded(base64: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.fromBase64(base64));
  } catch {
    return undefined;
  }
}
