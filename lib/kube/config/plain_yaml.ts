/**
 * Reads the YAML that kubectl, kind and their like write: block mappings, sequences of them, scalars of one line. It is
 * here although there is a library for YAML because that library, read once and cold, took as long as all else that is
 * done with a kubeconfig together. It promises to give what the library gives, or nothing: whatever it does not know
 * exactly (anchors, tags, flow collections, block scalars, escapes, numbers, odd indentation, every error) it leaves to
 * the library.
 *
 * https://yaml.org/spec/1.2.2/
 *
 * @module
 */

/** A line: its indentation, the dash of a sequence's item, a mapping's key, and what follows. */
interface Line {
  indent: number;
  dash: boolean;
  readonly key: string | undefined;
  readonly rest: string;
}

/** The limits on indentation and keys bound how deep the recursion goes, and keep what is strange out. */
const LINE = /^( {0,40})(- )?(?:([A-Za-z][-\w.]{0,63}):(?: |$))?(.*)$/;

const EMPTY_OR_COMMENT = /^ *(#|$)/;

/** A scalar without quotes that is no number: those begin with a digit, a sign before one, or a dot. */
const PLAIN_START = /^-{0,2}[A-Za-z/]/;

const QUOTED = /^(?:"([^"\\]*)"|'([^']*)')$/;

/** Lower case only: the library decides what `Null` and `TRUE` are. */
const WORDS = new Map<string, boolean | null>(Object.entries({ null: null, true: true, false: false }));

/**
 * Reads a document.
 *
 * @param text the document.
 * @returns what the library's core schema makes of it; `undefined` where that is for the library to say.
 *
 * @example
 * ```ts
 * import { parsePlainYaml } from "./plain_yaml.ts";
 *
 * const parsed = parsePlainYaml("contexts:\n- name: dev\n  context:\n    cluster: 'here'\n");
 * const expected = { contexts: [{ name: "dev", context: { cluster: "here" } }] };
 * if (JSON.stringify(parsed) !== JSON.stringify(expected)) throw new Error();
 * if (parsePlainYaml("name: &anchor dev") !== undefined) throw new Error();
 * ```
 */
export function parsePlainYaml(text: string): unknown {
  if (/[^\n -~]/.test(text)) return undefined;
  const written = text.split("\n").filter((line) => !EMPTY_OR_COMMENT.test(line));
  if (written[0] === "---") written.shift();
  // The next line is the last one here.
  const lines = written.reverse().map(lineOf);
  const root = lines.at(-1)?.indent === 0 ? block(lines, 0) : undefined;
  return lines.length === 0 ? root : undefined;
}

function lineOf(text: string): Line {
  const [, spaces = "", dash, key, rest = ""] = LINE.exec(text) ?? [];
  return { indent: spaces.length, dash: dash !== undefined, key, rest };
}

/** What the lines of one indentation say, as far as they go; a line that fits nowhere is left over in the end. */
function block(lines: Line[], indent: number): unknown {
  return lines.at(-1)?.dash ? sequence(lines, indent) : mapping(lines, indent);
}

function sequence(lines: Line[], indent: number): unknown[] | undefined {
  const items: unknown[] = [];
  for (let line = lines.at(-1); line?.indent === indent && line.dash; line = lines.at(-1)) {
    // A mapping that begins behind the dash goes on below its first key.
    if (line.key !== undefined) Object.assign(line, { indent: indent + 2, dash: false });
    const item = line.key === undefined ? scalar(lines.pop()?.rest ?? "") : mapping(lines, indent + 2);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}

function mapping(lines: Line[], indent: number): Record<string, unknown> | undefined {
  const fields: Record<string, unknown> = {};
  for (let line = lines.at(-1); line?.indent === indent && !line.dash; line = lines.at(-1)) {
    const { key, rest } = line;
    if (key === undefined || WORDS.has(key.toLowerCase()) || Object.hasOwn(fields, key)) return undefined;
    lines.pop();
    const value = rest === "" ? nested(lines, indent) : scalar(rest);
    if (value === undefined) return undefined;
    fields[key] = value;
  }
  return fields;
}

/** The value of a key that has none on its line. A sequence may be indented as little as the key is. */
function nested(lines: Line[], indent: number): unknown {
  const next = lines.at(-1);
  if (next === undefined || next.indent < indent) return null;
  return next.indent > indent || next.dash ? block(lines, next.indent) : null;
}

function scalar(text: string): unknown {
  if (text === "{}") return {};
  if (text === "[]") return [];
  const quoted = QUOTED.exec(text);
  if (quoted !== null) return quoted[1] ?? quoted[2];
  const commentOrKey = text.includes(" #") || text.includes(": ") || /[ :]$/.test(text);
  if (commentOrKey || !PLAIN_START.test(text)) return undefined;
  const word = WORDS.get(text.toLowerCase());
  if (word === undefined) return text;
  return WORDS.has(text) ? word : undefined;
}
