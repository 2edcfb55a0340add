/**
 * Which test files may run side by side, and which make up `deno task quick`.
 *
 * Every file runs in a process of its own and finds its processes by a mark in their environment, its namespace by a
 * random name and its folders by `makeTempDir`. What is left to decide is time.
 *
 * @module
 */

/** Test files that run with nothing beside them, by the beginning of their path, each with the reason. */
const EXCLUSIVE: Readonly<Record<string, string>> = {
  "tests/bench/": "measures durations",
  "tests/chaos/": "measures when processes die; plays its scenes side by side by itself",
  "tests/e2e/exclusion_test.ts": "starts many contenders at once and fills both cores by itself",
  "tests/e2e/faulty_server_test.ts": "starts many runs at once and fills both cores by itself",
  "tests/e2e/signals_test.ts": "measures when processes die",
  "tests/guard/": "holds deadlines of a few seconds and stops processes",
  "tests/image/": "compiles, and unpacks folders of many megabytes",
  "tests/interop/": "competes with a Go program for short leases",
  "tests/kube/misbehaving_server_test.ts": "gives each of many servers half a second",
  "tests/process/": "counts CPU time and system-wide processes",
  "tests/sim/": "has a worker for each core",
  "tests/strategies/semaphore_contention_test.ts":
    "starts many waiters at once and fills both cores by itself",
  "tests/strategies/ticket_contention_test.ts": "starts many waiters at once and fills both cores by itself",
  "tests/docs/fencing_test.ts": "stops processes until a short lease has expired",
};

/**
 * Test files whose time goes into waiting for deadlines: run as processes side by side, each with the tests whose outer
 * title matches. Together they must run every test once, which is checked.
 */
const SHARDS: Readonly<Record<string, readonly string[]>> = {
  "tests/guard/guard_test.ts": [
    "/the guard as (a shell|bash)/",
    "/the guard as (dash|busybox)|another process/",
    "/the guard as klatch|narrow places/",
  ],
};

/** What `deno task quick` leaves out, by the beginning of the path: it needs the binary, a control plane or minutes. */
const NOT_QUICK: readonly string[] = [
  "tests/bench/",
  "tests/chaos/",
  "tests/docs/fencing_test.ts",
  "tests/docs/library_test.ts",
  "tests/docs/migration_test.ts",
  "tests/docs/pages_test.ts",
  "tests/docs/picture_test.ts",
  "tests/e2e/",
  "tests/guard/guard_test.ts",
  "tests/guard/portable_test.ts",
  "tests/guard/supervisor_test.ts",
  "tests/image/",
  "tests/interop/",
  "tests/keeper/keeper_test.ts",
  "tests/kube/misbehaving_server_test.ts",
  "tests/process/",
  "tests/sim/",
  "tests/strategies/semaphore_contention_test.ts",
  "tests/strategies/ticket_contention_test.ts",
  "tests/support/",
];

const startsWithAnyOf = (file: string, prefixes: readonly string[]) =>
  prefixes.some((prefix) => file.startsWith(prefix));

/** Whether a test file has to run with nothing beside it. */
export function runsAlone(file: string): boolean {
  return startsWithAnyOf(file, Object.keys(EXCLUSIVE));
}

/** The filters of the processes that run a test file; none if one process runs all of it. */
export function shardsOf(file: string): readonly string[] {
  return SHARDS[file] ?? [];
}

/** Whether a test file is part of `deno task quick`. */
export function isQuick(file: string): boolean {
  return !startsWithAnyOf(file, NOT_QUICK);
}

/**
 * The test files in some files and folders, in order.
 *
 * @param paths relative to the working directory.
 */
export function testFiles(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (Deno.statSync(path).isFile) return [path];
    const folder = path.replace(/\/+$/, "");
    const entries = [...Deno.readDirSync(folder)].toSorted((a, b) => a.name < b.name ? -1 : 1);
    return entries.flatMap(({ name, isDirectory }) => {
      if (isDirectory) return testFiles([`${folder}/${name}`]);
      return name.endsWith("_test.ts") ? [`${folder}/${name}`] : [];
    });
  });
}
