/**
 * Stands in for the runtime's AbortController and AbortSignal in the threads of the simulator, where a quarter of all
 * time went into them: events, exceptions that nobody reads, references that a collector has to look after. What code
 * under test can see is the same, and in the same order, which `tests/sim/abort_test.ts` compares.
 *
 * It has no `onabort`, no `timeout()`, no capturing listeners and none that are objects, and the runtime's own
 * functions do not know it.
 *
 * @see {@link https://dom.spec.whatwg.org/#interface-AbortSignal}
 *
 * @module
 */

type Listener = (event: { readonly type: "abort"; readonly target: LightSignal }) => void;

/** The reason of all that abort without one. It is costly to make, and nobody asks which one it is. */
const UNREASONED = new DOMException("The signal has been aborted", "AbortError");

/** What an `AbortSignal` is to klatch. */
export class LightSignal {
  #aborted = false;
  #reason: unknown;
  /** Each listener, and whether it is called but once; in the order of entry. */
  #listeners: Map<Listener, boolean> | undefined;
  /** Signals that abort with this one. */
  #dependents: Set<LightSignal> | undefined;
  /** Signals that this one aborts with; none of them has sources itself. */
  #sources: Set<LightSignal> | undefined;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  addEventListener(type: string, listener: Listener, { once = false }: { once?: boolean } = {}): void {
    if (type !== "abort") return;
    this.#listeners ??= new Map();
    if (!this.#listeners.has(listener)) this.#listeners.set(listener, once);
  }

  removeEventListener(type: string, listener: Listener): void {
    if (type === "abort") this.#listeners?.delete(listener);
  }

  /** A signal that aborts with the first of these. */
  static any(signals: Iterable<LightSignal>): LightSignal {
    const result = new LightSignal();
    const sources = result.#sources = new Set<LightSignal>();
    const given = [...signals];
    const ended = given.find(({ aborted }) => aborted);
    if (ended !== undefined) return LightSignal.abort(ended.#reason);
    for (const signal of given) {
      if (signal.#sources === undefined) sources.add(signal);
      else for (const source of signal.#sources) sources.add(source);
    }
    for (const source of sources) (source.#dependents ??= new Set()).add(result);
    return result;
  }

  /** A signal that has aborted. */
  static abort(reason?: unknown): LightSignal {
    const signal = new LightSignal();
    signal.#end(reason);
    return signal;
  }

  /** Aborts this signal and all that depend on it; all are aborted before the first listener is called. */
  static end(signal: LightSignal, reason: unknown): void {
    if (signal.#aborted) return;
    signal.#end(reason);
    const dependents = [...signal.#dependents ?? []];
    signal.#dependents = undefined;
    for (const dependent of dependents) {
      dependent.#end(signal.#reason);
      for (const source of dependent.#sources ?? []) source.#dependents?.delete(dependent);
    }
    signal.#dispatch();
    for (const dependent of dependents) dependent.#dispatch();
  }

  #end(reason: unknown): void {
    this.#aborted = true;
    this.#reason = reason === undefined ? UNREASONED : reason;
  }

  #dispatch(): void {
    const listeners = this.#listeners;
    if (listeners === undefined) return;
    for (const [listener, once] of [...listeners]) {
      if (listeners.get(listener) === undefined) continue;
      if (once) listeners.delete(listener);
      try {
        listener({ type: "abort", target: this });
      } catch (error) {
        reportError(error);
      }
    }
  }
}

/** What an `AbortController` is to klatch. */
export class LightController {
  readonly signal = new LightSignal();

  abort(reason?: unknown): void {
    LightSignal.end(this.signal, reason);
  }
}

/** From now on, whoever makes an AbortController or calls `AbortSignal.any` in this thread gets one of these. */
export function installLightAbort(): void {
  Object.assign(globalThis, { AbortController: LightController, AbortSignal: LightSignal });
}
