/**
 * Label and field selectors, parsed as the API server parses them, into predicates. A selector that does not
 * parse is a 400 with the API server's message.
 *
 * Grammar: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api
 *
 * @module
 */
import type { AnyObject } from "./any_object.ts";
import { labelKeyProblem, labelValueProblem } from "./names.ts";
import { badRequest } from "./status.ts";
import type { ResourceType } from "./resources.ts";

/** Whether an object is selected. */
export type Selector = (object: AnyObject) => boolean;

/**
 * Parses a label selector.
 *
 * @param text e.g. `app=web,tier in (a, b),!old`; empty selects everything.
 * @returns the predicate.
 * @throws {ApiError} 400 for a selector that does not parse.
 *
 * @example
 * ```ts
 * import { labelSelector } from "./selectors.ts";
 *
 * const selects = labelSelector("tier in (a, b),!old");
 * const object = { apiVersion: "v1", kind: "Secret", metadata: { name: "s", labels: { tier: "a" } } };
 * if (!selects(object)) throw new Error();
 * ```
 */
export function labelSelector(text: string): Selector {
  const tokens = new Tokens(text);
  const requirements: LabelTest[] = [];
  while (tokens.peek() !== "") {
    if (!isIdentifier(tokens.peek()) && tokens.peek() !== "!") {
      throw badRequest(`found '${tokens.peek()}', expected: !, identifier, or 'end of string'`);
    }
    requirements.push(requirement(tokens));
    const separator = tokens.next();
    if (separator === "") break;
    if (separator !== ",") throw badRequest(`found '${separator}', expected: ',' or 'end of string'`);
    if (!isIdentifier(tokens.peek()) && tokens.peek() !== "!") {
      throw badRequest(`found '${tokens.peek()}', expected: identifier after ','`);
    }
  }
  return ({ metadata }) => {
    const labels = metadata.labels ?? {};
    return requirements.every(({ key, test }) => test(Object.hasOwn(labels, key) ? labels[key] : undefined));
  };
}

interface LabelTest {
  readonly key: string;
  readonly test: (value: string | undefined) => boolean;
}

const SYMBOL = /^(?:==|!=|[=!<>(),])/;

function isIdentifier(token: string): boolean {
  return token !== "" && !SYMBOL.test(token);
}

class Tokens {
  readonly #tokens: string[];

  constructor(text: string) {
    this.#tokens = text.match(/==|!=|[=!<>(),]|[^\s=!<>(),]+/g) ?? [];
  }

  /** The next token; empty at the end. */
  peek(): string {
    return this.#tokens[0] ?? "";
  }

  next(): string {
    return this.#tokens.shift() ?? "";
  }
}

function refuse(why: string): Error {
  return badRequest(`unable to parse requirement: ${why}`);
}

function requirement(tokens: Tokens): LabelTest {
  const absent = tokens.peek() === "!";
  if (absent) tokens.next();
  const key = tokens.next();
  if (!isIdentifier(key)) throw refuse(`found '${key}', expected: identifier`);
  const problem = labelKeyProblem(key);
  if (problem !== undefined) throw refuse(`<nil>: Invalid value: ${JSON.stringify(key)}: ${problem}`);
  if (absent) return { key, test: (value) => value === undefined };
  if (tokens.peek() === "" || tokens.peek() === ",") return { key, test: (value) => value !== undefined };
  return { key, test: operation(key, tokens) };
}

function operation(key: string, tokens: Tokens): LabelTest["test"] {
  const operator = tokens.next();
  switch (operator) {
    case "=":
    case "==": {
      const wanted = one(key, tokens);
      return (value) => value === wanted;
    }
    case "!=": {
      const unwanted = one(key, tokens);
      return (value) => value !== unwanted;
    }
    case "in": {
      const wanted = several(key, tokens);
      return (value) => value !== undefined && wanted.has(value);
    }
    case "notin": {
      const unwanted = several(key, tokens);
      return (value) => value === undefined || !unwanted.has(value);
    }
    case "<":
    case ">": {
      const bound = one(key, tokens);
      if (!/^-?\d+$/.test(bound)) {
        const why = "for 'Gt', 'Lt' operators, the value must be an integer";
        throw refuse(`values[0]: Invalid value: ${JSON.stringify(bound)}: ${why}`);
      }
      return (value) => {
        if (value === undefined || !/^-?\d+$/.test(value)) return false;
        return operator === "<" ? BigInt(value) < BigInt(bound) : BigInt(value) > BigInt(bound);
      };
    }
    default:
      throw refuse(`found '${operator}', expected: in, notin, =, ==, !=, gt, lt`);
  }
}

function one(key: string, tokens: Tokens): string {
  const next = tokens.peek();
  if (next === "" || next === ",") return "";
  if (!isIdentifier(next)) throw refuse(`found '${next}', expected: identifier`);
  return checked(key, tokens.next(), 0);
}

function several(key: string, tokens: Tokens): Set<string> {
  const open = tokens.next();
  if (open !== "(") throw refuse(`found '${open}' expected: '('`);
  const values: string[] = [];
  for (let token = tokens.next(); token !== ")"; token = tokens.next()) {
    if (token === ",") {
      // An empty place in the list stands for the empty value, as in `a in (,x)`.
      if (values.length === 0 || tokens.peek() === ")" || tokens.peek() === ",") values.push("");
    } else if (isIdentifier(token)) values.push(checked(key, token, values.length));
    else throw refuse(`found '${token}', expected: ',', or 'identifier'`);
  }
  return new Set(values);
}

function checked(key: string, value: string, index: number): string {
  const problem = labelValueProblem(value);
  if (problem === undefined) return value;
  throw refuse(`values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${problem}`);
}

/**
 * Parses a field selector.
 *
 * @param type says which fields may be named: `metadata.name` and `metadata.namespace` for all.
 * @param text e.g. `metadata.name=web,metadata.namespace!=x`; empty selects everything.
 * @throws {ApiError} 400 for a selector that does not parse, or names another field.
 */
export function fieldSelector(type: ResourceType, text: string): Selector {
  const strategyOptions = text.split(/(?<!\\),/).filter((term) => term !== "").map((term) => {
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    const path = Object.hasOwn(type.selectable, match[1]!) ? type.selectable[match[1]!] : undefined;
    if (path === undefined) {
      const known = 'only "metadata.name", "metadata.namespace"';
      throw badRequest(
        Object.keys(type.selectable).length > 2
          ? `field label not supported: ${match[1]}`
          : `"${match[1]}" is not a known field selector: ${known}`,
      );
    }
    return { path, equal: match[2] !== "!=", value: match[3]!.replace(/\\([\\,=])/g, "$1") };
  });
  return (object) =>
    strategyOptions.every(({ path, equal, value }) => (fieldOf(object, path) === value) === equal);
}

function fieldOf(object: AnyObject, path: readonly string[]): unknown {
  let value: unknown = object;
  for (const key of path) value = (value as Record<string, unknown> | undefined)?.[key];
  return value ?? "";
}
