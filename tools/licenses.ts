/**
 * Keeps lib/cli/licenses.json: the npm packages in the bundled program, each with its license.
 *
 *     deno task licenses [--check]
 *
 * With `--check` nothing is written, and the exit status is 1 if the file is out of date.
 *
 * @module
 */
import type { License } from "../lib/cli/licenses.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const FILE = new URL("../lib/cli/licenses.json", import.meta.url);

/** What `deno info --json` prints, as far as it is needed. */
interface Graph {
  readonly roots: readonly string[];
  readonly redirects: Readonly<Record<string, string>>;
  readonly modules: readonly {
    readonly specifier: string;
    /** `code` is what is loaded; what is only a type has no `code`. */
    readonly dependencies?: readonly { readonly code?: { readonly specifier: string } }[];
    readonly npmPackage?: string;
  }[];
  readonly npmPackages: Readonly<
    Record<string, {
      readonly name: string;
      readonly version: string;
      readonly dependencies: readonly string[];
      readonly localPath: string;
    }>
  >;
}

/**
 * The licenses of all npm packages that the program loads, sorted by name. Packages that only give types are left out.
 *
 * @throws {Error} if a package does not state its license.
 */
export async function packageLicenses(): Promise<License[]> {
  const graph = await graphOf("main.ts");
  const licenses: License[] = [];
  for (const id of loadedPackages(graph)) {
    const found = graph.npmPackages[id];
    if (found === undefined) throw new Error(`deno info does not list the package ${id}`);
    const { name, version, localPath } = found;
    const { license } = JSON.parse(await Deno.readTextFile(`${localPath}/package.json`));
    if (typeof license !== "string") throw new Error(`${name} ${version} does not state its license`);
    licenses.push({ name, version, license, text: await licenseText(localPath) });
  }
  return licenses.sort((one, other) => one.name < other.name ? -1 : 1);
}

async function graphOf(module: string): Promise<Graph> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", module],
    cwd: ROOT,
    stderr: "inherit",
  }).output();
  if (!success) throw new Error("deno info failed");
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Follows what is loaded from the roots, and then the packages' own dependencies. */
function loadedPackages(graph: Graph): Set<string> {
  const modules = new Map(graph.modules.map((each) => [each.specifier, each]));
  const resolved = (specifier: string) => graph.redirects[specifier] ?? specifier;
  const toVisit = [...graph.roots];
  const seen = new Set<string>();
  const packages: string[] = [];
  for (let each = toVisit.pop(); each !== undefined; each = toVisit.pop()) {
    const module = modules.get(resolved(each));
    if (module === undefined || seen.has(module.specifier)) continue;
    seen.add(module.specifier);
    if (module.npmPackage !== undefined) packages.push(module.npmPackage);
    for (const { code } of module.dependencies ?? []) if (code !== undefined) toVisit.push(code.specifier);
  }
  const all = new Set<string>();
  for (let id = packages.pop(); id !== undefined; id = packages.pop()) {
    if (all.has(id)) continue;
    all.add(id);
    packages.push(...graph.npmPackages[id]?.dependencies ?? []);
  }
  return all;
}

/** The text of a package's license file; empty if it has none. */
async function licenseText(dir: string): Promise<string> {
  for await (const { name, isFile } of Deno.readDir(dir)) {
    if (isFile && /^(licen[cs]e|copying)(\.\w+)?$/i.test(name)) {
      return (await Deno.readTextFile(`${dir}/${name}`)).replaceAll("\r\n", "\n").trim();
    }
  }
  return "";
}

async function main(args: readonly string[]): Promise<number> {
  const text = `${JSON.stringify(await packageLicenses(), undefined, 2)}\n`;
  if (!args.includes("--check")) {
    await Deno.writeTextFile(FILE, text);
    return 0;
  }
  if (await Deno.readTextFile(FILE) === text) return 0;
  console.error("lib/cli/licenses.json is out of date; run: deno task licenses");
  return 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
