/**
 * Which tools this machine has.
 *
 * @module
 */

/**
 * Whether a program is on `PATH`.
 *
 * @param program its name.
 */
export function isInstalled(program: string): boolean {
  const paths = (Deno.env.get("PATH") ?? "").split(":");
  return paths.some((dir) => {
    try {
      return Deno.statSync(`${dir}/${program}`).isFile;
    } catch {
      return false;
    }
  });
}
