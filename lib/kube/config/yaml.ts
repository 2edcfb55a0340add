/**
 * Reads YAML as Kubernetes' own tools do, which is YAML 1.1 with their parser's habits: merge keys are applied, of
 * two values for one key the later counts, `yes` and `on` are booleans, times stay text, and only the first document
 * is read. What is wrong is reported by position and never quoted: a kubeconfig's lines may be secrets.
 *
 * @module
 */

import type { DocumentOptions, ParseOptions, SchemaOptions, Tags } from "yaml";

/** What is wrong with a document, without any of its text. */
export class YamlError extends Error {
  override readonly name = "YamlError";
}

/** Aliases may make a document a hundred times as large as it is written, and no larger. */
const MAX_ALIASES = 100;

/** Readings of YAML 1.1 that Kubernetes' parser does not share: sexagesimal numbers, timestamps, ordered maps. */
const UNKNOWN_TAGS = /:(timestamp|omap|pairs|set)$/;

/**
 * Parses the first document of a text.
 *
 * @param text YAML; JSON is YAML too.
 * @returns its value: mappings are objects, sequences are arrays; `null` for an empty text.
 * @throws {YamlError} it is malformed; the message ends with line and column.
 *
 * @example
 * ```ts
 * import { parseYaml } from "./yaml.ts";
 *
 * const parsed = await parseYaml("base: &base { a: yes }\nuser:\n  <<: *base\n  b: 12:30\n---\nignored\n");
 * const expected = { base: { a: true }, user: { a: true, b: "12:30" } };
 * if (JSON.stringify(parsed) !== JSON.stringify(expected)) throw new Error(JSON.stringify(parsed));
 * ```
 */
export async function parseYaml(text: string): Promise<unknown> {
  // A carriage return alone ends a line as well, which the parser does not know.
  text = text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n");
  // Loaded only here: a pod needs no YAML.
  const { Composer, LineCounter, Parser, visit } = await import("yaml");
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `at line ${line}, column ${col}`;
  };
  const control = /[^\t\n\r\x20-\x7e\x85\xa0-\ufefe\uff00-\ufffd]/.exec(
    text.replace(/[\ud800-\udfff]/g, " "),
  );
  // Documents are composed one by one as they are asked for, so a fault in the second one is not met.
  const documents = new Composer(OPTIONS).compose(
    new Parser(lines.addNewLine).parse(text),
    true,
    text.length,
  );
  const document = documents.next().value;
  if (control !== null) throw new YamlError(`a control character ${at(control.index)}`);
  const fault = document?.errors[0];
  if (fault !== undefined) throw new YamlError(`${wordsOf(fault.message)} ${at(fault.pos[0])}`);
  if (document === undefined || document === null) return null;
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) === undefined) {
        throw new YamlError(`an alias of nothing ${at(alias.range?.[0] ?? 0)}`);
      }
    },
  });
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    throw new YamlError(wordsOf(cause instanceof Error ? cause.message : String(cause)), { cause });
  }
}

const OPTIONS: ParseOptions & DocumentOptions & SchemaOptions = {
  version: "1.1",
  uniqueKeys: false,
  logLevel: "silent",
  prettyErrors: false,
  customTags: (tags: Tags) => tags.filter((tag) => typeof tag === "string" || isShared(tag)),
};

function isShared(tag: { readonly tag: string; readonly format?: string }): boolean {
  return tag.format !== "TIME" && !UNKNOWN_TAGS.test(tag.tag);
}

/** The parser's message up to where it begins to quote the document. */
function wordsOf(message: string): string {
  return message.split(/[:"\n]| \(/, 1)[0]?.trim() ?? "it cannot be parsed";
}
