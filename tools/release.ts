/**
 * Makes the files of a release:
 *
 *     deno task release platform DIR    the archives of this machine's platform
 *     deno task release finish DIR      the image, install.sh, SBOM, Homebrew formula and SHA256SUMS, once DIR has
 *                                       the archives of all platforms
 *
 * `platform` needs DENORT_BIN, the runtime as a file. The names are those that install.sh downloads.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { archive } from "./image/archive.ts";
import { run } from "./image/run.ts";
import { formula } from "./release/formula.ts";
import { sbom } from "./release/sbom.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const PLATFORMS = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"];

/** This machine's platform, as install.sh calls it. */
function platformName(): string {
  return `${Deno.build.os}-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`;
}

/** Compiles klatch for this platform, and for Linux also the directory for containers. */
async function makePlatform(dir: string): Promise<void> {
  const name = `klatch-${platformName()}`;
  const work = await Deno.makeTempDir({ prefix: "klatch-release-" });
  try {
    await task("tools/compile.ts", "--output", `${work}/klatch`);
    // The code cache is an input of a build that is to give the same bytes.
    await Deno.rename(`${work}/klatch.v8`, `${dir}/${name}.v8`);
    await archive(work, "klatch", `${dir}/${name}.tar.gz`);
    if (Deno.build.os !== "linux") return;
    const architecture = Deno.build.arch === "aarch64" ? "arm64" : "amd64";
    await task("tools/image.ts", "--output", `${work}/image`, `--${architecture}-v8`, `${dir}/${name}.v8`);
    await Deno.copyFile(`${work}/image/klatch.tar.gz`, `${dir}/${name}-folder.tar.gz`);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** Makes what is there once for all platforms. */
async function finish(dir: string): Promise<void> {
  const folder = (platform: string) => `${dir}/klatch-${platform}-folder.tar.gz`;
  await task(
    "tools/image.ts",
    ...["--output", `${ROOT}dist/image`],
    ...["--amd64-archive", folder("linux-x64"), "--arm64-archive", folder("linux-arm64")],
  );
  await Deno.copyFile(`${ROOT}install.sh`, `${dir}/install.sh`);
  const document = sbom(Deno.version, await commitTime());
  await Deno.writeTextFile(`${dir}/sbom.spdx.json`, `${JSON.stringify(document, undefined, 2)}\n`);
  const digests = await digestsIn(dir);
  for (const platform of PLATFORMS) {
    if (!digests.has(`klatch-${platform}.tar.gz`)) {
      throw new Error(`klatch-${platform}.tar.gz is not in ${dir}`);
    }
  }
  await Deno.writeTextFile(`${dir}/klatch.rb`, formula((file) => digests.get(file) ?? ""));
  const all = await digestsIn(dir);
  const sums = [...all].map(([name, digest]) => `${digest}  ${name}\n`);
  await Deno.writeTextFile(`${dir}/SHA256SUMS`, sums.join(""));
}

async function task(module: string, ...args: readonly string[]): Promise<void> {
  await run(Deno.execPath(), ["run", "--quiet", "--allow-all", `${ROOT}${module}`, ...args], "");
}

/** The time of the commit, so that two builds of it agree. */
async function commitTime(): Promise<string> {
  const { stdout } = await new Deno.Command("git", { args: ["log", "-1", "--format=%ct"], cwd: ROOT })
    .output();
  const seconds = Number(new TextDecoder().decode(stdout));
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
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

if (import.meta.main) {
  const [step, dir = `${ROOT}dist/release`] = Deno.args;
  try {
    const tag = Deno.env.get("GITHUB_REF_NAME");
    if (Deno.env.get("GITHUB_REF_TYPE") === "tag" && tag !== `v${config.version}`) {
      throw new Error(`the tag ${tag} is not v${config.version}, the version in deno.json`);
    }
    await Deno.mkdir(dir, { recursive: true });
    if (step === "platform") await makePlatform(dir);
    else if (step === "finish") await finish(dir);
    else throw new Error("say platform or finish");
  } catch (error) {
    console.error(`release: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
