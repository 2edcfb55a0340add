/**
 * Makes klatch for containers:
 *
 *     deno task image [--output DIR] [--amd64-runtime FILE] [--arm64-runtime FILE] …
 *
 * For each platform it makes the directory that has to be at /klatch, and an archive of it; for this machine's platform
 * that is DIR/klatch (dist/image/klatch), for the other DIR/ARCH/klatch. All platforms together go into one image,
 * an OCI layout at DIR/oci. A platform takes part if its runtime is given; this machine's is `DENORT_BIN` unless given.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { archive } from "./image/archive.ts";
import { type FolderParts, makeFolder } from "./image/folder.ts";
import { type Layer, writeLayout } from "./image/oci.ts";
import { type Platform, PLATFORMS } from "./image/platform.ts";

const ROOT = new URL("..", import.meta.url).pathname;

/** A platform's own flags, for `--help`'s sake in one place. */
const HELP = `Usage: deno task image [--output DIR] [flags]

For ARCH of amd64 and arm64:
  --ARCH-runtime FILE    the runtime (denort) for that platform
                         (default for this machine's platform: $DENORT_BIN)
  --ARCH-v8 FILE         a code cache recorded on that platform
                         (default for this machine's platform: record one; else none)
  --ARCH-libraries DIR   a Debian file system with libc6 and libgcc-s1 for that platform
                         (default for this machine's platform: /)
  --ARCH-archive FILE    an archive that was made before, instead of all these
`;

type Values = Readonly<Record<string, string | boolean | undefined>>;

function valuesOf(args: readonly string[]): Values {
  const text = { type: "string" } as const;
  const perPlatform = ["runtime", "v8", "libraries", "archive"].flatMap((name) =>
    PLATFORMS.map(({ architecture }) => [`${architecture}-${name}`, text] as const)
  );
  const options = { output: text, help: { type: "boolean" }, ...Object.fromEntries(perPlatform) } as const;
  return parseArgs({ args: [...args], options }).values;
}

/** Makes a platform's directory and archives it; `undefined` if the platform takes no part. */
async function archiveOf(platform: Platform, values: Values, output: string): Promise<string | undefined> {
  const { architecture } = platform;
  const given = (name: string) => values[`${architecture}-${name}`] as string | undefined;
  if (given("archive") !== undefined) return given("archive");
  const isThis = platform.target === Deno.build.target;
  const runtime = given("runtime") ?? (isThis ? Deno.env.get("DENORT_BIN") || undefined : undefined);
  if (runtime === undefined) return undefined;
  const libraries = given("libraries") ?? (isThis ? "/" : undefined);
  if (libraries === undefined) {
    throw new Error(`--${architecture}-libraries is missing: where its C library is`);
  }
  const parent = isThis ? output : `${output}/${architecture}`;
  await Deno.mkdir(parent, { recursive: true });
  const v8 = given("v8");
  const codeCache: FolderParts["codeCache"] = v8 !== undefined
    ? { use: v8 }
    : isThis
    ? { write: `${parent}/klatch.v8` }
    : undefined;
  await makeFolder(`${parent}/klatch`, { platform, runtime, libraries, codeCache });
  const file = `${parent}/klatch.tar.gz`;
  await archive(parent, ["klatch"], file);
  return file;
}

async function main(args: readonly string[]): Promise<void> {
  const values = valuesOf(args);
  if (values.help) return console.log(HELP);
  const output = values.output as string | undefined ?? `${ROOT}dist/image`;
  const layers: Layer[] = [];
  for (const platform of PLATFORMS) {
    const archive = await archiveOf(platform, values, output);
    if (archive !== undefined) layers.push({ platform, archive });
  }
  if (layers.length === 0) {
    throw new Error("there is no runtime: set DENORT_BIN to a denort, or give --amd64-runtime");
  }
  await writeLayout(`${output}/oci`, layers);
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    console.error(`image: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
