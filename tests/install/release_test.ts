/**
 * What a release has besides its archives.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { parse } from "yaml";
import config from "../../deno.json" with { type: "json" };
import packages from "../../lib/cli/licenses.json" with { type: "json" };
import { loadCommands } from "../../lib/cli/command.ts";
import { completionsFor } from "../../lib/cli/completions.ts";
import { envName } from "../../lib/cli/flags.ts";
import { archive } from "../../tools/image/archive.ts";
import { PLATFORMS, writeFiles } from "../../tools/release/files.ts";
import { formula } from "../../tools/release/formula.ts";
import { REFERENCE_FILES, writeReference } from "../../tools/release/reference.ts";
import { sbom } from "../../tools/release/sbom.ts";
import { canRun } from "../support/processes.ts";

describe("the SBOM", () => {
  const document = sbom({ deno: "2.9.6", v8: "14.9" }, "2026-01-02T03:04:05Z") as {
    readonly packages: readonly {
      readonly SPDXID: string;
      readonly name: string;
      readonly versionInfo: string;
    }[];
    readonly relationships: readonly { readonly relatedSpdxElement: string }[];
  };

  it("lists klatch, the runtime, its engine and every npm package in the binary", () => {
    const names = document.packages.map(({ name, versionInfo }) => `${name} ${versionInfo}`);
    const npm = packages.map(({ name, version }) => `${name} ${version}`);
    assertEquals(names, [`${config.name} ${config.version}`, "Deno 2.9.6", "V8 14.9", ...npm]);
  });

  it("relates every package by an identifier that SPDX allows", () => {
    const ids = document.packages.map(({ SPDXID }) => SPDXID);
    assertEquals(ids.filter((id) => !/^SPDXRef-[A-Za-z0-9.-]+$/.test(id)), []);
    assertEquals(document.relationships.map(({ relatedSpdxElement }) => relatedSpdxElement), ids);
  });
});

/** The script of a step of the release workflow. */
function stepOf(name: string): string {
  const { jobs } = parse(
    Deno.readTextFileSync(new URL("../../.github/workflows/release.yml", import.meta.url)),
  );
  const { run } = jobs.publish.steps.find((step: { name?: string }) => step.name === name);
  return run;
}

describe("the Homebrew formula", () => {
  it("downloads each platform's archive and compares its digest", () => {
    const text = formula((file) => `digest of ${file}`);
    for (const platform of ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"]) {
      const file = `klatch-${platform}.tar.gz`;
      assertStringIncludes(
        text,
        `url "${config.repository}/releases/download/v${config.version}/${file}"\n      sha256 "digest of ${file}"`,
      );
    }
  });
});

describe("the manual page and the completions", () => {
  let dir: string;
  const read = (name: string) => Deno.readTextFileSync(`${dir}/${name}`);
  before(async () => {
    dir = await Deno.makeTempDir({ prefix: "klatch-reference-" });
    await writeReference(dir, "2026-01-02");
  });
  after(() => Deno.remove(dir, { recursive: true }));

  it("tell every command, flag, example and variable", async () => {
    const page = read("klatch.1").replaceAll("\\-", "-").replaceAll(/\\f[BIR]/g, "").replaceAll("\\e", "\\");
    for (const { usage, flags, examples } of await loadCommands()) {
      assertStringIncludes(page, `\n.SS "${usage.replaceAll("…", "...")}"\n`);
      for (const { line } of examples) assertStringIncludes(page, line.replaceAll("…", "..."));
      for (const { name, help } of flags) {
        assertStringIncludes(page, `--${name}`);
        assertStringIncludes(page, help.replaceAll("…", "..."));
      }
    }
    for (const variable of ["KLATCH_TOKEN", "KLATCH_KUBECONFIG_DATA", envName("lease-duration")]) {
      assertStringIncludes(page, variable);
    }
  });

  const noMandoc = canRun("mandoc", "/dev/null") ? false : "needs mandoc";
  it("give mandoc nothing to warn of", { skip: noMandoc }, async () => {
    const lint = await new Deno.Command("mandoc", {
      args: ["-T", "lint", "-W", "warning", `${dir}/klatch.1`],
    }).output();
    assertEquals([new TextDecoder().decode(lint.stdout), lint.code], ["", 0]);
  });

  it("are those that klatch completions prints", async () => {
    const commands = await loadCommands();
    assertEquals(read("klatch.bash"), completionsFor("bash", commands));
    assertEquals(read("_klatch"), completionsFor("zsh", commands));
    assertEquals(read("klatch.fish"), completionsFor("fish", commands));
  });

  it("are in an archive beside the binary", { skip: Deno.build.os !== "linux" }, async () => {
    await Deno.writeTextFile(`${dir}/klatch`, "#!/bin/sh\n", { mode: 0o755 });
    await archive(dir, ["klatch", ...REFERENCE_FILES], `${dir}/klatch-linux-x64.tar.gz`);
    const { stdout } = await new Deno.Command("tar", { args: ["-tzf", `${dir}/klatch-linux-x64.tar.gz`] })
      .output();
    assertEquals(new TextDecoder().decode(stdout), ["klatch", ...REFERENCE_FILES, ""].join("\n"));
  });

  it("are installed by the Homebrew formula", () => {
    const text = formula(() => "");
    for (const name of REFERENCE_FILES) assertStringIncludes(text, `.install "${name}"`);
  });
});

describe("the files of a release", { skip: Deno.build.os !== "linux" }, () => {
  const options = { runtime: { deno: "2.9.6", v8: "14.9" }, commitTime: "2026-01-02T03:04:05Z" };
  const binary = (platform: string) => `klatch for ${platform}\n`;
  let top: string;
  let dir: string;
  before(async () => {
    top = await Deno.makeTempDir({ prefix: "klatch-files-" });
    dir = `${top}/dist/release`;
    await Deno.mkdir(dir, { recursive: true });
  });
  after(() => Deno.remove(top, { recursive: true }));

  async function addArchive(platform: string): Promise<void> {
    await Deno.writeTextFile(`${top}/klatch`, binary(platform), { mode: 0o755 });
    await writeReference(top, "2026-01-02");
    await archive(top, ["klatch", ...REFERENCE_FILES], `${dir}/klatch-${platform}.tar.gz`);
  }

  /** Runs a step of the workflow where the workflow does. */
  async function runStep(name: string): Promise<void> {
    const { code, stderr } = await new Deno.Command("bash", { args: ["-e", "-c", stepOf(name)], cwd: top })
      .output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
  }

  it("are not made while a platform's archive is missing", async () => {
    for (const platform of PLATFORMS.slice(1)) await addArchive(platform);
    await assertRejects(() => writeFiles(dir, options), Error, `klatch-${PLATFORMS[0]}.tar.gz is not in`);
  });

  it("have their digests in SHA256SUMS, all of them", async () => {
    await addArchive(PLATFORMS[0] ?? "");
    await writeFiles(dir, options);
    const sums = Deno.readTextFileSync(`${dir}/SHA256SUMS`).trim().split("\n");
    const listed = sums.map((line) => line.split("  ")[1]);
    const there = [...Deno.readDirSync(dir)].map(({ name }) => name).filter((name) => name !== "SHA256SUMS");
    assertEquals(listed, there.toSorted());
    for (const name of [...REFERENCE_FILES, "install.sh", "klatch.rb", "sbom.spdx.json"]) {
      assert(listed.includes(name), name);
    }
    await runStep("Compare the checksums");
  });

  it("are attested, and the binary in each archive with them", async () => {
    await runStep("List what is attested, the binaries in the archives too");
    const attested = Deno.readTextFileSync(`${top}/attested`);
    assertStringIncludes(attested, Deno.readTextFileSync(`${dir}/SHA256SUMS`));
    for (const platform of PLATFORMS) {
      const bytes = new TextEncoder().encode(binary(platform));
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
      assertStringIncludes(attested, `${digest}  klatch-${platform}\n`);
    }
  });
});
