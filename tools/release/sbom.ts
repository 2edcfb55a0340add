/**
 * The list of what is in the binary, for programs: SPDX 2.3 (https://spdx.github.io/spdx-spec/v2.3/).
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };
import packages from "../../lib/cli/licenses.json" with { type: "json" };

/** Software that is part of klatch. */
interface Part {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** A package URL: https://github.com/package-url/purl-spec */
  readonly url: string;
}

/**
 * Makes the document. The same commit and runtime give the same document.
 *
 * @param runtime the versions of the runtime that releases are compiled with.
 * @param created when, in RFC 3339: the time of the commit.
 */
export function sbom(runtime: { readonly deno: string; readonly v8: string }, created: string): unknown {
  const parts: Part[] = [
    { name: "Deno", version: runtime.deno, license: "MIT", url: `pkg:github/denoland/deno@v${runtime.deno}` },
    { name: "V8", version: runtime.v8, license: "BSD-3-Clause", url: `pkg:github/v8/v8@${runtime.v8}` },
    ...packages.map(({ name, version, license }) => ({
      name,
      version,
      license,
      url: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    })),
  ];
  const { name, version, license, repository } = config;
  const root = "SPDXRef-klatch";
  const described = [{
    name,
    version,
    license,
    url: `pkg:github/${new URL(repository).pathname.slice(1)}@v${version}`,
  }];
  const ids = [root, ...parts.map(({ name }) => `SPDXRef-${name.replaceAll(/[^A-Za-z0-9.-]/g, "-")}`)];
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `klatch-${version}`,
    documentNamespace: `${repository}/releases/download/v${version}/sbom.spdx.json`,
    creationInfo: { created, creators: ["Tool: klatch-release"] },
    packages: [...described, ...parts].map((each, at) => ({
      SPDXID: ids[at],
      name: each.name,
      versionInfo: each.version,
      licenseConcluded: each.license,
      licenseDeclared: each.license,
      copyrightText: "NOASSERTION",
      downloadLocation: "NOASSERTION",
      filesAnalyzed: false,
      externalRefs: [{
        referenceCategory: "PACKAGE-MANAGER",
        referenceType: "purl",
        referenceLocator: each.url,
      }],
    })),
    relationships: [
      { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: root },
      ...ids.slice(1).map((id) => ({
        spdxElementId: root,
        relationshipType: "CONTAINS",
        relatedSpdxElement: id,
      })),
    ],
  };
}
