/**
 * Measures what klatch costs, beside client-go, an empty program and whatever other tool is installed:
 *
 *     deno task bench [--rows NAME,NAME] [--runs N] [--quick] [--output FILE]
 *                     [--before BINARY] [--round-trips MS,MS] [--waiters N,N]
 *
 * `--before` names another build of klatch, which the rows `distance` and `distance-handover` measure in the same run;
 * the last two flags are for these rows as well.
 *
 * Prints the tables, and writes them to bench/RESULTS.md, where rows that were not measured stay as they are. A quick
 * run is written only where `--output` says so. Everything that it starts ends with it.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { lease } from "../lib/strategies/lease.ts";
import type { Context, Row } from "./context.ts";
import { absentContenders, earlierContender, findContenders } from "./contenders.ts";
import { atEnd, endOnSignals } from "./ending.ts";
import { type Entry, updatedPage } from "./page.ts";
import { findPrograms, type Programs, versionsOf } from "./programs.ts";
import { sectionText } from "./report.ts";
import { rows } from "./rows/mod.ts";
import { type BenchServer, startServer } from "./server.ts";

const PAGE = new URL("RESULTS.md", import.meta.url).pathname;
const FLAGS = "--rows, --runs, --quick, --output, --before, --round-trips and --waiters";
const WINDOW_MS = 60_000;
const QUICK_WINDOW_MS = 15_000;

interface Options {
  readonly rows: readonly Row[];
  readonly runs: number | undefined;
  readonly quick: boolean;
  readonly output: string | undefined;
  readonly before: string | undefined;
  readonly roundTripsMs: readonly number[];
  readonly crowds: readonly number[];
}

async function main(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (typeof options === "string") {
    console.error(`bench: ${options}`);
    return 125;
  }
  endOnSignals();
  const dir = await Deno.makeTempDir({ prefix: "klatch-bench-" });
  const tidy = atEnd(() => Deno.removeSync(dir, { recursive: true }));
  let server: BenchServer | undefined;
  try {
    const programs = await findPrograms(dir, say, options.before);
    say("starting the API server");
    server = await startServer();
    const versions = [...await versionsOf(programs), server.version];
    const context = contextOf(options, programs, server, dir);
    let failed = 0;
    for (const row of options.rows) {
      try {
        const text = sectionText(await row.run(context));
        console.log(`\n${row.title}\n\n${text}\n`);
        const entry = { name: row.name, title: row.title, text, origin: origin(options, versions) };
        if (options.output !== undefined) await write(options.output, entry);
      } catch (error) {
        // The other rows may still be measured.
        failed++;
        say(`${row.name} failed: ${error instanceof Error ? error.message : error}`);
      }
    }
    return failed === 0 ? 0 : 1;
  } finally {
    await server?.stop();
    tidy();
  }
}

/** What the command line asks for, or what is wrong with it. */
function parse(args: readonly string[]): Options | string {
  const unknown: string[] = [];
  const flags = parseArgs([...args], {
    string: ["rows", "runs", "output", "before", "round-trips", "waiters"],
    boolean: ["quick"],
    unknown: (arg) => void unknown.push(arg),
  });
  if (unknown.length > 0) return `${unknown[0]} is unknown; there are ${FLAGS}`;
  const { rows: named, runs, output, before } = flags as Record<string, string | undefined>;
  const names = named?.split(",") ?? rows.map(({ name }) => name);
  const wrong = names.find((name) => !rows.some((row) => row.name === name));
  if (wrong !== undefined) return `there is no row ${wrong}, but ${rows.map(({ name }) => name).join(", ")}`;
  if (runs !== undefined && !/^[1-9]\d*$/.test(runs)) return `--runs ${runs} is not a number from 1`;
  const [roundTripsMs, crowds] = [
    numbers(flags["round-trips"], [0, 10, 40]),
    numbers(flags["waiters"], [12, 100]),
  ];
  if (roundTripsMs === undefined || crowds === undefined) {
    return "--round-trips and --waiters are lists of numbers";
  }
  const quick = flags["quick"] === true;
  return {
    rows: rows.filter(({ name }) => names.includes(name)),
    runs: runs === undefined ? undefined : Number(runs),
    quick,
    output: output ?? (quick ? undefined : PAGE),
    before,
    roundTripsMs,
    crowds,
  };
}

/** The whole numbers of a list such as `0,10,40`; undefined if it is none. */
function numbers(list: unknown, byDefault: readonly number[]): readonly number[] | undefined {
  if (list === undefined) return byDefault;
  const words = String(list).split(",");
  return words.every((word) => /^\d+$/.test(word)) ? words.map(Number) : undefined;
}

function contextOf(options: Options, programs: Programs, server: BenchServer, dir: string): Context {
  let made = 0;
  return {
    server,
    programs,
    contenders: findContenders(programs),
    absent: absentContenders(programs),
    before: earlierContender(programs, lease),
    roundTripsMs: options.roundTripsMs,
    crowds: options.crowds,
    dir,
    quick: options.quick,
    rounds: (full, quick) => options.runs ?? (options.quick ? quick : full),
    windowMs: options.quick ? QUICK_WINDOW_MS : WINDOW_MS,
    fresh: (prefix) => `${prefix}-${++made}`,
    say,
  };
}

/** When, on what and with what, in a paragraph without the machine's name. */
function origin({ quick, runs }: Options, versions: readonly string[]): string {
  const flags = [...(quick ? ["a quick run"] : []), ...(runs === undefined ? [] : [`--runs ${runs}`])];
  const model = /^model name\s*: (.*)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? Deno.build.arch;
  const memory = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  const kernel = /^\d+\.\d+/.exec(Deno.osRelease())?.[0];
  return `_${new Date().toISOString().slice(0, 10)}${flags.length === 0 ? "" : ` (${flags.join(", ")})`}: ` +
    `${navigator.hardwareConcurrency} cores (${model}), ${memory} GiB of memory, Linux ${kernel}; ` +
    `${versions.join(", ")}._`;
}

async function write(file: string, entry: Entry): Promise<void> {
  const page = await Deno.readTextFile(file).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  });
  await Deno.writeTextFile(file, updatedPage(page, [entry], rows.map(({ name }) => name)));
  const { success } = await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", file] }).output();
  if (!success) throw new Error(`${file} cannot be formatted`);
}

function say(line: string): void {
  console.error(`bench: ${line}`);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
