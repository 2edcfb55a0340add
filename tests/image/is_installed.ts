/**
 * Which programs this machine has.
 *
 * @module
 */

/**
 * Looks for a program on `PATH`.
 *
 * @returns its absolute path; `undefined` if there is none.
 */
export function findProgram(program: string): string | undefined {
  const paths = (Deno.env.get("PATH") ?? "").split(":").map((dir) => `${dir}/${program}`);
  return paths.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** Whether a program is on `PATH`. */
export function isInstalled(program: string): boolean {
  return findProgram(program) !== undefined;
}
