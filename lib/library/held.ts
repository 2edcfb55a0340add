/**
 * A lock that a program holds.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { Hold } from "../session/mod.ts";

/** A lock that is held. It is renewed in the background until it is released or lost. */
export interface LockHold extends AsyncDisposable {
  /** The lock's name. */
  readonly name: string;
  /** The namespace that it is in. */
  readonly namespace: string;
  /** The holder's name, as the record states it. */
  readonly identity: string;
  /**
   * The fencing token: a decimal integer larger than that of every hold before it. Hand it to the resource that the lock
   * protects, and have the resource refuse a smaller one than it has seen.
   */
  readonly token: string;
  /** Aborts when the hold is lost; its reason is a KlatchError with the code `lost`. The work must stop then. */
  readonly lost: AbortSignal;
  /**
   * When the hold counts as lost unless it is renewed, in milliseconds on `performance.now()`. Each renewal moves it. A
   * clock that stands still while the machine is suspended cannot tell: there only the token protects the resource.
   */
  readonly deadline: number;
  /**
   * Releases the lock and closes the connections. A second call does nothing. To be called after a loss too.
   *
   * @throws KlatchError `lost` if it was lost before; the work may have overlapped with another holder's.
   */
  release(): Promise<void>;
}

/** What a hold of the library is made of. */
export interface HoldParts {
  readonly name: string;
  readonly namespace: string;
  readonly identity: string;
  readonly hold: Hold;
  readonly clock: Clock;
  readonly cleanup: boolean;
  /** Closes the connections to the API server. */
  readonly close: () => void;
}

/** A lock that is held, over a session's hold and its connections. */
export class LibraryHold implements LockHold {
  readonly name: string;
  readonly namespace: string;
  readonly identity: string;
  readonly #parts: HoldParts;
  #released: Promise<void> | undefined;

  constructor(parts: HoldParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.namespace = parts.namespace;
    this.identity = parts.identity;
  }

  get token(): string {
    return this.#parts.hold.token;
  }

  get lost(): AbortSignal {
    return this.#parts.hold.lost;
  }

  get deadline(): number {
    return this.#parts.hold.deadlines().termAtMs;
  }

  /** Writes annotations into the object, as a session's hold does. */
  async annotate(annotations: Readonly<Record<string, string>>): Promise<void> {
    await this.#parts.hold.annotate(annotations);
  }

  release(): Promise<void> {
    return this.#released ??= this.#release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  async #release(): Promise<void> {
    try {
      await this.#parts.hold.release({ remove: this.#parts.cleanup });
    } finally {
      this.#parts.close();
    }
  }
}
