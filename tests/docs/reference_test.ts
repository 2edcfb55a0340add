/**
 * The reference pages are complete: their tables come from the registry of commands, and whatever the sources read from
 * the environment is on them.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { COMMAND_NAMES, loadCommands } from "../../lib/cli/command.ts";
import { envName } from "../../lib/cli/flags.ts";
import { FOR_COMMANDS, OF_OTHERS, OWN } from "../../tools/reference/environment.ts";
import { statusesOf } from "../../tools/reference/statuses.ts";
import { hasTables, withTables } from "../../tools/reference/tables.ts";

const root = new URL("../../", import.meta.url);
const read = (path: string) => Deno.readTextFileSync(new URL(path, root));
const commands = await loadCommands();

/** Without the padding that deno fmt gives to tables. */
const unpadded = (page: string) => page.replace(/ {2,}/g, " ").replace(/-{2,}/g, "--");

/** All sources in a folder. */
function sources(folder: string): string[] {
  return [...Deno.readDirSync(new URL(folder, root))].flatMap(({ name, isDirectory }) => {
    if (isDirectory) return sources(`${folder}${name}/`);
    return name.endsWith(".ts") ? [read(`${folder}${name}`)] : [];
  });
}

describe("the reference pages", () => {
  for (const page of ["docs/environment.md", "docs/exit-codes.md", "README.md"]) {
    it(`${page} has the tables of today's commands and measurements; deno task pages makes them anew`, () => {
      assert(hasTables(read(page)));
      assertEquals(unpadded(read(page)), unpadded(withTables(read(page), commands)));
    });
  }

  it("have the variable of every flag of every command", () => {
    const page = read("docs/environment.md");
    for (const flag of commands.flatMap(({ flags }) => flags)) {
      assert(page.includes(`\`${envName(flag.name)}\``), flag.name);
    }
  });

  it("have every variable that the sources read or set, and no others", () => {
    const code = [read("main.ts"), read("install.sh"), ...sources("lib/")].join("\n");
    const own = [...code.matchAll(/\bKLATCH_[A-Z][A-Z_]*[A-Z]\b/g)].map(([name]) => name);
    const others = [...code.matchAll(/\benv(?:\.get)?\("([A-Z][A-Z_]*)"\)/g)].map(([, name = ""]) => name);
    const ofFlags = commands.flatMap(({ flags }) => flags).map(({ name }) => envName(name));
    const told = [...OWN, ...FOR_COMMANDS, ...OF_OTHERS].flatMap(({ names }) => names);
    // No command prints its help for the sake of a variable.
    const known = new Set([...told, ...ofFlags, "KLATCH_HELP"]);
    assertEquals([...new Set([...own, ...others])].filter((name) => !known.has(name)), []);
    // The name of a proxy's variable is put together.
    const used = new Set([...own, ...others, "HTTPS_PROXY", "HTTP_PROXY"]);
    assertEquals(told.filter((name) => !used.has(name)), []);
  });

  it("have the exit statuses of every command whose help tells them", () => {
    const page = read("docs/exit-codes.md");
    const telling = commands.filter(({ notes }) => notes?.includes("Exit status"));
    for (const command of telling) {
      assert(statusesOf(command).length > 0, command.name);
      assert(page.includes(`\`klatch ${command.name}\``), command.name);
    }
    assert(telling.length > 5 && telling.length < COMMAND_NAMES.length);
  });
});

describe("the statuses of a command", () => {
  it("are read from its help, the command's own too", () => {
    const notes = "Exit status: the command's own, or\n  123  lost\n  128+n  signal\nMore to know.\n";
    assertEquals(statusesOf({ notes }), [
      { status: "the command's own", meaning: "the command ran to its end" },
      { status: "123", meaning: "lost" },
      { status: "128+n", meaning: "signal" },
    ]);
    assertEquals(
      statusesOf({ notes: "Exit status: 0 if it is done; the command's own if not, or\n  1  no\n" }),
      [
        { status: "0", meaning: "it is done" },
        { status: "the command's own", meaning: "not" },
        { status: "1", meaning: "no" },
      ],
    );
    assertEquals(statusesOf({ notes: "Nothing about that.\n" }), []);
  });
});
