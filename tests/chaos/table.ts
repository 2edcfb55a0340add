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
import { PENDING } from "./faults.ts";
import { PATIENT, QUICK, SLOW, type Timing, WAITERS } from "./scene.ts";
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
  const versions = [
    await output(klatchBinary() ?? "", ["version"]),
    await output(`${assets}/kube-apiserver`, ["--version"]),
    (await output(`${assets}/etcd`, ["--version"])).split("\n")[0] ?? "",
  ];
  // A binary that was built by hand knows no version.
  const known = versions.filter((each) => !each.includes("v0.0.0"));
  await Deno.writeTextFile(PAGE, page(verdicts, runs, known));
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

/** The sections in which the promise is kept, and the one that shows what keeps it. */
const SECTIONS = ["klatch and its guard", "The server", "The network"];
const UNGUARDED = "What the guard is for";

/** The whole page. */
export function page(verdicts: readonly Verdict[], runs: number, versions: readonly string[]): string {
  const guarded = verdicts.filter((verdict) => verdict.section !== UNGUARDED);
  const overlaps = guarded.reduce((sum, verdict) => sum + verdict.overlaps, 0);
  const margins = guarded.filter((verdict) => verdict.outcome === "lost").map(marginOf);
  const sections = SECTIONS.flatMap((start) =>
    [...new Set(guarded.map((verdict) => verdict.section))].filter((each) => each.startsWith(start)).sort()
  );
  return [
    "# What each fault leads to",
    "",
    `The compiled klatch on a real kube-apiserver and etcd: a holder runs a command, ${WAITERS} others wait for the`,
    "same lock all the time, and something breaks. A separate program that looks only at living processes records",
    "whether two commands were ever alive at the same time. At the end every contender must have held the lock, each",
    "with a larger token than the one before, and no process of any command may be left.",
    "",
    `**${overlaps} overlaps** in ${guarded.length} scenes${
      runs > 1 ? ` (${runs} runs of each fault)` : ""
    }. The command ` +
    `of a lost hold was dead at least ${seconds(Math.min(...margins))} before anybody could have taken over.`,
    "",
    "Times are seconds. *Dead*, *free* and *next in* are counted from when the last successful renewal was sent, until",
    "the last process of the command is dead, until the record allows a takeover, and until the next holder's command",
    "has started. *Margin* is from dead to free. *Handover*, where the hold was kept, is from the end of the command to",
    `the start of the next.${runs > 1 ? ` Of ${runs} runs the worst figure is shown.` : ""}`,
    "",
    "A *plain* command ends at TERM. A *stubborn* one ignores TERM, INT and HUP, and so do its descendants. The status",
    "is klatch's own: 123 for a lost hold, 137 if klatch was killed, and otherwise the command's own, 7.",
    "",
    "| scenes | lease duration | renew deadline | retry period |",
    "|---|---:|---:|---:|",
    `| most | ${durations(QUICK)} |`,
    `| a fault that ends within the lease | ${durations(PATIENT)} |`,
    `| 200 ms of latency: a request over a new connection takes 0.8 s | ${durations(SLOW)} |`,
    "| klatch's defaults, for comparison: TERM after 10 s, KILL after 13.5 s | 15 s | 10 s | 2 s |",
    "",
    ...sections.flatMap((section) => [`## ${capital(section)}`, "", ...table(guarded, section), ""]),
    `## ${UNGUARDED}`,
    "",
    "The same faults without the guard. When a whole machine is suspended, the guard and the kernel that would wake it",
    "are suspended too, so nothing on that machine can act. klatch notices the overlap afterwards (123), and the",
    "frozen command has the smaller [fencing token](safety.md), so that the protected resource can refuse it.",
    "",
    ...table(verdicts, UNGUARDED),
    "",
    ...(Object.keys(PENDING).length === 0 ? [] : [
      "## What is not measured",
      "",
      "Scenes that these known faults affect are left out until they are fixed:",
      "",
      ...Object.values(PENDING).map((what) => `- ${what}`),
      "",
    ]),
    "## Where these figures come from",
    "",
    `Measured on ${new Date().toISOString().slice(0, 10)} by \`deno run -A tests/chaos/table.ts${
      runs > 1 ? ` --runs ${runs}` : ""
    }\`, on a machine of ${navigator.hardwareConcurrency} processors (${processor()}) with ${
      Math.round(Deno.systemMemoryInfo().total / 2 ** 30)
    } GiB of memory, Linux ${/^\d+\.\d+/.exec(Deno.osRelease())?.[0]}, with ${
      versions.join(" and ")
    }. Several scenes are played at a time,`,
    "so the machine is busy. All processes are on one machine and share one clock.",
    "",
  ].join("\n");
}

function marginOf({ freeAfterMs = NaN, diedAfterMs = NaN }: Verdict): number {
  return freeAfterMs - diedAfterMs;
}

function capital(text: string): string {
  return text.startsWith("klatch") ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

function table(verdicts: readonly Verdict[], section: string): string[] {
  const mine = verdicts.filter((verdict) => verdict.section === section);
  const keys = [...new Set(mine.map((verdict) => `${verdict.fault}\n${verdict.profile}`))];
  return [
    "| fault | command | hold | status | dead | free | margin | next in | handover | overlaps |",
    "|---|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ...keys.sort().map((key) =>
      row(mine.filter((verdict) => `${verdict.fault}\n${verdict.profile}` === key))
    ),
  ];
}

/** The same scene of several runs. */
function row(same: readonly Verdict[]): string {
  const worst = (of: (verdict: Verdict) => number | undefined) => {
    const found = same.map(of).filter((each) => each !== undefined);
    return found.length === 0 ? "" : seconds(Math.max(...found));
  };
  const [{ fault, profile, outcome } = same[0] as Verdict] = same;
  const statuses = [...new Set(same.map((verdict) => verdict.status))].join(", ");
  const isLost = outcome === "lost";
  const cells = [
    fault,
    profile,
    outcome,
    statuses,
    worst((verdict) => verdict.diedAfterMs),
    worst((verdict) => verdict.freeAfterMs),
    isLost ? seconds(Math.min(...same.map(marginOf))) : "",
    isLost ? worst((verdict) => verdict.nextAfterMs) : "",
    isLost ? "" : worst((verdict) => verdict.nextAfterMs),
    `${same.reduce((sum, verdict) => sum + verdict.overlaps, 0)}`,
  ];
  return `| ${cells.join(" | ")} |`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`.replace("-", "−");
}

function durations({ leaseMs, deadlineMs, retryMs }: Timing): string {
  return [leaseMs, deadlineMs, retryMs].map((ms) => `${ms / 1000} s`).join(" | ");
}

function processor(): string {
  return /^model name\s*: (.*)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? Deno.build.arch;
}

async function output(program: string, args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args, stdin: "null" }).output();
  return new TextDecoder().decode(stdout).trim();
}

if (import.meta.main) Deno.exit(await main(Deno.args));
