/**
 * install.sh: what it installs, and that it installs nothing when something is wrong.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { after, afterEach, before, beforeEach, describe, it } from "@std/testing/bdd";
import config from "../../deno.json" with { type: "json" };
import { findProgram, isInstalled } from "../image/is_installed.ts";
import { MadeRoot, noRoots, ROOTS } from "../image/roots.ts";
import { type Fault, Releases } from "./releases.ts";

const SCRIPT = new URL("../../install.sh", import.meta.url).pathname;
const ARCHIVE = `klatch-${Deno.build.os}-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}.tar.gz`;
const SHELLS: readonly { name: string; words: readonly string[] }[] = [
  { name: "dash", words: ["dash"] },
  { name: "busybox", words: ["busybox", "sh"] },
];
const MUSL = ROOTS.find(({ name }) => name.includes("musl"))!;
/** What install.sh needs of the system, besides a downloader and a digest program. */
const TOOLS = ["cat", "chmod", "cp", "cut", "gzip", "id", "mkdir", "mktemp", "mv", "rm", "tar", "uname"];

for (const { name, words } of SHELLS) {
  describe(`install.sh in ${name}`, { skip: isInstalled(words[0] ?? "") ? false : `needs ${name}` }, () => {
    const [program = "", ...rest] = [findProgram(words[0] ?? ""), ...words.slice(1)];
    let releases: Releases;
    let dir: string;
    before(async () => void (releases = await Releases.start()));
    after(() => releases[Symbol.asyncDispose]());
    beforeEach(async () => {
      dir = await Deno.makeTempDir({ prefix: "klatch-install-" });
      releases.fault = "none";
      releases.requests.length = 0;
    });
    afterEach(() => Deno.remove(dir, { recursive: true }));

    /** Runs it, with an installed klatch in `bin` that it may replace. */
    async function install(args: readonly string[], env: Record<string, string> = {}) {
      const { code, stderr } = await new Deno.Command(program, {
        args: [...rest, SCRIPT, ...args],
        clearEnv: true,
        env: { PATH: Deno.env.get("PATH") ?? "", HOME: dir, TMPDIR: dir, ...env },
      }).output();
      return { code, stderr: new TextDecoder().decode(stderr) };
    }
    const to = () => ["--from", releases.url, "--to", `${dir}/bin`];
    const installed = () => Deno.readTextFileSync(`${dir}/bin/klatch`);
    /** A directory of links to programs, which is to be the whole PATH. */
    async function pathWith(...programs: readonly string[]): Promise<string> {
      const path = `${dir}/path`;
      await Deno.mkdir(path);
      for (const each of [...TOOLS, ...programs]) {
        await Deno.symlink(findProgram(each) ?? "", `${path}/${each}`);
      }
      return path;
    }
    async function stub(path: string, program: string, prints: string): Promise<void> {
      await Deno.remove(`${path}/${program}`).catch(() => {});
      await Deno.writeTextFile(`${path}/${program}`, `#!/bin/sh\n${prints}\n`, { mode: 0o755 });
    }

    it("installs the latest release and says what it did and what to do about PATH", async () => {
      const { code, stderr } = await install(to());
      assertEquals(code, 0, stderr);
      assertEquals(releases.requests, [`/latest/download/SHA256SUMS`, `/latest/download/${ARCHIVE}`]);
      assertStringIncludes(installed(), "klatch 9.9.9");
      assertStringIncludes(stderr, `installed klatch 9.9.9 as ${dir}/bin/klatch\n`);
      assertStringIncludes(stderr, `${dir}/bin is not in PATH; add it`);
      assertEquals([...Deno.readDirSync(dir)].map(({ name }) => name), ["bin"], "nothing else is left");
    });

    it("installs a given release from a mirror that the environment names", async () => {
      const { code, stderr } = await install(["--version=v1.2.3", `--to=${dir}/bin`], {
        KLATCH_DOWNLOAD_URL: `${releases.url}/`,
      });
      assertEquals(code, 0, stderr);
      assertEquals(releases.requests[1], `/download/v1.2.3/${ARCHIVE}`);
    });

    it("says nothing about PATH if klatch is found there", async () => {
      const { stderr } = await install(to(), { PATH: `${dir}/bin:${Deno.env.get("PATH")}` });
      assertEquals(stderr, `install.sh: installed klatch 9.9.9 as ${dir}/bin/klatch\n`);
    });

    it("says so if another klatch comes first in PATH", async () => {
      await Deno.mkdir(`${dir}/first`);
      await stub(`${dir}/first`, "klatch", "echo old");
      const { stderr } = await install(to(), { PATH: `${dir}/first:${Deno.env.get("PATH")}` });
      assertStringIncludes(stderr, `but ${dir}/first/klatch comes first in PATH`);
    });

    const faults: readonly [Fault, RegExp][] = [
      ["shorter", /is not what SHA256SUMS lists \(expected [0-9a-f]{64}, got [0-9a-f]{64}\)/],
      ["tampered", /is not what SHA256SUMS lists/],
      ["cut off", /cannot download http.*tar.gz|is not what SHA256SUMS lists/],
      ["no archive", /cannot download http.*tar.gz/],
      ["no sums", /cannot download http.*SHA256SUMS/],
      ["not listed", /SHA256SUMS does not list klatch-.*tar.gz/],
      ["not runnable", /does not run on this system; nothing was installed: no such library/],
    ];
    for (const [fault, message] of faults) {
      it(`leaves what is installed alone if the release is broken: ${fault}`, async () => {
        await Deno.mkdir(`${dir}/bin`);
        await Deno.writeTextFile(`${dir}/bin/klatch`, "old");
        releases.fault = fault;
        const { code, stderr } = await install(to());
        assertEquals(code, 1);
        assertMatch(stderr, message);
        assertEquals(installed(), "old");
        assertEquals([...Deno.readDirSync(`${dir}/bin`)].length, 1, "no file is left beside it");
      });
    }

    it("does without curl and sha256sum", { skip: isInstalled("wget") ? false : "needs wget" }, async () => {
      const { code, stderr } = await install(to(), { PATH: await pathWith("wget", "openssl") });
      assertEquals(code, 0, stderr);
      assertStringIncludes(installed(), "klatch 9.9.9");
    });

    it(
      "installs nothing that it cannot verify",
      { skip: name === "busybox" && "has a sha256sum" },
      async () => {
        const { code, stderr } = await install(to(), { PATH: await pathWith("curl") });
        assertEquals(code, 1);
        assertStringIncludes(stderr, "none of sha256sum, shasum and openssl is installed");
      },
    );

    const machines: readonly [string, string, string][] = [
      ["Linux", "aarch64", "linux-arm64"],
      ["Darwin", "x86_64", "darwin-x64"],
      ["Darwin", "arm64", "darwin-arm64"],
    ];
    for (const [system, machine, archive] of machines) {
      it(`takes the archive ${archive} on ${system} ${machine}`, { skip: name === "busybox" }, async () => {
        const path = await pathWith("curl", "sha256sum");
        await stub(path, "uname", `[ "$1" = -s ] && echo ${system} || echo ${machine}`);
        assertEquals((await install(to(), { PATH: path })).code, 0);
        assertEquals(releases.requests[1], `/latest/download/klatch-${archive}.tar.gz`);
      });
    }

    it("sees an Apple chip through Rosetta", { skip: name === "busybox" }, async () => {
      const path = await pathWith("curl", "sha256sum");
      await stub(path, "uname", `[ "$1" = -s ] && echo Darwin || echo x86_64`);
      await stub(path, "sysctl", "echo 1");
      await install(to(), { PATH: path });
      assertEquals(releases.requests[1], `/latest/download/klatch-darwin-arm64.tar.gz`);
    });

    it("refuses another system", { skip: name === "busybox" }, async () => {
      const path = await pathWith("curl", "sha256sum");
      await stub(path, "uname", "echo FreeBSD");
      const { code, stderr } = await install(to(), { PATH: path });
      assertEquals(code, 1);
      assertStringIncludes(stderr, "there is no klatch for FreeBSD");
      assertEquals(releases.requests, []);
    });

    it("refuses an unknown option and a missing value before it downloads anything", async () => {
      for (const args of [["--frm", "x"], ["--to"]]) {
        assertEquals((await install(args)).code, 1);
      }
      assertEquals(releases.requests, []);
    });

    it("names the directory that it cannot write to", async () => {
      await Deno.writeTextFile(`${dir}/file`, "");
      const { code, stderr } = await install(["--from", releases.url, "--to", `${dir}/file/bin`]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, `cannot make the directory ${dir}/file/bin; choose another one with --to`);
    });

    it("does nothing if it arrives incomplete", async () => {
      const text = await Deno.readTextFile(SCRIPT);
      const last = text.lastIndexOf("main");
      assertEquals(text.slice(last), 'main "$@"\n');
      const { stderr } = await new Deno.Command(program, { args: [...rest, "-c", text.slice(0, last)] })
        .output();
      assertEquals(new TextDecoder().decode(stderr), "");
    });
  });
}

describe("install.sh without glibc", { skip: noRoots || MUSL.skip }, () => {
  let releases: Releases;
  let root: MadeRoot;
  before(async () => {
    releases = await Releases.start();
    root = await MadeRoot.make(MUSL, await Deno.makeTempDir());
    for (const each of ["tmp", "usr/bin"]) await Deno.mkdir(`${root.dir}/${each}`, { recursive: true });
    await Deno.remove(`${root.dir}/klatch`);
    await Deno.copyFile(SCRIPT, `${root.dir}/install.sh`);
    await Deno.mkdir(`${root.dir}/dev`);
    await new Deno.Command("mknod", { args: [`${root.dir}/dev/null`, "c", "1", "3"] }).output();
    await Deno.symlink("/bin/busybox", `${root.dir}/bin/sh`);
  });
  after(async () => {
    await root.remove();
    await releases[Symbol.asyncDispose]();
  });

  async function install(...args: readonly string[]) {
    const line = '/bin/busybox --install -s /bin; exec sh /install.sh "$@"';
    const { code, stderr } = await new Deno.Command("chroot", {
      args: [root.dir, "/bin/sh", "-c", line, "sh", "--from", releases.url, ...args],
      clearEnv: true,
      env: { PATH: "/usr/sbin:/usr/bin:/bin", HOME: "/" },
    }).output();
    return { code, stderr: new TextDecoder().decode(stderr) };
  }

  it("installs nothing, and names the directory at /klatch and the image", async () => {
    const { code, stderr } = await install();
    assertEquals(code, 1);
    assertStringIncludes(stderr, "has no glibc");
    assertStringIncludes(stderr, "--folder");
    assertStringIncludes(stderr, "COPY --from=IMAGE /klatch /klatch");
    assertEquals(releases.requests, []);
  });

  it("installs the directory at /klatch with --folder, also over an older one", async () => {
    releases.folder = true;
    for (const _ of [1, 2]) {
      const { code, stderr } = await install("--folder");
      assertEquals(code, 0, stderr);
      assertStringIncludes(stderr, "installed klatch 9.9.9 as /klatch/klatch");
      assertEquals([...Deno.readDirSync(`${root.dir}/klatch`)].map(({ name }) => name), ["klatch"]);
    }
    const left = [...Deno.readDirSync(root.dir)].map(({ name }) => name).filter((name) =>
      /klatch\./.test(name)
    );
    assertEquals(left, []);
  });
});

describe("install.sh", () => {
  it("downloads from the repository that deno.json names", () => {
    assertStringIncludes(Deno.readTextFileSync(SCRIPT), `\nREPOSITORY=${config.repository}\n`);
  });

  it("passes shellcheck", { skip: isInstalled("shellcheck") ? false : "needs shellcheck" }, async () => {
    const { stdout } = await new Deno.Command("shellcheck", { args: ["--shell=sh", SCRIPT] }).output();
    assertEquals(new TextDecoder().decode(stdout), "");
  });
});
