/**
 * The image that is written without a container engine.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import config from "../../deno.json" with { type: "json" };
import { archive } from "../../tools/image/archive.ts";
import { writeLayout } from "../../tools/image/oci.ts";
import { PLATFORMS } from "../../tools/image/platform.ts";
import { isInstalled } from "./is_installed.ts";

/** A blob's description, as far as the tests look. */
interface Described {
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly architecture: string };
}

describe("the image layout", () => {
  let dir: string;
  before(async () => {
    dir = await Deno.makeTempDir({ prefix: "klatch-oci-" });
    await Deno.mkdir(`${dir}/klatch/lib`, { recursive: true });
    await Deno.writeTextFile(`${dir}/klatch/klatch`, "#!/bin/sh\n", { mode: 0o755 });
    await Deno.writeTextFile(`${dir}/klatch/lib/libc.so.6`, "library");
    for (const name of ["one", "two"]) {
      // Neither the archive nor the layout may tell when or in which order files were made.
      await Deno.utime(`${dir}/klatch/klatch`, new Date(), new Date(name === "one" ? 1e12 : 1.5e12));
      await archive(dir, ["klatch"], `${dir}/${name}.tar.gz`);
      const layers = PLATFORMS.map((platform) => ({ platform, archive: `${dir}/${name}.tar.gz` }));
      await writeLayout(`${dir}/${name}`, layers);
    }
  });
  after(() => Deno.remove(dir, { recursive: true }));

  const read = (file: string) => Deno.readTextFileSync(`${dir}/one/${file}`);
  // deno-lint-ignore no-explicit-any -- whatever the format has
  const blob = ({ digest }: Described): any => JSON.parse(read(`blobs/${digest.replace(":", "/")}`));
  const manifests = (): Described[] => blob(JSON.parse(read("index.json")).manifests[0]).manifests;

  it("is the same when it is written again", () => {
    assertEquals(filesIn(`${dir}/two`), filesIn(`${dir}/one`));
  });

  it("names every blob by its digest and size", async () => {
    for (const { name } of Deno.readDirSync(`${dir}/one/blobs/sha256`)) {
      const bytes = await Deno.readFile(`${dir}/one/blobs/sha256/${name}`);
      assertEquals(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex(), name);
    }
    for (const each of manifests()) {
      assertEquals(Deno.statSync(`${dir}/one/blobs/${each.digest.replace(":", "/")}`).size, each.size);
    }
  });

  it("has one entry, an index with a manifest for each platform", () => {
    const { manifests: entries } = JSON.parse(read("index.json"));
    assertEquals(entries.length, 1);
    assertEquals(entries[0].annotations["org.opencontainers.image.ref.name"], config.version);
    assertEquals(manifests().map(({ platform }) => platform?.architecture), ["amd64", "arm64"]);
  });

  it("runs /klatch/klatch as a user that is not root", () => {
    for (const each of manifests()) {
      const image = blob(blob(each).config);
      assertEquals(image.config.User, "65532:65532");
      assertEquals(image.config.Entrypoint, ["/klatch/klatch"]);
      assertEquals(image.config.Labels["org.opencontainers.image.source"], config.repository);
    }
  });

  it("is configured as the Dockerfile says", () => {
    const lines = Deno.readTextFileSync(new URL("../../Dockerfile", import.meta.url)).split("\n");
    const value = (word: string) =>
      lines.find((line) => line.startsWith(`${word} `))?.slice(word.length + 1) ?? "";
    for (const each of manifests()) {
      const { config: image } = blob(blob(each).config);
      assertEquals(image.User, value("USER"));
      assertEquals(image.Entrypoint, JSON.parse(value("ENTRYPOINT")));
      assertEquals(image.Env, [value("ENV")]);
    }
    assertEquals(value("COPY"), "klatch /klatch");
    assertEquals(value("FROM"), "scratch");
  });

  it(
    "is read by skopeo, each platform on its own",
    { skip: isInstalled("skopeo") ? false : "needs skopeo" },
    () => {
      for (const architecture of ["amd64", "arm64"]) {
        const args = [`--override-arch=${architecture}`, "inspect", `oci:${dir}/one:${config.version}`];
        const { stdout } = new Deno.Command("skopeo", { args }).outputSync();
        assertEquals(JSON.parse(new TextDecoder().decode(stdout)).Architecture, architecture);
      }
    },
  );
});

/** All files under a directory, with their content. */
function filesIn(dir: string): Map<string, string> {
  const files = new Map<string, string>();
  const visit = (under: string) => {
    const entries = [...Deno.readDirSync(`${dir}${under}`)];
    for (const { name, isDirectory } of entries.sort((one, other) => one.name < other.name ? -1 : 1)) {
      if (isDirectory) visit(`${under}/${name}`);
      else files.set(`${under}/${name}`, Deno.readFileSync(`${dir}${under}/${name}`).toHex());
    }
  };
  visit("");
  return files;
}
