/**
 * The list of what is in the binary, and under which licenses.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { licensesText } from "../../lib/cli/licenses.ts";
import packages from "../../lib/cli/licenses.json" with { type: "json" };
import { packageLicenses } from "../../tools/licenses.ts";

describe("the list of licenses", () => {
  it("has all npm packages that the program loads (else run: deno task licenses)", async () => {
    assertEquals(packages, await packageLicenses());
  });

  it("leaves out packages that only give types", () => {
    assertEquals(packages.filter(({ name }) => name === "@kubernetes/client-node"), []);
  });

  it("names the runtime and its engine by version, with their notices", async () => {
    const text = await licensesText({ deno: "2.9.6", v8: "14.9" });
    assertStringIncludes(text, "  Deno 2.9.6 (MIT)\n  V8 14.9 (BSD-3-Clause)\n");
    assertStringIncludes(text, "Copyright 2018-2026 the Deno authors");
    assertStringIncludes(text, "Copyright 2014, the V8 project authors");
    for (const { name, version, license } of packages) {
      assertStringIncludes(text, `  ${name} ${version} (${license})\n`);
    }
  });

  it("ends with a line feed", async () => {
    assertMatch(await licensesText({ deno: "2.9.6", v8: "14.9" }), /\S\n$/);
  });
});
