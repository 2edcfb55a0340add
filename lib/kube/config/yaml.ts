/**
 * Reads YAML as Kubernetes' own tools do, which is YAML 1.1 with their parser's habits: merge keys are applied, of
 * two values for one key the later counts, `yes` and `on` are booleans, times stay text, and only the first document
 * is read. What is wrong is reported by position and never quoted: a kubeconfig's lines may be secrets.
 *
 * @module
 */

import {
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  floatCoreTag,
  floatYaml11Tag,
  intYaml11Tag,
  loadAll,
  mapTag,
  NOT_RESOLVED,
  Schema,
  seqTag,
  YAML11_SCHEMA,
  YAMLException,
} from "js-yaml";

/** What is wrong with a document, without any of its text. */
export class YamlError extends Error {
  override readonly name = "YamlError";
}

/** Aliases may make a document a hundred times as large as it is written, and no larger. */
const MAX_GROWTH = 100;

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
 * const parsed = parseYaml("base: &base { a: yes }\nuser:\n  <<: *base\n  b: 12:30\n---\nignored\n");
 * const expected = { base: { a: true }, user: { a: true, b: "12:30" } };
 * if (JSON.stringify(parsed) !== JSON.stringify(expected)) throw new Error(JSON.stringify(parsed));
 * ```
 */
export function parseYaml(text: string): unknown {
  const document = firstDocument(text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n"));
  const control = /[^\t\n\r\x20-\x7e\x85\xa0-\ufefe\uff00-\ufffd]/.exec(
    document.replace(/[\ud800-\udfff]/g, " "),
  );
  if (control !== null) throw new YamlError(`a control character ${place(document, control.index)}`);
  let value: unknown;
  try {
    [value = null] = loadAll(document, { schema: kubernetesSchema(), json: true, maxAliases: -1 });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    // Its own message shows the lines around.
    const words = wordsOf(error.reason);
    throw new YamlError(
      error.mark === undefined ? words : `${words} ${place(document, error.mark.position)}`,
    );
  }
  if (document.includes("*")) checkGrowth(value, document.length);
  return value;
}

/** The text up to where a second document begins, which may be anything. */
function firstDocument(text: string): string {
  const MARKER = /^(?:---|\.\.\.)(?=[ \t\n]|$)/gm;
  // Comments and directives come before a document's own marker.
  MARKER.lastIndex = /^(?:[ \t]*(?:#.*)?\n|%.*\n)*(?:---(?=[ \t\n]|$))?/.exec(text)?.[0].length ?? 0;
  return text.slice(0, MARKER.exec(text)?.index);
}

/** YAML 1.1 without what Kubernetes' parser does not share, and with tags that nobody knows. */
function kubernetesSchema(): Schema {
  const foreign = /:(timestamp|omap|pairs|set|binary)$/;
  const unknown = { matchByTagPrefix: true, identify: () => false };
  return new Schema(YAML11_SCHEMA.tags.filter(({ tagName }) => !foreign.test(tagName))).withTags(
    {
      ...intYaml11Tag,
      resolve: (text, ...rest) => isBase60(text) ? NOT_RESOLVED : intYaml11Tag.resolve(text, ...rest),
    },
    {
      ...floatYaml11Tag,
      resolve(text, ...rest) {
        if (isBase60(text)) return NOT_RESOLVED;
        const value = floatYaml11Tag.resolve(text, ...rest);
        return value === NOT_RESOLVED ? floatCoreTag.resolve(text, ...rest) : value;
      },
    },
    defineScalarTag("", { ...unknown, resolve: (text) => text }),
    defineSequenceTag("", { ...unknown, create: seqTag.create, addItem: seqTag.addItem }),
    defineMappingTag("", { ...mapTag, ...unknown }),
  );
}

function isBase60(text: string): boolean {
  return text.includes(":");
}

/** Refuses a document that aliases make far larger than it is written, or endless. */
function checkGrowth(value: unknown, written: number): void {
  const sizes = new Map<object, number>();
  const sizeOf = (part: unknown): number => {
    if (typeof part !== "object" || part === null) return 1;
    const known = sizes.get(part);
    if (known !== undefined) return known;
    // Of an alias that is within what it stands for, the size is not known yet.
    sizes.set(part, Infinity);
    const size = Object.values(part).reduce((sum, each) => sum + sizeOf(each), 1);
    sizes.set(part, size);
    return size;
  };
  if (sizeOf(value) > MAX_GROWTH * written) throw new YamlError("too much is repeated by aliases");
}

function place(text: string, offset: number): string {
  const before = text.slice(0, offset).split("\n");
  return `at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}

/** The parser's words up to where it begins to quote the document. */
function wordsOf(reason: string): string {
  return reason.split(/[:"\n!]| \(/, 1)[0]?.trim() ?? "it cannot be parsed";
}
