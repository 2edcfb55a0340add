/**
 * Makes the files of a release:
 *
 *     deno task release platform DIR    the archives of this machine's platform
 *     deno task release reference DIR   the manual page and the completions alone
 *     deno task release finish DIR      the image, install.sh, SBOM, manual page, completions, Homebrew formula and
 *                                       SHA256SUMS, once DIR has the archives of all platforms
 *
 * `platform` needs DENORT_BIN, the runtime as a file. The names are those that install.sh downloads.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { archive } from "./image/archive.ts";
import { run } from "./image/run.ts";
import { writeFiles } from "./release/files.ts";
import { REFERENCE_FILES, writeReference } from "./release/reference.ts";

const ROOT = new URL("..", import.meta.url).pathname;

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
    await writeReference(work, await commitDate());
    await archive(work, ["klatch", ...REFERENCE_FILES], `${dir}/${name}.tar.gz`);
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
  await writeFiles(dir, { runtime: Deno.version, commitTime: await commitTime() });
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

async function commitDate(): Promise<string> {
  return (await commitTime()).slice(0, "2026-01-02".length);
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
    else if (step === "reference") await writeReference(dir, await commitDate());
    else throw new Error("say platform, reference or finish");
  } catch (error) {
    console.error(`release: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
