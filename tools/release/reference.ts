/**
 * What a release has for those who read and type: the manual page and the completions, made from the registry of
 * commands. The same commit makes the same files.
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };
import { loadCommands } from "../../lib/cli/command.ts";
import { completionsFor } from "../../lib/cli/completions.ts";
import { manual } from "../reference/man.ts";

/** The names of the files, as the programs that read them look for them. */
export const REFERENCE_FILES = ["klatch.1", "klatch.bash", "_klatch", "klatch.fish"] as const;

/**
 * Writes the files.
 *
 * @param dir the folder.
 * @param date when the version was made, as `2026-01-02`: the commit's date.
 */
export async function writeReference(dir: string, date: string): Promise<void> {
  const commands = await loadCommands();
  const [page, bash, zsh, fish] = REFERENCE_FILES;
  const texts = {
    [page]: manual(commands, { version: config.version, url: config.repository, date }),
    [bash]: completionsFor("bash", commands),
    [zsh]: completionsFor("zsh", commands),
    [fish]: completionsFor("fish", commands),
  };
  for (const [name, text] of Object.entries(texts)) await Deno.writeTextFile(`${dir}/${name}`, text);
}
