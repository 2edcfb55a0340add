/**
 * `deno task pages`: makes the tables of the README and of the pages in `docs/` anew that come from the registry of commands
 * and from measurements.
 *
 * @module
 */
import { loadCommands } from "../lib/cli/command.ts";
import { hasTables, withTables } from "./reference/tables.ts";

const root = new URL("../", import.meta.url);
const commands = await loadCommands();
const docs = [...Deno.readDirSync(new URL("docs/", root))].map(({ name }) => `docs/${name}`);
for (const name of ["README.md", ...docs.filter((name) => name.endsWith(".md"))]) {
  const path = new URL(name, root);
  const page = await Deno.readTextFile(path);
  if (!hasTables(page)) continue;
  const made = withTables(page, commands);
  if (made === page) continue;
  await Deno.writeTextFile(path, made);
  console.log(`${name} is made anew`);
}
