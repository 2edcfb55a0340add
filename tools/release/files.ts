/**
 * The files of a release that are there once for all platforms, beside the archives and the image.
 *
 * @module
 */
import { formula } from "./formula.ts";
import { writeReference } from "./reference.ts";
import { sbom } from "./sbom.ts";

/** The platforms that have an archive, as install.sh calls them. */
export const PLATFORMS: readonly string[] = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"];

/** What the files depend on besides the sources. */
export interface ReleaseOptions {
  /** The versions of the runtime that releases are compiled with. */
  readonly runtime: { readonly deno: string; readonly v8: string };
  /** The time of the commit, in RFC 3339. */
  readonly commitTime: string;
}

/**
 * Writes install.sh, the SBOM, the manual page, completions, the Homebrew formula and SHA256SUMS.
 *
 * @param dir a folder with the archives of all platforms.
 * @param options runtime and time of the commit.
 * @throws {Error} an archive is missing.
 */
export async function writeFiles(dir: string, { runtime, commitTime }: ReleaseOptions): Promise<void> {
  await Deno.copyFile(new URL("../../install.sh", import.meta.url), `${dir}/install.sh`);
  await Deno.writeTextFile(
    `${dir}/sbom.spdx.json`,
    `${JSON.stringify(sbom(runtime, commitTime), undefined, 2)}\n`,
  );
  await writeReference(dir, commitTime.slice(0, "2026-01-02".length));
  const digests = await digestsIn(dir);
  const missing = PLATFORMS.find((platform) => !digests.has(`klatch-${platform}.tar.gz`));
  if (missing !== undefined) throw new Error(`klatch-${missing}.tar.gz is not in ${dir}`);
  await Deno.writeTextFile(`${dir}/klatch.rb`, formula((file) => digests.get(file) ?? ""));
  const sums = [...await digestsIn(dir)].map(([name, digest]) => `${digest}  ${name}\n`);
  await Deno.writeTextFile(`${dir}/SHA256SUMS`, sums.join(""));
}

/** The digests of all files in a directory but SHA256SUMS, sorted by name. */
async function digestsIn(dir: string): Promise<Map<string, string>> {
  const names = (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name).sort();
  const digests = new Map<string, string>();
  for (const name of names.filter((each) => each !== "SHA256SUMS")) {
    const bytes = await Deno.readFile(`${dir}/${name}`);
    digests.set(name, new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex());
  }
  return digests;
}
