/**
 * Locks as YAML.
 *
 * @module
 */
import { escapeUnsafe, printable } from "../../text.ts";

/**
 * A value as YAML that can steer neither a terminal nor a workflow's runner, and from which a reader gets exactly what was
 * there: texts with such characters are quoted on one line, with the characters escaped.
 *
 * @param value of JSON's types.
 *
 * @example
 * ```ts
 * import { safeYaml } from "./yaml.ts";
 *
 * const text = await safeYaml({ a: "x\n::error::\u202e", b: 1 });
 * if (text !== 'a: "x\\n::error::\\u202e"\nb: 1\n') throw new Error(text);
 * ```
 */
export async function safeYaml(value: unknown): Promise<string> {
  const { Document, Scalar, visit } = await import("yaml");
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, node) {
      const { value } = node;
      if (typeof value === "string" && printable(value) !== value) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  const text = document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Infinity });
  return text.split("\n").map(escapeUnsafe).join("\n");
}
