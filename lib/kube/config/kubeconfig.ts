/**
 * Reads one kubeconfig file into named entries, each of which remembers the file it came from. It promises that
 * what it gives has the right shape; it does not promise that references lead anywhere (see `resolve.ts`).
 *
 * The format: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { ConfigFields, isRecord } from "./config_fields.ts";
import { decodeText, readFile, whyUnreadable } from "./read_file.ts";

/** A cluster, user or context as the file has it. */
export interface Entry {
  readonly name: string;
  readonly fields: ConfigFields;
  /** The file, as it was named. */
  readonly file: string;
}

/** The content of one file, or of several merged. */
export interface Kubeconfig {
  readonly clusters: ReadonlyMap<string, Entry>;
  readonly users: ReadonlyMap<string, Entry>;
  readonly contexts: ReadonlyMap<string, Entry>;
  readonly currentContext: string | undefined;
}

/**
 * Reads and parses one file.
 *
 * @param file the path.
 * @param signal ends the reading.
 * @returns its content, or `undefined` if there is no such file.
 * @throws {KlatchError} `config`: unreadable, malformed (with the position), or of the wrong shape.
 * @throws the reason of `signal`, when it aborts.
 */
export async function readKubeconfig(file: string, signal?: AbortSignal): Promise<Kubeconfig | undefined> {
  let text: string;
  try {
    text = decodeText(await readFile(file, signal));
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new KlatchError("config", `kubeconfig ${file} cannot be read: ${whyUnreadable(cause)}`, { cause });
  }
  return await parseKubeconfig(text, file);
}

/**
 * Parses the text of a kubeconfig, YAML or JSON.
 *
 * @param text what the file holds; empty is an empty configuration.
 * @param file its path, for messages and for relative paths.
 * @returns the entries.
 * @throws {KlatchError} `config`.
 *
 * @example
 * ```ts
 * import { parseKubeconfig } from "./kubeconfig.ts";
 *
 * const parsed = await parseKubeconfig('{"current-context":"dev"}', "config");
 * if (parsed.currentContext !== "dev") throw new Error();
 * ```
 */
export async function parseKubeconfig(text: string, file: string): Promise<Kubeconfig> {
  const root = await parseDocument(text, file) ?? {};
  if (!isRecord(root)) throw malformed(file, "it is not a mapping");
  const fields = new ConfigFields(root, `kubeconfig ${file}`);
  const kind = fields.text("kind");
  if (kind !== undefined && kind !== "Config") throw malformed(file, `its kind is ${kind}, not Config`);
  const apiVersion = fields.text("apiVersion");
  if (apiVersion !== undefined && apiVersion !== "v1") {
    throw malformed(file, `its apiVersion is ${apiVersion}, not v1`);
  }
  return {
    clusters: entries(fields, "clusters", "cluster", file),
    users: entries(fields, "users", "user", file),
    contexts: entries(fields, "contexts", "context", file),
    currentContext: fields.text("current-context"),
  };
}

async function parseDocument(text: string, file: string): Promise<unknown> {
  if (/^\s*\{/.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      // A YAML mapping may begin with a brace as well, and the YAML parser says where the fault is.
    }
  }
  // Loaded only here: a pod needs no YAML.
  const { parseYaml, YamlError } = await import("./yaml.ts");
  try {
    return parseYaml(text);
  } catch (cause) {
    if (cause instanceof YamlError) throw malformed(file, cause.message, cause);
    throw cause;
  }
}

function malformed(file: string, why: string, cause?: unknown): KlatchError {
  return new KlatchError("config", `kubeconfig ${file} is malformed: ${why}`, { cause });
}

function entries(root: ConfigFields, list: string, body: string, file: string): Map<string, Entry> {
  const found = new Map<string, Entry>();
  for (const item of root.list(list)) {
    const name = item.text("name") ?? "";
    if (found.has(name)) throw malformed(file, `${list} has two entries named "${name}"`);
    found.set(name, {
      name,
      fields: item.record(body, `kubeconfig ${file}: ${body} "${name}"`),
      file,
    });
  }
  return found;
}
