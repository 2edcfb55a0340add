/** Placeholder until exec plugins are in. @module */
import { KlatchError } from "../../errors.ts";
import type { Authenticator, Identity } from "./tokens.ts";
import type { ExecPlugin } from "./types.ts";
/** Placeholder. */
export class ExecAuthenticator implements Authenticator {
  constructor(private readonly plugin: ExecPlugin) {}
  current(): Promise<Identity> {
    return Promise.reject(new KlatchError("config", `exec plugin ${this.plugin.command}: not yet`));
  }
  renew(): Promise<Identity | undefined> {
    return Promise.resolve(undefined);
  }
  close(): void {}
}
