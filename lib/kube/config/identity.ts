/**
 * What a request proves itself with, and where that comes from.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import type { KeyPair } from "./types.ts";

/** What one request proves itself with. A later one may get another; the same object means nothing changed. */
export interface Identity {
  /** The value of the header `Authorization`. */
  readonly authorization?: string;
  /** Instead of the configuration's client certificate. */
  readonly clientCert?: KeyPair;
}

/** A source of identities. */
export interface Authenticator {
  /**
   * What to send now.
   *
   * @throws {KlatchError} `config`: a token file that was never readable, a plugin that failed.
   */
  current(): Promise<Identity>;
  /**
   * Something newer than what the server refused.
   *
   * @param refused what was sent.
   * @returns the newer one, or `undefined` where there is none to be had.
   * @throws {KlatchError} `config`: the plugin failed.
   */
  renew(refused: Identity): Promise<Identity | undefined>;
  /** Ends a plugin that is still running. */
  close(): void;
}

/**
 * The identity of a bearer token.
 *
 * @throws {KlatchError} `config`: no header can carry it; the message does not show it.
 */
export function bearer(token: string): Identity {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new KlatchError("config", "the bearer token holds a space, a line break or something not ASCII", {
      hint: "check how it got into the kubeconfig, the token file or the plugin's answer",
    });
  }
  return { authorization: `Bearer ${token}` };
}
