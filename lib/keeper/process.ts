/**
 * The keeper: a background process that acquires a lock for `klatch acquire`, renews it across the steps of a job or the
 * lines of a script, and releases it when it is told to, when the process that it follows ends, or after the maximum time.
 *
 * It promises that there is no hold without a keeper that is known to `acquire` or noted in the state file. A keeper that
 * is killed leaves a hold that expires.
 *
 * @module
 */
import { aborted } from "../abort.ts";
import { withinLimits } from "../before_the_hold.ts";
import type { Clock } from "../clock.ts";
import { asKlatchError, KlatchError } from "../errors.ts";
import { processLayer } from "../process/layer.ts";
import { EventRecorder } from "../history/recorder.ts";
import { acquireAll, type Hold, type SessionEvent } from "../session/mod.ts";
import { strategies } from "../strategies/catalog.ts";
import { connectAs } from "./connect.ts";
import { KeeperLog } from "./log.ts";
import { CONFIRMATION, fieldsOf, type KeeperMessage, type KeeperRequest, sendable } from "./protocol.ts";
import { type KeeperState, writeState } from "./state.ts";
import { endSteps } from "./step_killer.ts";

/** How often to look whether the followed process still runs. */
const FOLLOW_EVERY_MS = 1_000;

/** Why a hold ended that was not lost. */
type Ending = "released" | "the process that the keeper followed has ended" | "its maximum time was over";

/**
 * Does what the request on stdin says.
 *
 * @param clock the real clock.
 * @returns the exit status of the process.
 */
export async function keeperProcess(clock: Clock): Promise<number> {
  const lines = linesOf(Deno.stdin.readable);
  const first = await lines.next();
  if (first.done) return 1;
  const request: KeeperRequest = JSON.parse(first.value);
  return await new Keeper(request, clock).run(lines);
}

class Keeper {
  readonly #request: KeeperRequest;
  readonly #clock: Clock;
  readonly #log: KeeperLog;
  readonly #ending = Promise.withResolvers<Ending>();
  /** Aborts when `acquire` has gone before it confirmed the hold. */
  readonly #abandoned = new AbortController();
  /** Aborts when the keeper ends. */
  readonly #over = new AbortController();
  #confirmed = false;
  #hold: Hold | undefined;
  #acquiredAtMs = 0;
  #releaseConfirmed = true;
  #writing: Promise<void> = Promise.resolve();
  #recorder: EventRecorder | undefined;

  constructor(request: KeeperRequest, clock: Clock) {
    this.#request = request;
    this.#clock = clock;
    this.#log = new KeeperLog(request.stateFile.replace(/\.json$/, ".log"));
  }

  async run(lines: AsyncGenerator<string>): Promise<number> {
    // From the first moment: a TERM during the acquisition must not leave a place in the queue.
    Deno.addSignalListener("SIGTERM", () => this.#end("released"));
    Deno.addSignalListener("SIGINT", () => {});
    Deno.addSignalListener("SIGHUP", () => {});
    const confirmed = this.#confirmation(lines);
    try {
      const hold = this.#hold = await this.#acquire();
      this.#acquiredAtMs = this.#clock.boottime();
      if (!await confirmed) return await this.#abandon(hold);
      await this.#write({ kind: "held" });
      this.#confirmed = true;
      say({ kind: "kept" });
      await this.#keep(hold);
      return 0;
    } catch (error) {
      const failure = asKlatchError(error);
      this.#log.write(failure.line);
      if (!this.#confirmed) say({ kind: "failed", error: fieldsOf(failure) });
      return 1;
    } finally {
      await this.#recorder?.end();
      this.#over.abort();
      await this.#writing;
      // What `acquire` was told need not be noted.
      if (this.#confirmed) await this.#log.flushed();
      else await this.#log.remove();
    }
  }

  async #acquire(): Promise<Hold> {
    const { lock, object, me, timing, waitMs, askedWaitMs, cluster } = this.#request;
    const clock = this.#clock;
    const limits = { clock, waitMs, askedWaitMs, interrupted: this.#abandoned.signal, name: lock.name };
    const { value: client, leftMs } = await withinLimits(limits, (signal) => {
      const warn = (message: string) => this.#warn(message);
      // An exec plugin does not outlive the keeper.
      const ending = AbortSignal.any([signal, this.#over.signal]);
      return connectAs(cluster, lock.namespace, { clock, warn, signal: ending });
    });
    const strategies = this.#strategies();
    const kept = { namespace: lock.namespace, name: object ?? lock.name };
    const strategy = strategies.at(-1);
    if (this.#request.events && strategy !== undefined) {
      this.#recorder = new EventRecorder({ client, clock, strategy, lock: kept, me });
    }
    return await acquireAll(strategies, {
      client: this.#recorder?.client ?? client,
      clock,
      lock: kept,
      me,
      timing,
      waitMs: leftMs,
      askedWaitMs,
      interrupted: this.#abandoned.signal,
      onEvent: this.#onEvent,
    });
  }

  #strategies() {
    return this.#request.strategies.map((name) => {
      const found = strategies.find((strategy) => strategy.name === name);
      if (found === undefined) throw new KlatchError("internal", `there is no strategy "${name}"`);
      return found;
    });
  }

  /** Whether `acquire` confirms the hold; `false` if it has ended. */
  async #confirmation(lines: AsyncGenerator<string>): Promise<boolean> {
    const { value } = await lines.next();
    if (value === CONFIRMATION) return true;
    const { namespace, name } = this.#request.lock;
    this.#abandoned.abort(
      new KlatchError("interrupted", `stopped waiting for ${namespace}/${name}: klatch acquire has ended`),
    );
    return false;
  }

  async #abandon(hold: Hold): Promise<number> {
    this.#log.write("klatch acquire ended before it confirmed the hold");
    await hold.release({ remove: this.#request.cleanup });
    return 1;
  }

  readonly #onEvent = (event: SessionEvent): void => {
    this.#recorder?.onEvent(event);
    if (event.kind === "released") this.#releaseConfirmed &&= event.confirmed;
    if (event.kind === "trouble") this.#log.write(event.error.line);
    if (!this.#confirmed) say({ kind: "event", event: sendable(event) });
    else if (event.kind === "renewed") this.#write({ kind: "held" });
  };

  #warn(message: string): void {
    this.#log.write(message);
    if (!this.#confirmed) say({ kind: "warning", message });
  }

  #end(why: Ending): void {
    this.#ending.resolve(why);
    if (this.#hold === undefined) {
      this.#abandoned.abort(new KlatchError("interrupted", "the keeper got TERM"));
    }
  }

  /** Holds until something ends it. */
  async #keep(hold: Hold): Promise<void> {
    const over = new AbortController();
    this.#endWith(over.signal);
    const why = await Promise.race([this.#ending.promise, aborted(hold.lost)]);
    over.abort();
    if (why === undefined) await this.#lost(hold);
    else await this.#release(hold, why);
  }

  /** Ends the hold when the followed process ends, or when the maximum time is over. */
  #endWith(over: AbortSignal): void {
    const { followed, maxHoldMs } = this.#request;
    const clock = this.#clock;
    const limit = async () => {
      await clock.sleep(maxHoldMs, over);
      if (!over.aborted) this.#end("its maximum time was over");
    };
    const { lookUp } = processLayer();
    const follow = async () => {
      while (!over.aborted && lookUp(followed.pid ?? 0)?.startTime === Object(followed).startTime) {
        await clock.sleep(FOLLOW_EVERY_MS, over);
      }
      if (!over.aborted) this.#end("the process that the keeper followed has ended");
    };
    limit();
    if (followed.pid !== undefined) follow();
  }

  async #release(hold: Hold, why: Ending): Promise<void> {
    this.#log.write(`releasing: ${why}`);
    try {
      await hold.release({ remove: this.#request.cleanup });
    } catch (error) {
      const failure = asKlatchError(error);
      this.#log.write(failure.line);
      return await this.#write({ kind: "lost", reason: failure.message });
    }
    const heldMs = Math.round(this.#clock.boottime() - this.#acquiredAtMs);
    await this.#write({ kind: "released", reason: why, heldMs, confirmed: this.#releaseConfirmed });
  }

  async #lost(hold: Hold): Promise<void> {
    const failure = asKlatchError(hold.lost.reason);
    this.#log.write(failure.line);
    await this.#write({ kind: "lost", reason: failure.message });
    const { followed, onLost } = this.#request;
    if (onLost === "kill" && followed.pid !== undefined) {
      const ended = await endSteps(followed.pid, hold.deadlines().killAtMs, this.#clock);
      this.#log.write(`ended ${ended} processes of the job's steps`);
    }
    // If one of several holds is lost, the others are released.
    await hold.release().catch(() => {});
  }

  /** Writes the state file; one write after the other. */
  #write(phase: KeeperState["phase"]): Promise<void> {
    const { lock, me, followed, stateFile } = this.#request;
    const deadlines = this.#hold?.deadlines();
    const state: KeeperState = {
      namespace: lock.namespace,
      name: lock.name,
      strategy: this.#request.strategies.join(","),
      holder: me.identity,
      token: this.#hold?.token ?? "",
      pid: Deno.pid,
      startTime: processLayer().lookUp(Deno.pid)?.startTime ?? 0,
      bootId: processLayer().bootId(),
      follows: followed.pid,
      acquiredAtMs: this.#acquiredAtMs,
      deadlineMs: deadlines?.termAtMs ?? 0,
      expiresAtMs: deadlines?.expiresAtMs ?? 0,
      phase,
    };
    return this.#writing = this.#writing.then(() => writeState(stateFile, state))
      .catch((error) => this.#log.write(`cannot write ${stateFile}: ${error}`));
  }
}

/** Says something to `acquire`; if it has gone there is nobody to tell. */
function say(message: KeeperMessage): void {
  const bytes = new TextEncoder().encode(`${JSON.stringify(message)}\n`);
  try {
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  } catch {
    // The end of stdin says the same.
  }
}

/** The lines of a stream, without their ends. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (
    const piece of stream.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
  ) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
