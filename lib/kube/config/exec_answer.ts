/**
 * Reads what an exec plugin answered: an `ExecCredential`, JSON or YAML. It is never shown, since what is no answer may
 * be a secret all the same.
 *
 * https://kubernetes.io/docs/reference/config-api/client-authentication.v1/
 *
 * @module
 */

import { certificateFacts } from "./certificate.ts";
import { pluginFailure } from "./exec_process.ts";
import { isRecord } from "./config_fields.ts";
import { bearer, type Identity } from "./identity.ts";
import { checkKeyPair } from "./key_pair.ts";
import type { ExecPlugin, KeyPair } from "./types.ts";

/** What a plugin gave, and until when it is good. */
export interface Answer {
  readonly identity: Identity;
  /** Milliseconds since the Unix epoch; infinite if nothing of it expires. */
  readonly expiresAtMs: number;
}

/**
 * Reads an answer.
 *
 * @param plugin who gave it.
 * @param stdout what the plugin wrote.
 * @throws {KlatchError} `config`: it is no answer, or gives nothing usable.
 */
export async function readAnswer(plugin: ExecPlugin, stdout: string): Promise<Answer> {
  const answer = await parse(stdout);
  if (!isRecord(answer) || answer["kind"] !== "ExecCredential") {
    throw pluginFailure(plugin, "its output is not an ExecCredential");
  }
  if (answer["apiVersion"] !== plugin.apiVersion) {
    throw pluginFailure(
      plugin,
      `it answered in ${answer["apiVersion"]} and was asked in ${plugin.apiVersion}`,
      {
        hint: "correct exec.apiVersion in the user",
      },
    );
  }
  const status = isRecord(answer["status"]) ? answer["status"] : {};
  const token = text(plugin, status, "token");
  const clientCert = await keyPair(plugin, status);
  if (token === undefined && clientCert === undefined) {
    throw pluginFailure(plugin, "it gave neither a token nor a certificate");
  }
  return {
    identity: {
      ...(token === undefined ? {} : bearer(token)),
      ...(clientCert === undefined ? {} : { clientCert }),
    },
    expiresAtMs: expiry(plugin, text(plugin, status, "expirationTimestamp"), clientCert),
  };
}

async function parse(stdout: string): Promise<unknown> {
  try {
    return JSON.parse(stdout);
  } catch {
    const { parseYaml } = await import("./yaml.ts");
    try {
      return parseYaml(stdout);
    } catch {
      return undefined;
    }
  }
}

async function keyPair(plugin: ExecPlugin, status: Record<string, unknown>): Promise<KeyPair | undefined> {
  const certPem = text(plugin, status, "clientCertificateData");
  const keyPem = text(plugin, status, "clientKeyData");
  if (certPem === undefined && keyPem === undefined) return undefined;
  if (certPem === undefined || keyPem === undefined) {
    throw pluginFailure(plugin, "it gave only one of certificate and key");
  }
  return await checkKeyPair({ certPem, keyPem }, `exec plugin ${plugin.command}`);
}

function expiry(plugin: ExecPlugin, timestamp: string | undefined, clientCert: KeyPair | undefined): number {
  const stated = timestamp === undefined ? Infinity : Date.parse(timestamp);
  if (Number.isNaN(stated)) {
    throw pluginFailure(plugin, `its expirationTimestamp "${timestamp}" is not a time`);
  }
  const ofCertificate = clientCert === undefined ? Infinity : certificateFacts(clientCert.certPem).notAfterMs;
  return Math.min(stated, ofCertificate);
}

function text(plugin: ExecPlugin, status: Record<string, unknown>, field: string): string | undefined {
  const value = status[field] ?? "";
  if (typeof value !== "string") throw pluginFailure(plugin, `its status.${field} is not a string`);
  return value === "" ? undefined : value;
}
