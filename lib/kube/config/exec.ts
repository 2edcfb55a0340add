/**
 * Runs an exec plugin and keeps what it gave until that is about to expire. It promises to end: a plugin that
 * hangs is killed. Plugins run one at a time; what they write to stderr goes through to ours.
 *
 * The exchange: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { certificateFacts, checkKeyPair } from "./certificates.ts";
import { type Authenticator, bearer, type Identity } from "./identity.ts";
import type { ExecPlugin, KeyPair } from "./types.ts";

/** How to run plugins; the defaults are for the real world. */
export interface ExecOptions {
  /** How long a plugin may take that talks to nobody, in milliseconds. */
  readonly limitMs?: number;
  /** How long a plugin may take that may be asking the user something, in milliseconds. */
  readonly interactiveLimitMs?: number;
  /** Whether stdin is a terminal. */
  readonly isTerminal?: () => boolean;
  /** The wall clock, milliseconds since the Unix epoch: expiry comes as a timestamp. */
  readonly nowMs?: () => number;
}

const LIMIT_MS = 60_000;
const INTERACTIVE_LIMIT_MS = 300_000;

/** Credentials are renewed this long before they expire, or at three quarters of their life if that is later. */
const MARGIN_MS = 30_000;

/** What a plugin gave, and until when it is good. */
interface Issued {
  readonly identity: Identity;
  readonly renewAtMs: number;
  readonly expiresAtMs: number;
}

/** An authenticator that asks a plugin. */
export class ExecAuthenticator implements Authenticator {
  #issued: Issued | undefined;
  #running: Promise<Issued> | undefined;
  #kill: () => void = () => {};
  readonly #nowMs: () => number;

  constructor(private readonly plugin: ExecPlugin, private readonly options: ExecOptions = {}) {
    this.#nowMs = options.nowMs ?? (() => Date.now());
  }

  async current(): Promise<Identity> {
    const issued = this.#issued;
    if (issued !== undefined && this.#nowMs() < issued.renewAtMs) return issued.identity;
    try {
      return (await this.#run()).identity;
    } catch (error) {
      if (issued !== undefined && this.#nowMs() < issued.expiresAtMs) return issued.identity;
      throw error;
    }
  }

  async renew(refused: Identity): Promise<Identity | undefined> {
    // Another request may have had the same refusal, and have got a new identity already.
    if (this.#issued !== undefined && this.#issued.identity !== refused) return this.#issued.identity;
    const { identity } = await this.#run();
    const same = identity.authorization === refused.authorization &&
      identity.clientCert?.certPem === refused.clientCert?.certPem;
    return same ? undefined : identity;
  }

  close(): void {
    this.#kill();
  }

  #run(): Promise<Issued> {
    this.#running ??= this.#runOnce().finally(() => this.#running = undefined);
    return this.#running;
  }

  async #runOnce(): Promise<Issued> {
    const terminal = this.options.isTerminal?.() ?? Deno.stdin.isTerminal();
    const interactive = this.#isInteractive(terminal);
    // On a terminal the plugin stays in our group, so that Ctrl-C reaches it; elsewhere it gets one of its own, so
    // that what it started can be stopped with it.
    const child = this.#spawn(interactive, !terminal);
    this.#kill = () => kill(terminal ? child.pid : -child.pid);
    const limitMs = interactive
      ? this.options.interactiveLimitMs ?? INTERACTIVE_LIMIT_MS
      : this.options.limitMs ?? LIMIT_MS;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#kill();
        reject(this.#failure(`it did not finish within ${limitMs / 1000} s and was stopped`));
      }, limitMs);
    });
    try {
      // A grandchild can hold stdout open beyond the plugin's end, so the timer is raced and not only killing.
      const output = await Promise.race([child.output(), late]);
      if (!output.success) throw this.#failure(ending(output));
      this.#issued = await this.#read(new TextDecoder().decode(output.stdout));
      return this.#issued;
    } finally {
      clearTimeout(timer);
      this.#kill = () => {};
    }
  }

  #isInteractive(terminal: boolean): boolean {
    const mode = this.plugin.interactiveMode;
    if (mode === "Never") return false;
    if (mode === "Always" && !terminal) {
      throw this.#failure("it has to ask something, and standard input is not a terminal", {
        hint: "log in with the provider's own tool first, or use credentials that need no dialogue",
      });
    }
    return terminal;
  }

  #spawn(interactive: boolean, detached: boolean): Deno.ChildProcess {
    const { apiVersion, command, args, env, cluster } = this.plugin;
    const spec = { interactive, ...(cluster === undefined ? {} : { cluster }) };
    const info = JSON.stringify({ kind: "ExecCredential", apiVersion, spec });
    try {
      return new Deno.Command(command, {
        args: [...args],
        env: { ...env, KUBERNETES_EXEC_INFO: info },
        stdin: interactive ? "inherit" : "null",
        stdout: "piped",
        stderr: "inherit",
        detached,
      }).spawn();
    } catch (cause) {
      const missing = cause instanceof Deno.errors.NotFound;
      const why = missing
        ? "there is no such program"
        : cause instanceof Error
        ? cause.message
        : String(cause);
      const hint = this.plugin.installHint ??
        (missing ? "install it, or correct the user's exec.command" : undefined);
      throw this.#failure(why, { cause, ...(hint === undefined ? {} : { hint: printable(hint) }) });
    }
  }

  async #read(stdout: string): Promise<Issued> {
    const { apiVersion } = this.plugin;
    const answer = record(parseJson(stdout));
    if (answer?.["kind"] !== "ExecCredential") throw this.#failure("its output is not an ExecCredential");
    if (answer["apiVersion"] !== apiVersion) {
      throw this.#failure(`it answered in ${answer["apiVersion"]} and was asked in ${apiVersion}`, {
        hint: "correct exec.apiVersion in the user",
      });
    }
    const status = record(answer["status"]) ?? {};
    const token = this.#text(status, "token");
    const clientCert = await this.#keyPair(status);
    if (token === undefined && clientCert === undefined) {
      throw this.#failure("it gave neither a token nor a certificate");
    }
    return this.#until(
      { ...(token === undefined ? {} : bearer(token)), ...(clientCert === undefined ? {} : { clientCert }) },
      this.#text(status, "expirationTimestamp"),
    );
  }

  async #keyPair(status: Record<string, unknown>): Promise<KeyPair | undefined> {
    const certPem = this.#text(status, "clientCertificateData");
    const keyPem = this.#text(status, "clientKeyData");
    if (certPem === undefined && keyPem === undefined) return undefined;
    if (certPem === undefined || keyPem === undefined) {
      throw this.#failure("it gave only one of certificate and key");
    }
    return await checkKeyPair({ certPem, keyPem }, `exec plugin ${this.plugin.command}`);
  }

  #until(identity: Identity, timestamp: string | undefined): Issued {
    const stated = timestamp === undefined ? Infinity : Date.parse(timestamp);
    if (Number.isNaN(stated)) throw this.#failure(`its expirationTimestamp "${timestamp}" is not a time`);
    const ofCertificate = identity.clientCert === undefined
      ? Infinity
      : certificateFacts(identity.clientCert.certPem).notAfterMs;
    const expiresAtMs = Math.min(stated, ofCertificate);
    const marginMs = Math.min(MARGIN_MS, Math.max(0, expiresAtMs - this.#nowMs()) / 4);
    return { identity, expiresAtMs, renewAtMs: expiresAtMs - marginMs };
  }

  #text(from: Record<string, unknown>, field: string): string | undefined {
    const value = from[field] ?? "";
    if (typeof value !== "string") throw this.#failure(`its status.${field} is not a string`);
    return value === "" ? undefined : value;
  }

  #failure(why: string, details: { hint?: string; cause?: unknown } = {}): KlatchError {
    return new KlatchError("config", `exec plugin ${this.plugin.command} failed: ${why}`, details);
  }
}

/** A negative id is a process group's. */
function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function ending(status: Deno.CommandStatus): string {
  return status.signal === null ? `it exited with status ${status.code}` : `it was ended by ${status.signal}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is not JSON may be a secret all the same: it is not shown.
    return undefined;
  }
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : undefined;
}

/** An install hint comes from a file that others wrote: it must not move the terminal's cursor. */
function printable(text: string): string {
  return text.trim().replace(/[^\P{C}\n\t]/gu, "?");
}
