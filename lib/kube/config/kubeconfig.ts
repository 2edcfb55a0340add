/**
 * Reads one kubeconfig file into named entries, each of which remembers the file it came from. It promises that
 * what is there has the right shape; it does not promise that references lead anywhere (see `select.ts`).
 *
 * The format: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { parsePlainYaml } from "./plain_yaml.ts";

/** A cluster, user or context as the file has it. */
export interface Entry {
  readonly name: string;
  readonly fields: Fields;
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
 * @returns its content, or `undefined` where there is no such file.
 * @throws {KlatchError} `config`: unreadable, malformed (with the position), or of the wrong shape.
 */
export async function readKubeconfig(file: string): Promise<Kubeconfig | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new KlatchError("config", `kubeconfig ${file} cannot be read: ${why}`, { cause });
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
  const fields = new Fields(root, `kubeconfig ${file}`);
  const kind = fields.text("kind");
  if (kind !== undefined && kind !== "Config") throw malformed(file, `its kind is ${kind}, not Config`);
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
  const plain = parsePlainYaml(text);
  if (plain !== undefined) return plain;
  const { parse } = await import("@std/yaml");
  try {
    return parse(text, { schema: "core" });
  } catch (cause) {
    throw malformed(file, cause instanceof Error ? firstLine(cause.message) : String(cause), cause);
  }
}

/** The parser shows the offending line below its message; a kubeconfig's lines may be secrets. */
function firstLine(message: string): string {
  return (message.split("\n", 1)[0] ?? "").replace(/:$/, "");
}

function malformed(file: string, why: string, cause?: unknown): KlatchError {
  return new KlatchError("config", `kubeconfig ${file} is malformed: ${why}`, { cause });
}

function entries(root: Fields, list: string, body: string, file: string): Map<string, Entry> {
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

/** A mapping whose values are taken out by type; a wrong type is an error that names the field. */
export class Fields {
  /**
   * @param values the mapping as parsed.
   * @param where what it is, for messages.
   */
  constructor(readonly values: Readonly<Record<string, unknown>>, readonly where: string) {}

  /** A string; empty and null count as absent. A number or boolean is refused, not turned into text. */
  text(field: string): string | undefined {
    const value = this.values[field];
    if (value === undefined || value === null || value === "") return undefined;
    if (typeof value === "string") return value;
    const hint = typeof value === "object" ? undefined : "put it in quotes";
    throw this.wrong(field, "must be a string", hint);
  }

  /** A boolean; absent and null count as false. */
  flag(field: string): boolean {
    const value = this.values[field] ?? false;
    if (typeof value === "boolean") return value;
    throw this.wrong(field, "must be true or false");
  }

  /** A nested mapping; absent and null count as empty. */
  record(field: string, where = `${this.where}: ${field}`): Fields {
    const value = this.values[field] ?? {};
    if (isRecord(value)) return new Fields(value, where);
    throw this.wrong(field, "must be a mapping");
  }

  /** A list of mappings; absent and null count as empty. */
  list(field: string): Fields[] {
    return this.array(field).map((item, index) => {
      if (isRecord(item)) return new Fields(item, `${this.where}: ${field}[${index}]`);
      throw this.wrong(`${field}[${index}]`, "must be a mapping");
    });
  }

  /** A list of strings; absent and null count as empty. */
  texts(field: string): string[] {
    return this.array(field).map((item, index) => {
      if (typeof item === "string") return item;
      throw this.wrong(`${field}[${index}]`, "must be a string", "put it in quotes");
    });
  }

  /** Whether the field is there and not null. */
  has(field: string): boolean {
    return (this.values[field] ?? undefined) !== undefined;
  }

  private array(field: string): unknown[] {
    const value = this.values[field] ?? [];
    if (Array.isArray(value)) return value;
    throw this.wrong(field, "must be a list");
  }

  private wrong(field: string, why: string, hint?: string): KlatchError {
    return new KlatchError("config", `${this.where}: ${field} ${why}`, hint === undefined ? {} : { hint });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
