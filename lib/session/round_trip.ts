/**
 * How far away the API server is: the shortest time that any request took. Waits that get contenders out of each other's
 * way are made for that distance.
 *
 * The shortest, since a busy machine or server adds to all others; it may be too long at first, when a connection had to
 * be made, and never too short for long. A waiter may send nothing but a watch after that, so the start of a watch counts too.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { KubeClient } from "../kube/api.ts";
import { clientWith } from "../kube/client_with.ts";

/** What is known of the distance to one API server. */
export class RoundTrip {
  readonly #clock: Clock;
  #leastMs = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long a request takes at least, in milliseconds; 0 before the first one was answered. */
  get ms(): number {
    return this.#leastMs === Infinity ? 0 : this.#leastMs;
  }

  /** A client whose requests are timed. */
  timing(client: KubeClient): KubeClient {
    return clientWith(client, {
      get: (...args) => this.#timed(() => client.get(...args)),
      create: (...args) => this.#timed(() => client.create(...args)),
      update: (...args) => this.#timed(() => client.update(...args)),
      patch: (...args) => this.#timed(() => client.patch(...args)),
      delete: (...args) => this.#timed(() => client.delete(...args)),
      watch: (ref, options) => {
        const events = client.watch(ref, options);
        // Only a watch that tells the present state does so at once.
        return options.resourceVersion === undefined ? this.#timedStart(events) : events;
      },
    });
  }

  async *#timedStart<T>(events: AsyncIterable<T>): AsyncGenerator<T> {
    let askedMs: number | undefined = this.#clock.monotonic();
    for await (const event of events) {
      if (askedMs !== undefined) this.#took(askedMs);
      askedMs = undefined;
      yield event;
    }
  }

  /** A request that fails says nothing: it may not even have been sent. */
  async #timed<T>(request: () => Promise<T>): Promise<T> {
    const sentMs = this.#clock.monotonic();
    const answer = await request();
    this.#took(sentMs);
    return answer;
  }

  #took(sentMs: number): void {
    this.#leastMs = Math.min(this.#leastMs, this.#clock.monotonic() - sentMs);
  }
}
