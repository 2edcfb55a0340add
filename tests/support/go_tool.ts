/**
 * Programs for tests that are Go modules: one on PATH serves, else it is built once and kept in the user's cache folder.
 *
 * @module
 */
import { canRun } from "./processes.ts";

/** Many times what it takes to download and build one on two cores. */
const LONGEST_MS = 15 * 60_000;

/** A program that is there, or the reason why it is not. */
export type GoTool = { readonly path: string } | { readonly missing: string };

/**
 * A program's path.
 *
 * @param module what `go install` takes, with its version.
 * @returns its path, or why it cannot be had: no Go, no modules.
 *
 * @example
 * ```ts ignore
 * import { goTool } from "./go_tool.ts";
 *
 * const act = await goTool("github.com/nektos/act@v0.2.89");
 * if ("missing" in act) console.error(`left out: ${act.missing}`);
 * ```
 */
export async function goTool(module: string): Promise<GoTool> {
  const [path = "", version = ""] = module.split("@");
  const name = path.slice(path.lastIndexOf("/") + 1);
  const base = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") || "/tmp"}/.cache`;
  const dir = `${base}/klatch-tools/${name}-${version}`;
  const built = `${dir}/${name}`;
  if (await Deno.stat(built).then(({ isFile }) => isFile, () => false)) return { path: built };
  if (canRun(name, "--version")) return { path: name };
  if (!canRun("go", "version")) return { missing: `needs ${name}, or Go to build it` };
  const { code, stderr } = await new Deno.Command("go", {
    args: ["install", module],
    env: { GOBIN: dir, CGO_ENABLED: "0", GOFLAGS: "-mod=mod" },
    stdout: "null",
    signal: AbortSignal.timeout(LONGEST_MS),
  }).output();
  if (code === 0) return { path: built };
  const why = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  return { missing: `needs ${name}, which cannot be built here: ${why}` };
}
