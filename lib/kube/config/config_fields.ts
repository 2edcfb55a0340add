/**
 * Takes values out of a mapping by type. What has another type is an error that names the field and never shows the
 * value.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";

/** A mapping whose values are taken out by type. */
export class ConfigFields {
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
    throw this.#notText(field, value);
  }

  /** A boolean; absent and null count as false. */
  flag(field: string): boolean {
    const value = this.values[field] ?? false;
    if (typeof value === "boolean") return value;
    throw this.#wrong(field, "must be true or false");
  }

  /** A nested mapping; absent and null count as empty. */
  record(field: string, where = `${this.where}: ${field}`): ConfigFields {
    const value = this.values[field] ?? {};
    if (isRecord(value)) return new ConfigFields(value, where);
    throw this.#wrong(field, "must be a mapping");
  }

  /** A list of mappings; absent and null count as empty, and so does an entry that is null. */
  list(field: string): ConfigFields[] {
    return this.#array(field).map((item, index) => {
      const values = item ?? {};
      if (isRecord(values)) return new ConfigFields(values, `${this.where}: ${field}[${index}]`);
      throw this.#wrong(`${field}[${index}]`, "must be a mapping");
    });
  }

  /** A list of strings; absent and null count as empty, and an entry that is null as an empty string. */
  texts(field: string): string[] {
    return this.#array(field).map((item, index) => {
      const value = item ?? "";
      if (typeof value === "string") return value;
      throw this.#notText(`${field}[${index}]`, value);
    });
  }

  /** Whether the field is there and not null. */
  has(field: string): boolean {
    return (this.values[field] ?? undefined) !== undefined;
  }

  #array(field: string): unknown[] {
    const value = this.values[field] ?? [];
    if (Array.isArray(value)) return value;
    throw this.#wrong(field, "must be a list");
  }

  #notText(field: string, value: unknown): KlatchError {
    return this.#wrong(field, "must be a string", typeof value === "object" ? undefined : "put it in quotes");
  }

  #wrong(field: string, why: string, hint?: string): KlatchError {
    return new KlatchError("config", `${this.where}: ${field} ${why}`, hint === undefined ? {} : { hint });
  }
}

/** Whether a value is a mapping. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
