/**
 * A scene for a fault: one lock on a real API server, a klatch that holds it and runs a command, others that wait for it
 * all the time, and onlookers that no fault touches. The scene begins when all of them are in place; what happens to it
 * then is the test's business.
 *
 * @module
 */

import { klatchBinary, type RunningKlatch, spawnKlatch } from "../support/binary.ts";
import type { ControlPlane } from "../support/control_plane.ts";
import { Witness } from "../support/witness.ts";
import { LeaseLog } from "./lease_log.ts";
import { Lifeline } from "./lifeline.ts";
import { endProcessesOf, MARK } from "./scene_processes.ts";

/** Durations as klatch's flags have them, in milliseconds. */
export interface Timing {
  readonly leaseMs: number;
  readonly deadlineMs: number;
  readonly retryMs: number;
}

/** A hold that is over soon, so that a test is. */
export const QUICK: Timing = { leaseMs: 4_000, deadlineMs: 2_500, retryMs: 500 };
/** One that leaves little time between its renew deadline and the end of the lease. */
export const TIGHT: Timing = { leaseMs: 4_000, deadlineMs: 3_500, retryMs: 500 };
/** For a way so long that a request over a new connection takes most of a second. */
export const SLOW: Timing = { leaseMs: 8_000, deadlineMs: 5_000, retryMs: 1_000 };
/** A hold that outlasts the faults. */
export const PATIENT: Timing = { leaseMs: 24_000, deadlineMs: 20_000, retryMs: 500 };

/** The status of the holder's command when it ends by itself. */
export const OWN_STATUS = 7;
const HOLDER = "holder";

/**
 * What the holder runs, until its stdin ends. A `stubborn` one ignores TERM, INT and HUP, and so do its children and
 * theirs.
 */
export type CommandProfile = "plain" | "stubborn";
const BODY: Record<CommandProfile, string> = {
  plain: `cat >/dev/null; exit ${OWN_STATUS}`,
  stubborn:
    `trap '' TERM INT HUP; sleep 600 & sh -c 'sleep 600 & sleep 600' & cat >/dev/null; exit ${OWN_STATUS}`,
};

/** klatch's exit status when the hold was lost. */
const LOST = 123;
/** How often a scene may begin before it is clear that something is wrong. */
const MOST_BEGINNINGS = 5;

/** Who takes part. */
export interface Cast {
  readonly plane: ControlPlane;
  readonly namespace: string;
  readonly timing?: Timing;
  readonly profile?: CommandProfile;
  /** The kubeconfig of the holder; the admin's if not given. */
  readonly holderConfig?: string;
  /** The kubeconfig of the waiters; the admin's if not given. */
  readonly waiterConfig?: string;
  /** More flags for the holder. */
  readonly holderFlags?: readonly string[];
  /** Gives the holder a binary of its own, which a fault may replace: {@link Scene.binary}. */
  readonly ownBinary?: true;
}

/** How many wait. */
export const WAITERS = 2;

/** See the module. */
export class Scene {
  /** The processes of the scene carry it as {@link MARK}. */
  readonly id = crypto.randomUUID();
  readonly name = `chaos-${this.id.slice(0, 8)}`;
  readonly waiters: RunningKlatch[] = [];
  readonly #cast: Cast;
  #holder: RunningKlatch | undefined;
  #log: LeaseLog | undefined;

  private constructor(cast: Cast, readonly witness: Witness, readonly lifeline: Lifeline) {
    this.#cast = cast;
  }

  /**
   * Opens a scene. Resolves when the holder is in, the others wait, and a hold that is renewed soon has been. On a machine
   * that is busy a holder can lose a short hold before that; no fault has begun then, so the scene begins anew.
   */
  static async open(cast: Cast): Promise<Scene> {
    for (let again = MOST_BEGINNINGS - 1;; again--) {
      const witness = await Witness.create();
      const scene = new Scene(cast, witness, await Lifeline.make(witness.dir));
      try {
        await scene.#begin();
        return scene;
      } catch (error) {
        const lost = await scene.#hasLostHold();
        await scene.close();
        if (!lost || again === 0) throw error;
      }
    }
  }

  /** Whether the holder has ended because it lost its hold, or could not renew it. */
  async #hasLostHold(): Promise<boolean> {
    const ended = this.#holder?.exited.then(({ code }) => code);
    return await Promise.race([ended, Promise.resolve(undefined)]) === LOST;
  }

  get holder(): RunningKlatch {
    if (this.#holder === undefined) throw new Error("the scene has not begun");
    return this.#holder;
  }

  get log(): LeaseLog {
    if (this.#log === undefined) throw new Error("the scene has not begun");
    return this.#log;
  }

  get timing(): Timing {
    return this.#cast.timing ?? QUICK;
  }

  /** The path of the holder's own binary. */
  get binary(): string {
    return `${this.witness.dir}/klatch`;
  }

  /** The last version that the holder wrote, as far as it was committed before a moment. */
  lastRenewal(beforeMs: number) {
    return this.log.lastOf(HOLDER, beforeMs);
  }

  /** Resolves when the holder has renewed since a moment; fails if it ends instead. */
  async renewsAgain(sinceMs = Date.now()): Promise<void> {
    await Promise.race([this.log.renewed(HOLDER, sinceMs), this.holder.exited.then(() => this.#ended())]);
  }

  /** Resolves when a waiter has had its turn to begin. */
  async somebodyElseEntered(): Promise<void> {
    await this.witness.until("a waiter enters", (visits) => visits.some((visit) => visit.id !== HOLDER));
  }

  /** The tokens that commands were given, in the order of entering. */
  async tokens(): Promise<bigint[]> {
    return (await Deno.readTextFile(this.#tokens)).trim().split("\n").map(BigInt);
  }

  /** Ends all of it, as it is. */
  async close(): Promise<void> {
    endProcessesOf(this.id);
    this.lifeline.cut();
    this.#log?.stop();
    await this.witness.remove();
  }

  get #tokens(): string {
    return `${this.witness.dir}/tokens`;
  }

  async #begin(): Promise<void> {
    const { plane, namespace, profile = "plain", holderConfig, waiterConfig, holderFlags = [] } = this.#cast;
    this.#log = await LeaseLog.start(plane.admin, { namespace, name: this.name });
    const note = `echo "$KLATCH_TOKEN" >>'${this.#tokens}'`;
    const body = ["sh", "-c", `${note}; ${BODY[profile]}`];
    const command = this.lifeline.command(this.witness.command(HOLDER, body));
    if (this.#cast.ownBinary) await Deno.copyFile(klatchBinary() ?? "", this.binary);
    this.#holder = this.#klatch(HOLDER, holderConfig, holderFlags, command, "open");
    await Promise.race([this.witness.entered(HOLDER), this.#holder.exited.then(() => this.#ended())]);
    for (let i = 1; i <= WAITERS; i++) {
      const id = `waiter-${i}`;
      const command = this.witness.command(id, ["sh", "-c", `${note}; sleep 0.2`]);
      this.waiters.push(this.#klatch(id, waiterConfig, [], command));
    }
    for (const waiter of this.waiters) await waiter.line("stderr", /waiting/);
    if (this.timing !== PATIENT) await this.renewsAgain();
  }

  #klatch(
    identity: string,
    kubeconfig: string | undefined,
    more: readonly string[],
    command: readonly string[],
    stdin?: "open",
  ): RunningKlatch {
    const { plane, namespace } = this.#cast;
    const { leaseMs, deadlineMs, retryMs } = this.timing;
    const flags = ["--lease-duration", `${leaseMs}ms`, "--renew-deadline", `${deadlineMs}ms`];
    const words = [...flags, "--retry-period", `${retryMs}ms`, "-v", "-i", identity, ...more];
    return spawnKlatch(["run", this.name, "-n", namespace, ...words, "--", ...command], {
      env: { KUBECONFIG: kubeconfig ?? plane.admin, [MARK]: this.id },
      ...(stdin !== undefined && { stdin }),
      ...(identity === HOLDER && this.#cast.ownBinary && { binary: this.binary }),
    });
  }

  #ended(): never {
    throw new Error(`the holder ended when it should not have: ${this.holder.stderr}`);
  }
}
