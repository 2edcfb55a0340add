/**
 * `deno task pages`: makes the tables of the pages in `docs/` anew that come from the registry of commands.
 *
 * @module
 */
import { loadCommands } from "../lib/cli/command.ts";
import { hasTables, withTables } from "./reference/tables.ts";

const folder = new URL("../docs/", import.meta.url);
const commands = await loadCommands();
for (const { name } of Deno.readDirSync(folder)) {
  if (!name.endsWith(".md")) continue;
  const path = new URL(name, folder);
  const page = await Deno.readTextFile(path);
  if (!hasTables(page)) continue;
  const made = withTables(page, commands);
  if (made === page) continue;
  await Deno.writeTextFile(path, made);
  console.log(`docs/${name} is made anew`);
}
