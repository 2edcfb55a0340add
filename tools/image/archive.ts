/**
 * Archives that have the same bytes whenever and by whomever they are made.
 *
 * @module
 */
import { run } from "./run.ts";

/**
 * Archives files and directories with tar(1) and gzip(1): entries sorted, owned by root, of the epoch's first second.
 *
 * @param parent the directory that contains them.
 * @param names their names there, and in the archive.
 * @param output the file to write; its name ends in `.tar.gz`.
 * @param level how hard gzip tries, from 1 (fast) to 9 (small).
 * @throws {Error} if tar is not GNU tar, or one of them fails.
 */
export async function archive(
  parent: string,
  names: readonly string[],
  output: string,
  level = 6,
): Promise<void> {
  const tar = output.replace(/\.gz$/, "");
  const entries = [
    "--sort=name",
    "--mtime=@0",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    "--format=ustar",
  ];
  // A Mac's own tar cannot sort; Homebrew installs GNU's under this name.
  const program = Deno.build.os === "darwin" ? "gtar" : "tar";
  await run(program, [...entries, "-C", parent, "-cf", tar, ...names], "install GNU tar");
  await run("gzip", [`-${level}`, "--no-name", "--force", tar], "install gzip");
}
