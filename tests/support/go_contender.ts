/**
 * Builds the contender that uses client-go (bench/client_go), for tests and benchmarks beside klatch. What was built
 * is kept under the hash of its sources in the user's cache directory, outside the tree. It downloads nothing by
 * itself; `go` does, if its modules are not there yet.
 *
 * @module
 */

const SOURCES = new URL("../../bench/client_go/", import.meta.url);
const FILES = ["go.mod", "go.sum", "main.go", "kubeconfig/main.go"];
/** Many times what it takes to download and build everything. */
const LONGEST_MS = 15 * 60_000;

/** What `go` says when it cannot get what it needs, as opposed to when the program is wrong. */
const UNAVAILABLE =
  /dial tcp|no such host|proxyconnect|i\/o timeout|connection refused|TLS handshake|module lookup disabled|GOPROXY|toolchain not available|requires go >=|50\d |40\d /;

/** A program that is there, or the reason why it is not. */
export type GoContender = { readonly path: string } | { readonly missing: string };

/**
 * The contender's binary.
 *
 * @returns its path, or why it cannot be built here: no Go, one that is too old, no modules.
 * @throws {Error} the sources do not compile.
 *
 * @example
 * ```ts ignore
 * import { goContender } from "./go_contender.ts";
 *
 * const contender = await goContender();
 * if ("missing" in contender) console.error(`left out: ${contender.missing}`);
 * ```
 */
export function goContender(): Promise<GoContender> {
  return built("client-go-contender", ".");
}

/**
 * The binary that resolves kubeconfigs as client-go does (bench/client_go/kubeconfig).
 *
 * @returns its path, or why it cannot be built here.
 * @throws {Error} the sources do not compile.
 */
export function kubeconfigResolver(): Promise<GoContender> {
  return built("client-go-kubeconfig", "./kubeconfig");
}

async function built(name: string, source: string): Promise<GoContender> {
  const version = await goVersion();
  if (version === undefined) return { missing: "go is not on PATH" };
  const cache = cacheDirectory();
  const path = `${cache}/${name}-${await contentHash(version)}`;
  if (await Deno.stat(path).then((found) => found.isFile, () => false)) return { path };
  await Deno.mkdir(cache, { recursive: true });
  // A copy, so that go changes nothing in the tree; beside the result, so that the last step is a rename.
  const dir = await Deno.makeTempDir({ dir: cache, prefix: "build-" });
  try {
    await Deno.mkdir(`${dir}/kubeconfig`);
    for (const file of FILES) await Deno.copyFile(new URL(file, SOURCES), `${dir}/${file}`);
    const failure = await build(dir, name, source);
    if (failure === undefined) {
      await Deno.rename(`${dir}/${name}`, path);
      return { path };
    }
    if (UNAVAILABLE.test(failure)) {
      return { missing: `its modules are not to be had: ${failure.trim().split("\n").at(-1)}` };
    }
    throw new Error(`bench/client_go does not compile:\n${failure}`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/**
 * The version of Go.
 *
 * @returns as in `go1.26.0`; undefined where there is no Go.
 */
export async function goVersion(): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("go", { args: ["env", "GOVERSION"] }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The version of client-go that the contender is built with.
 *
 * @returns as in `v0.36.0`.
 */
export async function clientGoVersion(): Promise<string> {
  const text = await Deno.readTextFile(new URL("go.mod", SOURCES));
  return /k8s\.io\/client-go (\S+)/.exec(text)?.[1] ?? "unknown";
}

/** What `go build` said if it failed. */
async function build(dir: string, name: string, source: string): Promise<string | undefined> {
  const { success, stderr } = await new Deno.Command("go", {
    args: [
      "build",
      "-mod=mod",
      "-buildvcs=false",
      "-trimpath",
      "-ldflags=-s -w",
      "-o",
      name,
      source,
    ],
    cwd: dir,
    env: { CGO_ENABLED: "0", GOWORK: "off" },
    signal: AbortSignal.timeout(LONGEST_MS),
  }).output();
  return success ? undefined : new TextDecoder().decode(stderr) || "go build was stopped: i/o timeout";
}

function cacheDirectory(): string {
  const home = Deno.env.get("HOME");
  const base = Deno.env.get("XDG_CACHE_HOME") || (home ? `${home}/.cache` : Deno.env.get("TMPDIR") || "/tmp");
  return `${base}/klatch-bench`;
}

async function contentHash(version: string): Promise<string> {
  const texts = await Promise.all(FILES.map((name) => Deno.readTextFile(new URL(name, SOURCES))));
  const bytes = new TextEncoder().encode([version, Deno.build.arch, ...texts].join("\0"));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
