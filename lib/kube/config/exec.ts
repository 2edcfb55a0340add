/**
 * Keeps what an exec plugin gave until that is about to expire, and runs the plugin again then. Plugins run one at a
 * time.
 *
 * @module
 */

import { type Answer, readAnswer } from "./exec_answer.ts";
import { type ExecOptions, type RunningPlugin, startPlugin } from "./exec_process.ts";
import type { Authenticator, Identity } from "./identity.ts";
import type { ExecPlugin } from "./types.ts";

export type { ExecOptions } from "./exec_process.ts";

/** Credentials are renewed this long before they expire, or at three quarters of their life if that is later. */
const MARGIN_MS = 30_000;

interface Issued extends Answer {
  readonly renewAtMs: number;
}

/** An authenticator that asks a plugin. */
export class ExecAuthenticator implements Authenticator {
  #issued: Issued | undefined;
  #answering: Promise<Issued> | undefined;
  #running: RunningPlugin | undefined;
  readonly #nowMs: () => number;

  constructor(private readonly plugin: ExecPlugin, private readonly options: ExecOptions = {}) {
    this.#nowMs = options.nowMs ?? (() => Date.now());
  }

  async current(): Promise<Identity> {
    const issued = this.#issued;
    if (issued !== undefined && this.#nowMs() < issued.renewAtMs) return issued.identity;
    try {
      return (await this.#ask()).identity;
    } catch (error) {
      if (issued !== undefined && this.#nowMs() < issued.expiresAtMs) return issued.identity;
      throw error;
    }
  }

  async renew(refused: Identity): Promise<Identity | undefined> {
    // Another request may have had the same refusal, and have got a new identity already.
    if (this.#issued !== undefined && this.#issued.identity !== refused) return this.#issued.identity;
    const { identity } = await this.#ask();
    const same = identity.authorization === refused.authorization &&
      identity.clientCert?.certPem === refused.clientCert?.certPem;
    return same ? undefined : identity;
  }

  close(): void {
    this.#running?.kill();
  }

  #ask(): Promise<Issued> {
    this.#answering ??= this.#askOnce().finally(() => this.#answering = undefined);
    return this.#answering;
  }

  async #askOnce(): Promise<Issued> {
    this.#running = startPlugin(this.plugin, this.options);
    try {
      const answer = await readAnswer(this.plugin, await this.#running.output);
      const lifeMs = Math.max(0, answer.expiresAtMs - this.#nowMs());
      const renewAtMs = answer.expiresAtMs - Math.min(MARGIN_MS, lifeMs / 4);
      return this.#issued = { ...answer, renewAtMs };
    } finally {
      this.#running = undefined;
    }
  }
}
