/**
 * The temporary folder that the command of a sandbox uses. A second process removes it if klatch is killed.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";

/** The hidden first argument of the process that removes a folder; `main.ts` has it too, to load this file only then. */
const CLEANER_WORD = "cleaner";

const PREFIX = "klatch-";

/** A temporary folder for as long as a command runs. */
export interface Scratch {
  /** The path of one of its files. */
  file(name: string): string;
  /** A folder in which this klatch is called `klatch`. */
  readonly binaries: string;
  /** Removes the folder. */
  remove(): Promise<void>;
}

/**
 * Makes a temporary folder that only this user can read.
 *
 * @param files texts by file name.
 * @param self the command line that starts this program again, without arguments.
 * @throws KlatchError `config` if there is no place for it.
 */
export async function makeScratch(
  files: Readonly<Record<string, string>>,
  self: readonly string[],
): Promise<Scratch> {
  const dir = await Deno.makeTempDir({ prefix: PREFIX }).catch((cause) => {
    const parent = Deno.env.get("TMPDIR") ?? "/tmp";
    throw new KlatchError("config", `cannot make a temporary folder in ${parent}: ${cause.message}`, {
      cause,
      hint: "set TMPDIR to a folder that exists and can be written to",
    });
  });
  const cleaner = startCleaner(dir, self);
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${dir}/${name}`, text, { mode: 0o600 });
  }
  const binaries = `${dir}/bin`;
  await Deno.mkdir(binaries);
  await putKlatch(`${binaries}/klatch`, self);
  return {
    file: (name) => `${dir}/${name}`,
    binaries,
    async remove() {
      await Deno.remove(dir, { recursive: true }).catch(() => {});
      cleaner.kill("SIGKILL");
      await cleaner.status;
    },
  };
}

/** Starts a process that waits for klatch's end, out of the reach of what the terminal sends. */
function startCleaner(dir: string, [program = "", ...args]: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(program, {
    args: [...args, CLEANER_WORD, dir],
    cwd: "/",
    stdin: "piped",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
}

/**
 * Removes a folder once the process that has started this one has ended.
 *
 * @param words what followed the hidden word: the folder's path.
 * @returns the exit status: 0 after its work, 125 if it was not started by klatch.
 */
export async function cleanerProcess([dir = ""]: readonly string[]): Promise<number> {
  // Somebody who tries the hidden word must not lose a folder by that.
  if (!dir.slice(dir.lastIndexOf("/") + 1).startsWith(PREFIX) || Deno.stdin.isTerminal()) return 125;
  await Deno.stdin.readable.pipeTo(new WritableStream()).catch(() => {});
  const { uid, isDirectory } = await Deno.lstat(dir).catch(() => ({ uid: null, isDirectory: false }));
  if (isDirectory && uid === Deno.uid()) await Deno.remove(dir, { recursive: true }).catch(() => {});
  return 0;
}

/** Puts this program at a path: a link to the compiled binary, or a script that runs the source. */
async function putKlatch(path: string, self: readonly string[]): Promise<void> {
  const [program = ""] = self;
  if (self.length === 1) return await Deno.symlink(program, path);
  const words = self.map((word) => `'${word}'`).join(" ");
  await Deno.writeTextFile(path, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
}
