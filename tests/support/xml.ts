/**
 * Whether a text is well-formed XML, as far as klatch writes any: elements, attributes, text, character references.
 *
 * @see {@link https://www.w3.org/TR/xml/#sec-well-formed}
 * @module
 */

const NAME = "[A-Za-z_][\\w.-]*";
const TEXT = `(?:[^<&]|&#\\d+;|&(?:amp|lt|gt|quot|apos);)*`;
const TAG = new RegExp(
  `<(/)?(${NAME})((?: ${NAME}="(?:[^<&"]|&#\\d+;|&(?:amp|lt|gt|quot|apos);)*")*)\\s*(/)?>`,
  "y",
);
const BETWEEN = new RegExp(TEXT, "y");

/**
 * Fails if a text is not well-formed.
 *
 * @param xml the text, without declarations and comments.
 * @throws Error which says where.
 *
 * @example
 * ```ts
 * import { assertWellFormed } from "./xml.ts";
 *
 * assertWellFormed(`<a b="c"><d/>&#38;</a>`);
 * let failed = false;
 * try {
 *   assertWellFormed("<a><b></a></b>");
 * } catch {
 *   failed = true;
 * }
 * if (!failed) throw new Error();
 * ```
 */
export function assertWellFormed(xml: string): void {
  const open: string[] = [];
  let roots = 0;
  // deno-lint-ignore no-control-regex -- XML forbids most control characters
  const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.exec(xml);
  if (forbidden !== null) throw new Error(`a forbidden character at ${forbidden.index}`);
  for (let at = 0; at < xml.length;) {
    BETWEEN.lastIndex = at;
    const text = BETWEEN.exec(xml)?.[0] ?? "";
    if (open.length === 0 && text.trim() !== "") throw new Error(`text outside of an element at ${at}`);
    at += text.length;
    if (at === xml.length) break;
    TAG.lastIndex = at;
    const tag = TAG.exec(xml);
    if (tag === null) throw new Error(`no tag at ${at}: ${xml.slice(at, at + 60)}`);
    const [whole, isEnd, name = "", attributes = "", isEmpty] = tag;
    at += whole.length;
    const names = [...attributes.matchAll(new RegExp(` (${NAME})=`, "g"))].map(([, each]) => each);
    if (new Set(names).size !== names.length) throw new Error(`an attribute twice in ${whole}`);
    if (open.length === 0) roots++;
    if (isEnd && open.pop() !== name) throw new Error(`</${name}> closes another element, before ${at}`);
    if (!isEnd && !isEmpty) open.push(name);
  }
  if (open.length > 0 || roots !== 1) throw new Error(`${roots} roots, and still open: ${open.join(", ")}`);
}
