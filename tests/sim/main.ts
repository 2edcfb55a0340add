/**
 * `deno task sim`: simulates seeds, and shows the timeline of the first one that breaks a promise.
 *
 *     deno task sim --seeds 1000            the seeds 1 to 1000
 *     deno task sim --seeds 1 --from 4711   one seed; with --timeline also if nothing is wrong with it
 *
 * Exit status: 0 nothing was violated, 1 something was, 2 a wrong flag.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type Order, replay, simulateAll, type Summary } from "./worker_pool.ts";
import { type Fault, FAULTS, PROMISED_RATIO } from "./scenario.ts";
import { simulated } from "./strategies.ts";

const HELP = `simulate klatch on a virtual clock and an unreliable API server

  --seeds N        how many seeds (1000)
  --from S         the first seed (1)
  --strategy NAME  ${[...simulated.keys()].join(", ")} (the first one)
  --jobs N         how many threads (one for each processor)
  --ratio R        the fastest clock's rate to the slowest one's (${PROMISED_RATIO}, which is promised)
  --only FAULTS    of all faults only these, separated by commas
  --failures N     stop after this many seeds that fail (1)
  --timeline       show the timeline, whatever the seed comes to
  --json           print the figures as JSON, and no timeline

faults: ${FAULTS.join(", ")}`;

interface Wishes {
  readonly order: Order;
  readonly timeline: boolean;
  readonly json: boolean;
}

function wishes(args: string[]): Wishes {
  const { values } = parseArgs({
    args,
    options: {
      seeds: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      strategy: { type: "string", default: [...simulated.keys()][0] ?? "" },
      jobs: { type: "string", default: String(navigator.hardwareConcurrency) },
      ratio: { type: "string", default: String(PROMISED_RATIO) },
      only: { type: "string" },
      failures: { type: "string", default: "1" },
      timeline: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  });
  if (!simulated.has(values.strategy)) throw new TypeError(`no strategy is called ${values.strategy}`);
  const faults = values.only === undefined ? FAULTS : values.only.split(",").map(fault);
  const order = {
    strategy: values.strategy,
    from: whole("from", values.from),
    seeds: whole("seeds", values.seeds),
    jobs: Math.max(1, whole("jobs", values.jobs)),
    mostFailures: whole("failures", values.failures),
    ratio: Number(values.ratio),
    faults,
  };
  if (!(order.ratio >= 1)) throw new TypeError(`--ratio ${values.ratio}: not a number of at least 1`);
  return { order, timeline: values.timeline, json: values.json };
}

function whole(flag: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new TypeError(`--${flag} ${text}: not a whole number`);
  return Number(text);
}

function fault(name: string): Fault {
  const found = FAULTS.find((known) => known === name);
  if (found === undefined) throw new TypeError(`no fault is called "${name}"`);
  return found;
}

function figures(summary: Summary): string {
  const minutes = summary.elapsedMs / 60_000;
  return `${summary.seeds} seeds, ${summary.failing.length} with a violation, ` +
    `${Math.round(summary.seeds / minutes)} a minute; ${summary.events} events, ` +
    `${summary.acquisitions} acquisitions; the slowest to be served took ` +
    `${(100 * summary.boundUsed).toFixed(0)}% of the time promised; hash ${summary.hash}`;
}

/** The flags that make the same world. */
function replayCommand({ order }: Wishes, args: readonly string[], seed: number): string {
  const flags = [`--from ${seed}`, "--seeds 1", `--strategy ${order.strategy}`];
  if (order.ratio !== PROMISED_RATIO) flags.push(`--ratio ${order.ratio}`);
  const only = args.indexOf("--only");
  if (only >= 0) flags.push(`--only '${args[only + 1]}'`);
  return `deno task sim ${flags.join(" ")}`;
}

async function show({ order }: Wishes, seed: number): Promise<void> {
  const { outcomes: [outcome] } = await replay(order, seed);
  if (outcome === undefined) return;
  const { timings, faults, ...rest } = outcome.scenario;
  console.log(`seed ${seed}: ${JSON.stringify(rest)}`);
  console.log(`durations: ${[...new Set(timings.map((timing) => JSON.stringify(timing)))].join(" ")}`);
  const strengths = [...faults].map(([name, strength]) => `${name} ${strength.toFixed(2)}`);
  console.log(`faults: ${strengths.join(", ")}`);
  for (const line of outcome.lines) console.log(line);
}

async function main(args: string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(HELP);
    return 0;
  }
  const wanted = wishes(args);
  const summary = await simulateAll(wanted.order, (done) => {
    if (!wanted.json && done % 5_000 === 0) console.error(`${done} seeds`);
  });
  if (wanted.json) console.log(JSON.stringify(summary));
  else {
    const first = summary.failing[0];
    const seed = first?.seed ?? wanted.order.from;
    if (first !== undefined || wanted.timeline) await show(wanted, seed);
    for (const { seed, violations } of summary.failing) console.log(`seed ${seed}: ${violations.join("; ")}`);
    if (first !== undefined) console.log(`replay: ${replayCommand(wanted, args, first.seed)}`);
    console.log(figures(summary));
  }
  return summary.failing.length === 0 ? 0 : 1;
}

try {
  Deno.exitCode = await main(Deno.args);
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(`sim: ${error.message}`);
  Deno.exitCode = 2;
}
