/**
 * The directory for containers, made once for all test files from the same source as the compiled binary.
 *
 * @module
 */
import { makeFolder } from "../../tools/image/folder.ts";
import { PLATFORMS } from "../../tools/image/platform.ts";
import { klatchBinary } from "../support/binary.ts";
import { isInstalled } from "./is_installed.ts";

const PARENT = new URL("../../dist/test-image", import.meta.url).pathname;
/** The code cache that the directory was made with. */
export const sharedCodeCache = `${PARENT}/klatch.v8`;
const platform = PLATFORMS.find(({ target }) => target === Deno.build.target);
const runtime = Deno.env.get("DENORT_BIN");

/** Why the directory cannot be made here; false if it can. */
export const noFolder: string | false = reason();

function reason(): string | false {
  if (platform === undefined) return "needs Linux";
  if (klatchBinary() === undefined) return "needs dist/klatch: run the task compile, or set KLATCH_BINARY";
  if (runtime === undefined) return "needs DENORT_BIN, the runtime as a file";
  return isInstalled("patchelf") ? false : "needs patchelf (Debian: apt-get install patchelf)";
}

/**
 * Makes the directory, unless another test file has made it for this binary.
 *
 * @returns its path; it is to be mounted at /klatch.
 */
export async function sharedFolder(): Promise<string> {
  const binary = klatchBinary();
  if (binary === undefined || platform === undefined || runtime === undefined) {
    throw new Error(String(noFolder));
  }
  const bytes = await Deno.readFile(binary);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  const made = `${PARENT}/${digest.slice(0, 16)}`;
  if (await exists(`${made}/klatch`)) return made;
  await Deno.remove(PARENT, { recursive: true }).catch(() => {});
  await Deno.mkdir(PARENT, { recursive: true });
  const dir = await Deno.makeTempDir({ dir: PARENT });
  const codeCache = { write: sharedCodeCache };
  await makeFolder(`${dir}/klatch`, { platform, runtime, libraries: "/", codeCache });
  // In one step, so that a test that is interrupted leaves no half of it.
  await Deno.rename(`${dir}/klatch`, made);
  await Deno.remove(dir);
  return made;
}

function exists(file: string): Promise<boolean> {
  return Deno.stat(file).then(() => true, () => false);
}
