/**
 * Reads JSON records field by field. What cannot be read is reported with object and field, and what is written there
 * is not shown: the object may be a Secret.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import { type Contender, type KubeObject, MANAGED_BY_KLATCH, MANAGED_BY_LABEL } from "../lock.ts";

/** One JSON object in a record, and where it is. */
export class Fields {
  readonly #object: KubeObject;
  readonly #path: string;
  readonly #values: Readonly<Record<string, unknown>>;

  /**
   * @param object the Kubernetes object, for errors.
   * @param path where in it, for errors, e.g. `data.next_build`.
   * @param value what is there.
   * @throws KlatchError `record` unless it is an object.
   */
  constructor(object: KubeObject, path: string, value: unknown) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw unreadable(object, path, "a JSON object");
    }
    this.#object = object;
    this.#path = path;
    this.#values = value as Record<string, unknown>;
  }

  /**
   * Parses text.
   *
   * @throws KlatchError `record` unless it is a JSON object.
   */
  static parse(object: KubeObject, path: string, text: string): Fields {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw unreadable(object, path, "JSON");
    }
    return new Fields(object, path, value);
  }

  /** The names of all fields. */
  get names(): string[] {
    return Object.keys(this.#values);
  }

  /** Whether there is such a field. */
  has(name: string): boolean {
    return !this.#lacks(name);
  }

  /** Text; it must be there. */
  text(name: string): string {
    const value = this.#values[name];
    if (typeof value !== "string") throw this.#unreadable(name, "text");
    return value;
  }

  /** Text, or `undefined` where it is missing. */
  maybeText(name: string): string | undefined {
    return this.#lacks(name) ? undefined : this.text(name);
  }

  /** A whole number of at least `least`; it must be there. */
  whole(name: string, least: number): number {
    const value = this.#values[name];
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= least) return value;
    throw this.#unreadable(name, `a whole number from ${least} up`);
  }

  /** Whether a mark is set. */
  flag(name: string): boolean {
    if (this.#lacks(name)) return false;
    const value = this.#values[name];
    if (typeof value !== "boolean") throw this.#unreadable(name, "true or false");
    return value;
  }

  /** An object within, or `undefined` where it is missing. */
  maybe(name: string): Fields | undefined {
    return this.#lacks(name)
      ? undefined
      : new Fields(this.#object, `${this.#path}.${name}`, this.#values[name]);
  }

  /** A list of objects within; empty where it is missing. */
  list(name: string): Fields[] {
    if (this.#lacks(name)) return [];
    const value = this.#values[name];
    if (!Array.isArray(value)) throw this.#unreadable(name, "a list");
    return value.map((each, i) => new Fields(this.#object, `${this.#path}.${name}[${i}]`, each));
  }

  #lacks(name: string): boolean {
    return this.#values[name] === undefined || this.#values[name] === null;
  }

  #unreadable(name: string, wanted: string): KlatchError {
    return unreadable(this.#object, `${this.#path}.${name}`, wanted);
  }
}

/**
 * The error for a field that is not what it should be.
 *
 * @param found what is there, where it may be shown: not out of a Secret.
 */
export function unreadable(object: KubeObject, field: string, wanted: string, found = ""): KlatchError {
  const { kind, metadata: { namespace, name } } = object;
  return new KlatchError(
    "record",
    `cannot read the record in ${kind} ${namespace}/${name}: ${field} is ${
      found === "" ? "" : `${found}, `
    }not ${wanted}`,
    { hint: `klatch leaves it as it is; mend the field or delete the ${kind} once nobody holds it` },
  );
}

/** The object with the contender's labels; klatch's own as well if klatch makes it. */
export function labelled(object: KubeObject, me: Contender): KubeObject {
  const isNew = object.metadata.resourceVersion === undefined;
  const labels = {
    ...(isNew && { [MANAGED_BY_LABEL]: MANAGED_BY_KLATCH }),
    ...object.metadata.labels,
    ...me.labels,
  };
  return Object.keys(labels).length === 0 ? object : { ...object, metadata: { ...object.metadata, labels } };
}

/** A time for people. */
export function instant(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
