/**
 * `deno task picture`: records two contenders and writes docs/two-terminals.svg.
 *
 * @module
 */
import { record } from "./picture/record.ts";
import { draw } from "./picture/svg.ts";

const root = new URL("..", import.meta.url).pathname;
const compiled = `${root}dist/klatch`;
const isCompiled = await Deno.stat(compiled).then(({ isFile }) => isFile, () => false);
const klatch = isCompiled ? [compiled] : [Deno.execPath(), "run", "--quiet", "--allow-all", `${root}main.ts`];
const terminals = await record({ klatch, workMs: 4_000, secondAfterMs: 1_500 });
const caption =
  "Two terminals: alice holds the lock deploy while her command runs; ci-7 waits, sees who holds it and why, and " +
  "acquires it when she has released it.";
await Deno.writeTextFile(`${root}docs/two-terminals.svg`, draw(terminals, caption));
console.log(terminals.flatMap(({ title, lines }) => lines.map(({ text }) => `${title}: ${text}`)).join("\n"));
