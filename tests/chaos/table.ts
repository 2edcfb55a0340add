/**
 * Runs the chaos tests and writes what they measured to docs/chaos.md:
 *
 *     deno run -A tests/chaos/table.ts [--runs N]
 *
 * Of several runs the table shows the worst figures. Nothing is written when a test fails.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { klatchBinary } from "../support/binary.ts";
import { controlPlaneAssets } from "../support/control_plane.ts";
import { PATIENT, QUICK, type Timing, WAITERS } from "./scene.ts";
import { type Verdict, VERDICTS_VARIABLE } from "./verdict.ts";

const DIRECTORY = new URL(".", import.meta.url).pathname;
const PAGE = new URL("../../docs/chaos.md", import.meta.url).pathname;

async function main(args: readonly string[]): Promise<number> {
  const runs = Number(parseArgs([...args], { string: ["runs"] })["runs"] ?? 1);
  const verdicts: Verdict[] = [];
  for (let run = 1; run <= runs; run++) {
    const found = await measure();
    if (found === undefined) return 1;
    verdicts.push(...found);
  }
  const assets = controlPlaneAssets();
  if (verdicts.length === 0 || assets === undefined) {
    console.error("table: nothing was measured; set KUBEBUILDER_ASSETS and compile dist/klatch");
    return 1;
  }
  const version = await output(`${assets}/kube-apiserver`, ["--version"]);
  const klatch = await output(klatchBinary() ?? "", ["version"]);
  await Deno.writeTextFile(PAGE, page(verdicts, runs, [klatch, version]));
  const { code } = await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", PAGE] }).output();
  return code;
}

/** One run of the tests; undefined if it failed. */
async function measure(): Promise<Verdict[] | undefined> {
  const file = await Deno.makeTempFile({ prefix: "klatch-verdicts-" });
  try {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--quiet", "--allow-all", "--no-check", DIRECTORY],
      env: { [VERDICTS_VARIABLE]: file },
      stdin: "null",
    }).spawn().status;
    if (code !== 0) return undefined;
    const text = await Deno.readTextFile(file);
    return text.trim().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  } finally {
    await Deno.remove(file);
  }
}

/** The whole page. */
export function page(verdicts: readonly Verdict[], runs: number, versions: readonly string[]): string {
  const sections = [...new Set(verdicts.map((verdict) => verdict.section))].sort();
  const overlaps = verdicts.reduce((sum, verdict) => sum + verdict.overlaps, 0);
  const margins = verdicts.filter((verdict) => verdict.outcome === "lost")
    .map((verdict) => (verdict.freeAfterMs ?? 0) - (verdict.diedAfterMs ?? 0));
  return [
    "# What each fault leads to",
    "",
    `The compiled klatch on a real kube-apiserver and etcd: a holder runs a command, ${WAITERS} others wait for the same lock`,
    "all the time, and something breaks. A witness that knows nothing of locks, but of living processes, tells whether two",
    "commands were ever alive together. In the end everybody must have been served, and nothing of the command may be left.",
    "",
    `${verdicts.length} scenes in ${runs} ${runs === 1 ? "run" : "runs"}: **${overlaps} overlaps**. ` +
    `The command of a lost hold was dead ${
      seconds(Math.min(...margins))
    } or more before anybody could have taken over.`,
    "",
    "Times are seconds. *Dead*, *free* and *next in* count from the moment at which the last successful renewal was sent:",
    "the command's last process is dead; another may take the lock over by the record; another's command has begun.",
    "*Handover*, for a hold that was kept, is from the command's own end to the start of the next.",
    ...(runs > 1 ? [`Of ${runs} runs the latest death and the longest of the other times are shown.`] : []),
    `A *stubborn* command ignores TERM, and so do its children and theirs.`,
    "",
    `Lease ${durations(QUICK)}; where a hold outlasts a fault of the server, ${
      durations(PATIENT)
    }. The defaults are`,
    "15 s, 10 s and 2 s, and the times grow with them.",
    "",
    ...sections.flatMap((section) => ["## " + section, "", ...table(verdicts, section), ""]),
    "## Where these figures come from",
    "",
    `Measured ${new Date().toISOString().slice(0, 10)} by \`deno run -A tests/chaos/table.ts${
      runs > 1 ? ` --runs ${runs}` : ""
    }\` ` +
    `on a machine of ${navigator.hardwareConcurrency} processors (${processor()}), ${
      Math.round(Deno.systemMemoryInfo().total / 2 ** 30)
    } GiB of memory, Linux ${Deno.osRelease()}; ${versions.join(", ")}.`,
    "Several scenes are played at a time, so the machine is busy. All processes are on one machine and share one clock.",
    "",
  ].join("\n");
}

function table(verdicts: readonly Verdict[], section: string): string[] {
  const mine = verdicts.filter((verdict) => verdict.section === section);
  const keys = [...new Set(mine.map((verdict) => `${verdict.fault}\n${verdict.temper}`))];
  return [
    "| fault | command | the hold | klatch's exit status | dead | free | margin | next in | handover | overlaps |",
    "|---|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ...keys.map((key) => row(mine.filter((verdict) => `${verdict.fault}\n${verdict.temper}` === key))),
  ];
}

/** The same scene of several runs. */
function row(same: readonly Verdict[]): string {
  const worst = (of: (verdict: Verdict) => number | undefined) => {
    const found = same.map(of).filter((each) => each !== undefined);
    return found.length === 0 ? "" : seconds(Math.max(...found));
  };
  const [{ fault, temper, outcome } = same[0] as Verdict] = same;
  const statuses = [...new Set(same.map((verdict) => verdict.status))].join(", ");
  const isLost = outcome === "lost";
  const margins = same.map((verdict) => (verdict.freeAfterMs ?? NaN) - (verdict.diedAfterMs ?? NaN));
  const cells = [
    fault,
    temper,
    outcome,
    statuses,
    worst((verdict) => verdict.diedAfterMs),
    worst((verdict) => verdict.freeAfterMs),
    isLost ? seconds(Math.min(...margins)) : "",
    isLost ? worst((verdict) => verdict.nextAfterMs) : "",
    isLost ? "" : worst((verdict) => verdict.nextAfterMs),
    `${same.reduce((sum, verdict) => sum + verdict.overlaps, 0)}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function durations({ leaseMs, deadlineMs, retryMs }: Timing): string {
  return `duration ${leaseMs / 1000} s, renew deadline ${deadlineMs / 1000} s, retry period ${
    retryMs / 1000
  } s`;
}

function processor(): string {
  return /^model name\s*: (.*)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? Deno.build.arch;
}

async function output(program: string, args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args, stdin: "null" }).output();
  return new TextDecoder().decode(stdout).trim();
}

if (import.meta.main) Deno.exit(await main(Deno.args));
