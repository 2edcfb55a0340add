/**
 * The directory that makes klatch run in any image: the binary, a loader and the C library. It has to be at `/klatch`.
 *
 * @module
 */
import { compile } from "../compile.ts";
import { licensesText } from "../../lib/cli/licenses.ts";
import { copyLibraries } from "./libraries.ts";
import { PLACE, type Platform } from "./platform.ts";
import { run } from "./run.ts";

/** What the directory is made of. */
export interface FolderParts {
  readonly platform: Platform;
  /** The runtime (denort) of that platform. */
  readonly runtime: string;
  /** The code cache: `use` takes a file, `write` records one on this machine. */
  readonly codeCache?: { readonly use: string } | { readonly write: string } | undefined;
  /** A Debian file system of that platform with the libraries. */
  readonly libraries: string;
}

/**
 * Makes the directory. What was there before is removed.
 *
 * @param dir where to make it.
 * @throws {Error} if a step fails, or if patchelf is not installed.
 */
export async function makeFolder(dir: string, parts: FolderParts): Promise<void> {
  await Deno.remove(dir, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await copyLibraries(parts.platform, parts.libraries, dir);
  await Deno.copyFile(new URL("../../LICENSE", import.meta.url), `${dir}/licenses/klatch`);
  await Deno.writeTextFile(`${dir}/licenses/embedded`, await licensesText(Deno.version));
  const patched = await Deno.makeTempFile({ prefix: "klatch-runtime-" });
  try {
    await patch(parts.runtime, patched, parts.platform);
    await compile({
      output: `${dir}/klatch`,
      runtime: patched,
      // The patched one runs nowhere but in its place.
      recordingRuntime: parts.runtime,
      target: parts.platform.target,
      codeCache: parts.codeCache,
    });
  } finally {
    await Deno.remove(patched);
  }
  await setModes(dir, `${dir}/klatch`, `${dir}/lib/${parts.platform.loader}`);
}

/**
 * Has a runtime use the loader and the libraries beside it. It has to be RPATH: what an image puts into
 * `LD_LIBRARY_PATH` is searched before RUNPATH (https://man7.org/linux/man-pages/man8/ld.so.8.html).
 */
async function patch(runtime: string, patched: string, { loader }: Platform): Promise<void> {
  await Deno.copyFile(runtime, patched);
  await Deno.chmod(patched, 0o755);
  const args = [
    "--set-interpreter",
    `${PLACE}/lib/${loader}`,
    "--force-rpath",
    "--set-rpath",
    `${PLACE}/lib`,
  ];
  await run("patchelf", [...args, patched], "install it (Debian: apt-get install patchelf)");
}

async function setModes(dir: string, ...executables: readonly string[]): Promise<void> {
  await Deno.chmod(dir, 0o755);
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const file = `${dir}/${name}`;
    if (isDirectory) await setModes(file, ...executables);
    else await Deno.chmod(file, executables.includes(file) ? 0o755 : 0o644);
  }
}
