/**
 * The state of a process on systems without /proc, by ps(1).
 *
 * @module
 */

/** Whether tests can look into /proc. */
export const hasProc: boolean = Deno.build.os === "linux";

/**
 * Whether a process runs (or is stopped); a zombie does not count.
 *
 * @param pid its process id.
 */
export function runsByPs(pid: number): boolean {
  const { stdout } = new Deno.Command("ps", { args: ["-o", "state=", "-p", String(pid)] }).outputSync();
  return /^[^ZX\s]/.test(new TextDecoder().decode(stdout).trim());
}
