/**
 * What a container engine makes of an image: its layer for this machine, found through the layout's index and manifest,
 * checked against its digests, and unpacked.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { archive } from "../../tools/image/archive.ts";
import { writeLayout } from "../../tools/image/oci.ts";
import { run } from "../../tools/image/run.ts";
import { PLATFORMS } from "../../tools/image/platform.ts";
import { sharedFolder } from "./shared_folder.ts";

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string };
}

/**
 * Unpacks an image.
 *
 * @param layout the folder of an OCI layout.
 * @param root where to unpack it; it is made.
 * @throws {Error} there is no image for this machine, or a digest is wrong.
 */
export async function unpackImage(layout: string, root: string): Promise<void> {
  const { manifests: [index] } = JSON.parse(await Deno.readTextFile(`${layout}/index.json`));
  const { manifests } = JSON.parse(await blob(layout, index)) as { manifests: readonly Descriptor[] };
  const { architecture } = PLATFORMS.find(({ target }) => target === Deno.build.target) ?? {};
  const mine = manifests.find(({ platform }) => platform?.architecture === architecture);
  if (mine === undefined) throw new Error(`the image in ${layout} is not for ${Deno.build.target}`);
  const { layers } = JSON.parse(await blob(layout, mine)) as { layers: readonly Descriptor[] };
  await Deno.mkdir(root, { recursive: true });
  for (const layer of layers) {
    await read(layout, layer);
    await run("tar", ["-xzf", fileOf(layout, layer), "-C", root], "it is part of every system");
  }
}

/**
 * The directory that `COPY --from=IMAGE /klatch /klatch` copies, from an image made of the shared directory.
 *
 * @returns its path.
 */
export async function imageFolder(): Promise<string> {
  const folder = await sharedFolder();
  const root = `${folder}-unpacked`;
  if (await Deno.stat(`${root}/klatch/klatch`).then(() => true, () => false)) return `${root}/klatch`;
  const dir = await Deno.makeTempDir({ dir: folder.slice(0, folder.lastIndexOf("/")) });
  try {
    // By links, since tar would archive a symbolic link as such, and a copy takes 97 MB.
    await run("cp", ["-al", folder, `${dir}/klatch`], "it is part of every system");
    await archive(dir, ["klatch"], `${dir}/klatch.tar.gz`, 1);
    const platform = PLATFORMS.find(({ target }) => target === Deno.build.target);
    if (platform === undefined) throw new Error(`no image is made for ${Deno.build.target}`);
    await writeLayout(`${dir}/oci`, [{ platform, archive: `${dir}/klatch.tar.gz` }]);
    await unpackImage(`${dir}/oci`, `${dir}/root`);
    await Deno.rename(`${dir}/root`, root);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
  return `${root}/klatch`;
}

async function blob(layout: string, descriptor: Descriptor): Promise<string> {
  return new TextDecoder().decode(await read(layout, descriptor));
}

/** A blob that is as large as its descriptor says and has its digest. */
async function read(layout: string, descriptor: Descriptor): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await Deno.readFile(fileOf(layout, descriptor));
  const digest = `sha256:${new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex()}`;
  assertEquals([digest, bytes.length], [descriptor.digest, descriptor.size]);
  return bytes;
}

function fileOf(layout: string, { digest }: Descriptor): string {
  return `${layout}/blobs/${digest.replace(":", "/")}`;
}
