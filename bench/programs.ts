/**
 * Finds or builds the programs that are measured.
 *
 * @module
 */

import { clientGoVersion, goContender, goVersion } from "../tests/support/go_contender.ts";
import { canRun } from "../tests/support/processes.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const deno = Deno.execPath();

/** What there is to be measured. */
export interface Programs {
  /** The compiled klatch. */
  readonly klatch: string;
  /** Another build of klatch, to be compared with, if one was named. */
  readonly before: string | undefined;
  /** A compiled program that does nothing: what no program of this runtime can be faster or smaller than. */
  readonly empty: string;
  /** The words that start the command of contenders, before its own three: see stamp.c. */
  readonly stamp: readonly string[];
  /** What that is, for the notes. */
  readonly stampIs: string;
  /** The contender that uses client-go, or why it is not there. */
  readonly clientGo: { readonly path: string } | { readonly missing: string };
  /** Of the tools that are compared where they are installed, those that are: name to path. */
  readonly tools: ReadonlyMap<string, string>;
}

/** Other tools that are measured where they are on PATH. */
export const TOOLS = ["klock", "kubelock", "kube-lock", "flock"] as const;

/**
 * Finds or builds all of it.
 *
 * @param dir where what is built for this run alone goes.
 * @param say tells what takes its time.
 * @param before another build of klatch.
 * @throws {Error} klatch or the empty program cannot be compiled, or there is no such other build.
 */
export async function findPrograms(
  dir: string,
  say: (line: string) => void,
  before: string | undefined,
): Promise<Programs> {
  const other = before === undefined ? undefined : await existing(before, "--before");
  const klatch = await findKlatch(say);
  say("compiling an empty program");
  const empty = `${dir}/empty`;
  // Told to, it tells its runtime's version; otherwise it ends at once.
  await Deno.writeTextFile(`${dir}/empty.ts`, "if (Deno.args.length > 0) console.log(Deno.version.deno);\n");
  await run([
    deno,
    "compile",
    "--quiet",
    "--no-check",
    "--no-code-cache",
    "--output",
    empty,
    `${dir}/empty.ts`,
  ]);
  say("building the client-go contender");
  const clientGo = await goContender();
  const tools = new Map(TOOLS.flatMap((name): [string, string][] => {
    const path = onPath(name);
    return path === undefined ? [] : [[name, path]];
  }));
  return { klatch, before: other, empty, ...buildStamp(dir), clientGo, tools };
}

/**
 * What was measured, for the page.
 *
 * @returns as in `klatch 0.1.0`, one for each program.
 */
export async function versionsOf(programs: Programs): Promise<string[]> {
  const runtime = (await run([programs.empty, "version"])).trim();
  const found = [(await run([programs.klatch, "version"])).trim(), `Deno's runtime ${runtime}`];
  if ("path" in programs.clientGo) {
    found.push(`client-go ${await clientGoVersion()} with ${await goVersion()}`);
  }
  return found;
}

async function findKlatch(say: (line: string) => void): Promise<string> {
  const named = Deno.env.get("KLATCH_BINARY");
  if (named) return await existing(named, "KLATCH_BINARY");
  say("compiling klatch");
  await run([deno, "task", "--quiet", "compile"]);
  return `${ROOT}dist/klatch`;
}

/** The path of a file that somebody named. */
async function existing(path: string, where: string): Promise<string> {
  if (await Deno.stat(path).then((found) => found.isFile, () => false)) return await Deno.realPath(path);
  throw new Error(`${where} is ${path}, which is no file`);
}

function buildStamp(dir: string): Pick<Programs, "stamp" | "stampIs"> {
  const source = new URL("stamp.c", import.meta.url).pathname;
  for (const linking of [["-static"], []]) {
    if (!canRun("cc", "-O2", ...linking, "-o", `${dir}/stamp`, source)) continue;
    return { stamp: [`${dir}/stamp`], stampIs: "a small C program (bench/stamp.c)" };
  }
  const script = new URL("stamp.sh", import.meta.url).pathname;
  return { stamp: ["/bin/sh", script], stampIs: "a shell script (bench/stamp.sh), for want of a C compiler" };
}

function onPath(name: string): string | undefined {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    try {
      if (folder !== "" && Deno.statSync(`${folder}/${name}`).isFile) return `${folder}/${name}`;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** Runs a program in the root of the tree, and returns what it prints. */
async function run(words: readonly string[]): Promise<string> {
  const [program = "", ...args] = words;
  const { success, stdout, stderr } = await new Deno.Command(program, { args, cwd: ROOT, stdin: "null" })
    .output();
  const decoder = new TextDecoder();
  if (!success) {
    throw new Error(`${program.split("/").at(-1)} ${args[0] ?? ""} failed: ${decoder.decode(stderr)}`);
  }
  return decoder.decode(stdout);
}
