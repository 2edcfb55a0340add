/**
 * The shell examples of a Markdown page: fenced blocks of the language `sh`.
 *
 * A comment above an example says what must be there before it, as lines of shell, and is invisible to readers:
 *
 *     <!-- setup: klatch acquire deploy -q -->
 *
 * An example that cannot be run by a test says so to readers, in its first line: `# not run by a test: REASON`.
 *
 * @module
 */

/** One example. */
export interface ShellExample {
  /** The lines of shell. */
  readonly script: string;
  /** What must be there before it. */
  readonly setup: string;
  /** Why no test runs it. */
  readonly notRun: string | undefined;
}

const EXAMPLE = /(?:<!-- setup: ((?:(?!-->).)*?) -->\n+)?^```sh\n(.*?)^```/gms;

/**
 * The examples of a page, in their order.
 *
 * @param page the page's text.
 *
 * @example
 * ```ts
 * import { shellExamples } from "./shell_examples.ts";
 *
 * const fence = "`".repeat(3);
 * const page = `<!-- setup: touch a -->\n\n${fence}sh\nls a\n${fence}\n`;
 * const [example] = shellExamples(page);
 * if (example?.setup !== "touch a" || example.script !== "ls a\n") throw new Error();
 * ```
 */
export function shellExamples(page: string): ShellExample[] {
  return [...page.matchAll(EXAMPLE)].map(([, setup = "", script = ""]) => ({
    script,
    setup,
    notRun: /^# not run by a test: (.+)/.exec(script)?.[1],
  }));
}
