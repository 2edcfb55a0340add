/**
 * Writes Events about one attempt to hold a lock.
 *
 * Events are best effort: they are sent one after the other beside everything else, nothing waits for them but the end of
 * klatch, and that for a moment only; what the server refuses once is not tried again. A hold that is over within a
 * second leaves one Event, of its release, which is sent at the same time as the release itself. If that release then
 * turns out to have failed, an Event says so.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { KubeClient, KubeObject, ObjectRef, WriteOutcome } from "../kube/api.ts";
import { clientWith } from "../kube/client_with.ts";
import type { Contender, LockName, Strategy } from "../lock.ts";
import type { SessionEvent } from "../session/mod.ts";
import { cut, type EventFacts } from "./event.ts";
import { sendEvent } from "./send_event.ts";

/** How long after the acquisition its Event is sent: the command comes first. */
const ACQUIRED_AFTER_MS = 1_000;
/** How long klatch stays at its end for Events that are under way. */
const END_WITHIN_MS = 500;
/** The shortest that a timer can be, in milliseconds: the release is sent first. */
const ONE_TURN_MS = 1;

/** What a recorder needs. */
export interface RecorderParts {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** How the lock is kept. */
  readonly strategy: Strategy;
  /** The object that keeps it. */
  readonly lock: LockName;
  readonly me: Contender;
}

/** Events about one attempt. */
export class EventRecorder {
  /** The given client; the recorder sees by it which object it is about. */
  readonly client: KubeClient;
  readonly #parts: RecorderParts;
  readonly #over = new AbortController();
  #sending: Promise<void> = Promise.resolve();
  #refused = false;
  #count = 0;
  #uid: string | undefined;
  #waitingSinceMs: number | undefined;
  #from: Pick<EventFacts, "from" | "fromNonce"> = {};
  #acquired: EventFacts | undefined;
  /** The Event of a release that is not confirmed yet. */
  #releasing: EventFacts | undefined;
  /** Ends the pause before the Event of the acquisition. */
  #pause: AbortController | undefined;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
    this.client = this.#noticing(parts.client);
  }

  /** Takes note of what a session tells. */
  readonly onEvent = (event: SessionEvent): void => {
    const { clock } = this.#parts;
    switch (event.kind) {
      case "waiting":
        this.#waitingSinceMs ??= clock.wall();
        return;
      case "took-over":
        this.#from = { from: cut(event.from.identity), fromNonce: event.from.nonce };
        return;
      case "acquired":
        return this.#onAcquired(event.token);
      case "released":
        return event.confirmed ? this.#onReleased() : this.#onUnconfirmed();
      case "lost":
        return this.#onLost(event.error.message);
    }
  };

  /**
   * Takes note of a release that is being sent. Its Event goes with it, for it would take another round trip after it.
   *
   * @param releasing what becomes of it.
   */
  readonly onRelease = (releasing: Promise<void>): void => {
    this.#sending = Promise.all([this.#sending, this.#parts.clock.sleep(ONE_TURN_MS)]).then(() => {});
    this.#releasing = this.#tellReleased();
    releasing.catch((error) => this.#takeBack(error instanceof Error ? error.message : String(error)));
  };

  #onAcquired(token: string): void {
    const { clock, me } = this.#parts;
    const nowMs = clock.wall();
    const waitedMs = this.#waitingSinceMs === undefined ? 0 : Math.max(0, nowMs - this.#waitingSinceMs);
    this.#acquired = {
      event: this.#from.from === undefined ? "acquired" : "took-over",
      ...this.#about(nowMs),
      token,
      waitedMs: Math.round(waitedMs),
      ...this.#from,
      ...(me.reason !== undefined && me.reason !== "" && { reason: cut(me.reason) }),
    };
    const pause = this.#pause = new AbortController();
    clock.sleep(ACQUIRED_AFTER_MS, pause.signal).then(() => {
      if (!pause.signal.aborted) this.#tellAcquired();
    });
  }

  /** Sends the Event of the acquisition, if that has not been done. */
  #tellAcquired(): void {
    if (this.#pause === undefined || this.#acquired === undefined) return;
    this.#pause.abort();
    this.#pause = undefined;
    this.#send(this.#acquired);
  }

  #onReleased(): void {
    if (this.#releasing === undefined) this.#tellReleased();
    this.#releasing = undefined;
  }

  #onUnconfirmed(): void {
    this.#tellAcquired();
    this.#takeBack("the API server did not confirm the release");
  }

  /** Says that a release which an Event has told of may not have taken place. */
  #takeBack(reason: string): void {
    if (this.#releasing === undefined) return;
    const { token, since } = this.#releasing;
    this.#releasing = undefined;
    this.#send({
      event: "lost",
      ...this.#about(this.#parts.clock.wall()),
      token,
      since,
      reason: cut(reason),
    });
  }

  #tellReleased(): EventFacts | undefined {
    const acquired = this.#acquired;
    // Of several strategies' holds each is released.
    if (acquired === undefined) return undefined;
    if (acquired.event === "took-over") this.#tellAcquired();
    this.#pause?.abort();
    const nowMs = this.#parts.clock.wall();
    const { token, waitedMs, reason, at: since } = acquired;
    const heldMs = Math.max(0, Math.round(nowMs - Date.parse(since)));
    const released = {
      event: "released",
      ...this.#about(nowMs),
      token,
      waitedMs,
      since,
      heldMs,
      reason,
    } as const;
    this.#send(released);
    this.#acquired = undefined;
    return released;
  }

  #onLost(why: string): void {
    const acquired = this.#acquired;
    if (acquired === undefined) return;
    this.#tellAcquired();
    const { token, at: since } = acquired;
    this.#send({ event: "lost", ...this.#about(this.#parts.clock.wall()), token, since, reason: cut(why) });
    this.#acquired = undefined;
  }

  #about(nowMs: number): Pick<EventFacts, "at" | "holder" | "nonce"> {
    const { identity, nonce } = this.#parts.me;
    return { at: new Date(nowMs).toISOString(), holder: cut(identity), nonce };
  }

  #send(facts: EventFacts): void {
    const { strategy: { resource }, lock, me, clock } = this.#parts;
    const id = `${clock.wall().toString(16).replace(".", "")}${me.nonce.slice(0, 6)}${this.#count++}`;
    this.#sending = this.#sending.then(async () => {
      if (this.#refused || this.#over.signal.aborted) return;
      const subject = { resource, ...lock, uid: this.#uid };
      this.#refused = !await sendEvent(this.#parts.client, subject, facts, id, this.#over.signal);
    });
  }

  /** Gives the Events that are under way a moment. */
  async end(): Promise<void> {
    this.#pause?.abort();
    const enough = new AbortController();
    await Promise.race([this.#sending, this.#parts.clock.sleep(END_WITHIN_MS, enough.signal)]);
    enough.abort();
    this.#over.abort();
  }

  #noticing(client: KubeClient): KubeClient {
    const notice = (ref: ObjectRef, object: KubeObject | undefined) => {
      if (ref.resource === this.#parts.strategy.resource) this.#uid = object?.metadata.uid ?? this.#uid;
    };
    const noticed = async (ref: ObjectRef, write: Promise<WriteOutcome>) => {
      const outcome = await write;
      if (outcome.kind === "done") notice(ref, outcome.object);
      return outcome;
    };
    return clientWith(client, {
      get: async (ref, ...rest) => {
        const object = await client.get(ref, ...rest);
        notice(ref, object);
        return object;
      },
      create: (ref, ...rest) => noticed(ref, client.create(ref, ...rest)),
      update: (ref, ...rest) => noticed(ref, client.update(ref, ...rest)),
      patch: (ref, ...rest) => noticed(ref, client.patch(ref, ...rest)),
    });
  }
}
