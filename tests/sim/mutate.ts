/**
 * Puts a mutant into a copy of the code and has the simulator look for it.
 *
 * @module
 */
import type { Mutant } from "./mutants.ts";
import type { Summary } from "./worker_pool.ts";

/** What became of a mutant. */
export interface Verdict {
  readonly mutant: Mutant;
  /** The first seed that shows it, from 1; `undefined`: none of them did. */
  readonly seed: number | undefined;
  /** What was violated there. */
  readonly violations: readonly string[];
}

const ROOT = new URL("../../", import.meta.url);

/** What the simulator is made of. */
const PARTS = ["lib", "tests/sim", "tests/contract"];

/**
 * Looks for a mutant.
 *
 * @param mutant the fault; its text must be in the file exactly once.
 * @param seeds how many to try, from 1.
 */
export async function hunt(mutant: Mutant, seeds: number): Promise<Verdict> {
  const folder = await Deno.makeTempDir({ prefix: "klatch-mutant-" });
  try {
    for (const part of PARTS) await copy(new URL(part, ROOT), `${folder}/${part}`);
    const file = `${folder}/${mutant.file}`;
    await Deno.writeTextFile(file, mutated(mutant, await Deno.readTextFile(file)));
    const { failing } = await simulateIn(folder, [
      "--strategy",
      mutant.strategy ?? "lease",
      "--seeds",
      `${seeds}`,
    ]);
    const [first] = failing;
    return { mutant, seed: first?.seed, violations: first?.violations ?? [] };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The text with the fault in it. */
export function mutated({ name, file, edits }: Mutant, text: string): string {
  for (const { find, replace } of edits) {
    const parts = text.split(find);
    if (parts.length !== 2) {
      throw new Error(`the mutant "${name}" finds its place in ${file} ${parts.length - 1} times, not once`);
    }
    text = parts.join(replace);
  }
  return text;
}

/**
 * Runs the simulator as a program of its own.
 *
 * @param root the folder with the code.
 * @param flags for `main.ts`.
 */
export async function simulateIn(root: string, flags: readonly string[], jobs = 1): Promise<Summary> {
  const sim = `${root}/tests/sim`;
  const args = ["run", "--quiet", "--no-check", "--allow-all"];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args, `${sim}/main.ts`, "--json", "--jobs", `${jobs}`, ...flags],
    cwd: root,
  }).output();
  const text = new TextDecoder().decode(stdout);
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`the simulator failed: ${text}${new TextDecoder().decode(stderr)}`);
  }
}

async function copy(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    const source = new URL(`${from}/${entry.name}`);
    if (entry.isDirectory) await copy(source, `${to}/${entry.name}`);
    else if (entry.name.endsWith(".ts") || entry.name.endsWith(".json")) {
      await Deno.copyFile(source, `${to}/${entry.name}`);
    }
  }
}
