/**
 * How the directory for containers is made.
 *
 * @module
 */
import { assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { makeFolder } from "../../tools/image/folder.ts";
import { PLATFORMS } from "../../tools/image/platform.ts";
import { isInstalled } from "./is_installed.ts";
import { noFolder, sharedCodeCache, sharedFolder } from "./shared_folder.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const platform = PLATFORMS.find(({ target }) => target === Deno.build.target);
const runtime = Deno.env.get("DENORT_BIN");

describe("the directory for containers", { skip: noFolder }, () => {
  let folder: string;
  let dir: string;
  before(async () => {
    folder = await sharedFolder();
    dir = await Deno.makeTempDir({ prefix: "klatch-folder-" });
  });
  after(() => Deno.remove(dir, { recursive: true }));

  it("has the same bytes when it is made again elsewhere with the same code cache", async () => {
    if (platform === undefined || runtime === undefined) throw new Error("there is no runtime");
    const codeCache = { use: sharedCodeCache };
    await makeFolder(`${dir}/again`, { platform, runtime, libraries: "/", codeCache });
    assertEquals(await filesIn(`${dir}/again`), await filesIn(folder));
  });

  it("names its own loader, and its own libraries before those of LD_LIBRARY_PATH", {
    skip: isInstalled("readelf") ? false : "needs readelf",
  }, async () => {
    const args = ["--wide", "--dynamic", "--program-headers", `${folder}/klatch`];
    const { stdout } = await new Deno.Command("readelf", { args }).output();
    const text = new TextDecoder().decode(stdout);
    assertMatch(text, /interpreter: \/klatch\/lib\/ld-linux-/);
    assertMatch(text, /\(RPATH\) .*\[\/klatch\/lib\]/);
    // RUNPATH would be searched after LD_LIBRARY_PATH, and would turn RPATH off.
    assertNotMatch(text, /RUNPATH/);
    const needed = [...text.matchAll(/\(NEEDED\) .*\[(.*)\]/g)].map(([, name]) => name ?? "").sort();
    const shipped = [...Deno.readDirSync(`${folder}/lib`)].map(({ name }) => name).sort();
    assertEquals(shipped, needed, "it ships what it needs and no more");
  });

  it("comes with the licenses of all that is in it", () => {
    const names = [...Deno.readDirSync(`${folder}/licenses`)].map(({ name }) => name).sort();
    assertEquals(names, ["embedded", "klatch", "libc6", "libgcc-s1"]);
  });
});

describe("deno task image", { skip: runtime === undefined && "needs DENORT_BIN" }, () => {
  async function image(args: readonly string[], env: Record<string, string>) {
    const output = await Deno.makeTempDir({ prefix: "klatch-image-" });
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--allow-all", "--no-check", "tools/image.ts", "--output", output, ...args],
      cwd: ROOT,
      env,
      stdout: "null",
    }).output();
    await Deno.remove(output, { recursive: true });
    return { code, stderr: new TextDecoder().decode(stderr) };
  }

  it("says what to install if patchelf is missing", async () => {
    const { code, stderr } = await image([], { PATH: "/nowhere" });
    assertEquals(code, 1);
    assertStringIncludes(stderr, "patchelf is not installed; install it (Debian: apt-get install patchelf)");
  });

  it("names the library that it does not find", async () => {
    const { code, stderr } = await image(["--amd64-libraries=/nowhere", `--amd64-runtime=${runtime}`], {});
    assertEquals(code, 1);
    assertStringIncludes(
      stderr,
      "ld-linux-x86-64.so.2 for amd64 is not in /nowhere: looked for /nowhere/lib/",
    );
  });

  it("asks for the libraries of the other platform", async () => {
    const other = Deno.build.arch === "aarch64" ? "amd64" : "arm64";
    const { code, stderr } = await image([`--${other}-runtime=${runtime}`], { DENORT_BIN: "" });
    assertEquals(code, 1);
    assertStringIncludes(stderr, `--${other}-libraries is missing`);
  });
});

/** The mode and the digest of every file under a directory. */
async function filesIn(dir: string, under = ""): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const { name, isDirectory } of Deno.readDirSync(`${dir}/${under}`)) {
    const path = `${under}/${name}`;
    const { mode } = await Deno.stat(`${dir}${path}`);
    if (isDirectory) Object.assign(files, { [path]: String(mode) }, await filesIn(dir, path));
    else {
      const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(`${dir}${path}`));
      files[path] = `${mode} ${new Uint8Array(digest).toHex()}`;
    }
  }
  return files;
}
