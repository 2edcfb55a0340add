/**
 * What a release has besides its archives.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import config from "../../deno.json" with { type: "json" };
import packages from "../../lib/cli/licenses.json" with { type: "json" };
import { formula } from "../../tools/release/formula.ts";
import { sbom } from "../../tools/release/sbom.ts";

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
