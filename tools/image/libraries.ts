/**
 * The C library that goes into the image beside the binary, which then needs nothing of the image that it is put into.
 *
 * @module
 */
import type { Platform } from "./platform.ts";

/** What a denort needs, besides the loader; ldd(1) lists them. */
const LIBRARIES = [
  "libc.so.6",
  "libm.so.6",
  "libdl.so.2",
  "libpthread.so.0",
  "librt.so.1",
  "libgcc_s.so.1",
];

/** The Debian packages with these libraries, whose license has to go with them. */
const PACKAGES = ["libc6", "libgcc-s1"];

/**
 * Copies the loader, the libraries and their licenses.
 *
 * @param platform whose they are.
 * @param root a Debian file system for that platform: `/`, or where packages were unpacked.
 * @param dir the directory to fill: `lib/` and `licenses/` are made in it.
 * @throws {Error} if one of them is not in `root`.
 */
export async function copyLibraries(platform: Platform, root: string, dir: string): Promise<void> {
  await Deno.mkdir(`${dir}/lib`, { recursive: true });
  await Deno.mkdir(`${dir}/licenses`, { recursive: true });
  for (const name of [platform.loader, ...LIBRARIES]) {
    const places = platform.libraryDirs.map((each) => `${root}/${each}/${name}`);
    const file = await firstFile(places);
    if (file === undefined) {
      throw new Error(
        `${name} for ${platform.architecture} is not in ${root}: looked for ${places.join(", ")}`,
      );
    }
    await Deno.copyFile(file, `${dir}/lib/${name}`);
  }
  for (const name of PACKAGES) {
    const file = await firstFile([`${root}/usr/share/doc/${name}/copyright`]);
    if (file === undefined) {
      throw new Error(`${root}/usr/share/doc/${name}/copyright is missing: it has to be shipped`);
    }
    await Deno.copyFile(file, `${dir}/licenses/${name}`);
  }
}

async function firstFile(places: readonly string[]): Promise<string | undefined> {
  for (const place of places) {
    if (await Deno.stat(place).then(({ isFile }) => isFile, () => false)) return place;
  }
  return undefined;
}
