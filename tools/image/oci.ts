/**
 * Writes an image for several platforms as an OCI image layout, without a container engine
 * (https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md). The layout has one entry, called by
 * the version: an index of the platforms' manifests. skopeo takes no more than the first platform of a layout that
 * lists the manifests themselves, and crane refuses it.
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };
import { PLACE, type Platform } from "./platform.ts";

/** The user that klatch runs as, unless told otherwise: nobody's number in distroless images. */
const USER = "65532:65532";
const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";
const CREATED = "1970-01-01T00:00:00Z";

/** One platform's part. */
export interface Layer {
  readonly platform: Platform;
  /** The gzip-compressed archive of the directory of `makeFolder`, which is called `klatch` in it. */
  readonly archive: string;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/**
 * Writes the layout. What was there before is removed.
 *
 * @param dir where to write it.
 * @param layers the platforms; at least one.
 * @throws {Error} if an archive cannot be read.
 */
export async function writeLayout(dir: string, layers: readonly Layer[]): Promise<void> {
  await Deno.remove(dir, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const blobs = `${dir}/blobs/sha256`;
  await Deno.mkdir(blobs, { recursive: true });
  const manifests = [];
  for (const { platform, archive } of layers) {
    const { architecture } = platform;
    const descriptor = await writeManifest(blobs, architecture, archive);
    manifests.push({ ...descriptor, platform: { architecture, os: "linux" } });
  }
  const index = { schemaVersion: 2, mediaType: INDEX_TYPE, manifests };
  const entry = {
    ...await writeJson(blobs, INDEX_TYPE, index),
    annotations: { "org.opencontainers.image.ref.name": config.version },
  };
  await Deno.writeTextFile(`${dir}/index.json`, JSON.stringify({ ...index, manifests: [entry] }));
  await Deno.writeTextFile(`${dir}/oci-layout`, JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}

async function writeManifest(blobs: string, architecture: string, archive: string): Promise<Descriptor> {
  const { layer, diffId } = await writeLayer(blobs, archive);
  const image = await writeJson(blobs, "application/vnd.oci.image.config.v1+json", {
    created: CREATED,
    architecture,
    os: "linux",
    config: {
      User: USER,
      Env: [`PATH=${PLACE}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`],
      Entrypoint: [`${PLACE}/klatch`],
      Labels: labels(),
    },
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [{ created: CREATED, created_by: `COPY klatch ${PLACE}` }],
  });
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  return await writeJson(blobs, mediaType, { schemaVersion: 2, mediaType, config: image, layers: [layer] });
}

function labels(): Record<string, string> {
  const { version, license, repository } = config;
  return {
    "org.opencontainers.image.title": "klatch",
    "org.opencontainers.image.description": "Runs a command under a lock kept in a Kubernetes cluster",
    "org.opencontainers.image.version": version,
    "org.opencontainers.image.licenses": license,
    "org.opencontainers.image.source": repository,
  };
}

/** Takes an archive as it is. An image also names the digest of what is in the compressed form. */
async function writeLayer(blobs: string, archive: string): Promise<{ layer: Descriptor; diffId: string }> {
  const bytes = await Deno.readFile(archive);
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const diffId = await digestOf(await new Response(unpacked).bytes());
  return { layer: await write(blobs, "application/vnd.oci.image.layer.v1.tar+gzip", bytes), diffId };
}

function writeJson(blobs: string, mediaType: string, value: unknown): Promise<Descriptor> {
  return write(blobs, mediaType, new TextEncoder().encode(JSON.stringify(value)));
}

async function write(blobs: string, mediaType: string, bytes: Uint8Array<ArrayBuffer>): Promise<Descriptor> {
  const digest = await digestOf(bytes);
  await Deno.writeFile(`${blobs}/${digest.slice("sha256:".length)}`, bytes);
  return { mediaType, digest, size: bytes.length };
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return `sha256:${new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex()}`;
}
