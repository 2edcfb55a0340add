/**
 * Strict tickets beside the older action's runs, in random order: runs of both kinds, waiters that give up or are killed,
 * holders that die, runs that are run again. The older action is a model of what its source does; nobody sees its runs.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Contender, KubeObject, Secret } from "../../lib/lock.ts";
import { ticket } from "../../lib/strategies/ticket.ts";
import { parse } from "../../lib/strategies/ticket_record.ts";
import { secret } from "../contract/ticket_cases.ts";
import { Random } from "../sim/random.ts";

const LOCK = { namespace: "ns", name: "deploy" };
const NOW = Date.UTC(2026, 0, 1);

/** One run of a workflow. */
interface Run {
  readonly number: number;
  readonly attempt: number;
  readonly isOlder: boolean;
  state: "waits" | "holds" | "died" | "done" | "gone";
}

/** What happens to one Secret. */
class World {
  readonly runs: Run[] = [];
  /** Numbers that nobody comes for, without klatch's record saying so. */
  readonly forgotten = new Set<number>();
  readonly trace: string[] = [];
  #object: KubeObject = secret(LOCK, { next_build: "1" });
  /** Whether the deaths have been long enough ago. */
  #expired = false;

  get next(): number {
    return parse(this.#object).record.next ?? 0;
  }

  /** Lets a waiting run look, and do what it does then. */
  look(run: Run): void {
    if (run.isOlder) {
      if (this.next === run.number) this.#enter(run);
      return;
    }
    const claim = ticket.claim(ticket.parse(this.#object), LOCK, this.#contender(run), this.#isExpired, NOW);
    if (claim.kind === "acquire") {
      this.#object = claim.object;
      this.#enter(run);
    } else if (claim.kind === "join") this.#object = claim.object;
    else if (claim.kind === "wait" && claim.passOn !== undefined) {
      this.#object = claim.passOn;
      this.trace.push(`${run.number} passes on, next_build is ${this.next}`);
    }
  }

  /** Lets a holder finish. */
  finish(run: Run): void {
    this.trace.push(`${run.number} finishes`);
    run.state = "done";
    if (!run.isOlder) {
      return this.#change(ticket.release(ticket.parse(this.#object), this.#contender(run), NOW));
    }
    for (const number of parse(this.#object).record.left) this.forgotten.add(number);
    this.#object = secret(LOCK, { next_build: String(run.number + 1) });
  }

  /** Ends a waiter: klatch withdraws if it can. */
  giveUp(run: Run, killed: boolean): void {
    this.trace.push(`${run.number} ${killed ? "is killed while it waits" : "gives up"}`);
    run.state = "gone";
    if (run.isOlder || killed) return void this.forgotten.add(run.number);
    const [state, me] = [ticket.parse(this.#object), this.#contender(run)];
    const released = ticket.release(state, me, NOW);
    this.#change(released.kind === "lost" ? ticket.giveUp?.(state, me) ?? released : released);
  }

  /** A holder of klatch's is killed, and its guard ends the command. */
  die(run: Run): void {
    this.trace.push(`${run.number} dies`);
    run.state = "died";
    this.#expired = false;
  }

  expire(): void {
    this.#expired = true;
  }

  /** What a person does about a number that nobody comes for. */
  setNext(): void {
    const next = this.next + 1;
    this.trace.push(`a person sets next_build to ${next}`);
    this.#object = {
      ...this.#object,
      data: { ...(this.#object as Secret).data, next_build: btoa(`${next}`) },
    } as Secret;
  }

  #enter(run: Run): void {
    this.trace.push(`${run.isOlder ? "older" : "klatch"} ${run.number}.${run.attempt} enters`);
    run.state = "holds";
    assertEquals(this.runs.filter(({ state }) => state === "holds").length, 1, this.trace.join("\n"));
  }

  #change(change: ReturnType<typeof ticket.release>): void {
    if (change.kind === "write") this.#object = change.object;
  }

  readonly #isExpired = (each: { readonly nonce: string | undefined }): boolean =>
    this.#expired &&
    this.runs.some((run) => run.state !== "holds" && run.state !== "waits" && nonceOf(run) === each.nonce);

  #contender(run: Run): Contender {
    const { number, attempt } = run;
    const strategyOptions = { ticket: { number, attempt }, strict: true };
    return {
      identity: `run-${number}`,
      nonce: nonceOf(run),
      leaseDurationMs: 15_000,
      labels: {},
      strategyOptions,
    };
  }
}

const nonceOf = ({ number, attempt }: Run): string => `${number}.${attempt}`;

/** A random world, run until nobody waits. */
function play(random: Random): World {
  const world = new World();
  let last = 0;
  const pick = (state: Run["state"]) => {
    const found = world.runs.filter((run) => run.state === state);
    return found[Math.floor(random.between(0, found.length))];
  };
  const olderPart = random.between(0, 0.7);
  for (let step = 0; step < 100; step++) {
    const [waits, holds, gone] = [pick("waits"), pick("holds"), pick("gone") ?? pick("died")];
    const dice = random.between(0, 1);
    if (dice < 0.2) {
      world.runs.push({ number: ++last, attempt: 1, isOlder: random.chance(olderPart), state: "waits" });
    } else if (dice < 0.6) waits && world.look(waits);
    else if (dice < 0.75) holds && world.finish(holds);
    else if (dice < 0.8) waits && world.giveUp(waits, random.chance(0.2));
    else if (dice < 0.84) holds && !holds.isOlder && world.die(holds);
    else if (dice < 0.95) world.expire();
    else if (gone !== undefined && !gone.isOlder) {
      const attempt = Math.max(
        ...world.runs.filter(({ number }) => number === gone.number).map((run) => run.attempt),
      ) + 1;
      world.runs.push({ number: gone.number, attempt, isOlder: false, state: "waits" });
    }
  }
  return world;
}

/** Lets everybody who waits come in, one after the other, with a person's help where it is needed. */
function settle(world: World): number {
  let helped = 0;
  for (;;) {
    world.expire();
    const before = world.trace.length;
    for (const run of world.runs) {
      if (run.state === "holds") world.finish(run);
      if (run.state === "waits") world.look(run);
    }
    if (!world.runs.some(({ state }) => state === "waits" || state === "holds")) return helped;
    if (world.trace.length > before) continue;
    // A run that is run again after its number waits for one of klatch's to be served, as long as there are older runs.
    const late = world.runs.filter(({ state, number }) => state === "waits" && number < world.next);
    for (const run of late) {
      assert(!run.isOlder, `${run.number} was passed over\n${world.trace.join("\n")}`);
      world.giveUp(run, false);
    }
    if (late.length > 0) continue;
    world.setNext();
    helped++;
  }
}

describe("strict tickets and the older action's runs", () => {
  it("hold one at a time, and need a person only for numbers that nobody could note", () => {
    let entered = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const world = play(new Random(seed));
      const isOver = ({ state }: Run) => state !== "waits" && state !== "holds";
      const helped = settle(world);
      assert(world.runs.every(isOver));
      assert(helped <= world.forgotten.size, `seed ${seed}: ${helped} times\n${world.trace.join("\n")}`);
      entered += world.runs.filter(({ state }) => state === "done").length;
    }
    assert(entered > 1_000, `${entered}`);
  });
});
