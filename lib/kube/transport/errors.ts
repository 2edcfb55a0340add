/**
 * What a failed connection means: whether the request may have been processed, and what to tell the user. The runtime
 * reports it only in words, so they are matched here; unknown words count as a lost answer.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import type { ClusterConfig } from "../config/types.ts";

/** The connection broke after the request was sent: the server may have processed it. */
export class LostAnswer extends Error {
  override readonly name = "LostAnswer";
}

/** There was no answer in time: the server, the network or this machine is slow, or the server is not there. */
export class NoAnswer extends LostAnswer {}

/** One way to fail before anything was sent. */
interface Fault {
  readonly words: RegExp;
  readonly code: "unreachable" | "config";
  readonly why: (match: RegExpMatchArray, config: ClusterConfig) => string;
  readonly hint: string;
}

/**
 * Words that occur only before a request is processed: while connecting, or when the server refuses the handshake
 * because of the client certificate or its absence (in TLS 1.3 the client learns that after its own handshake has
 * ended).
 */
const HANDSHAKE =
  /client error \(Connect\)|invalid peer certificate|fatal alert: (\w*Certificate\w*|UnknownCA|HandshakeFailure)/i;

/** What the runtime (hyper, rustls and the system) calls things. The first match counts. */
const FAULTS: readonly Fault[] = [
  {
    words: /invalid peer certificate: (?:certificate )?expired\b(?:.*?\bafter (\d+))?/i,
    code: "config",
    why: ([, seconds]) => `the server's certificate expired${on(seconds)}`,
    hint: "have it renewed, or check this machine's clock",
  },
  {
    words: /not valid yet|NotValidYet/i,
    code: "config",
    why: () => "the server's certificate is not valid yet",
    hint: "check this machine's clock",
  },
  {
    words: /not valid for (?:any )?names?\b(?:.*only valid for (.*))?|NotValidForName/i,
    code: "config",
    why: ([, names], config) =>
      `the server's certificate is not for the name ${
        config.tlsServerName ?? new URL(config.server).hostname
      }` +
      (names === undefined ? "" : `, only for ${names.replace(/\b\w+Name\("([^"]*)"\)/g, "$1")}`),
    hint: "correct the server's address, or set tls-server-name in the cluster",
  },
  {
    words: /CaUsedAsEndEntity/i,
    code: "config",
    why: () =>
      "the server's certificate is that of an authority (CA:TRUE), which klatch does not take for a server",
    hint: "have a certificate without CA:TRUE issued for the server, signed by that authority",
  },
  {
    words: /UnsupportedCertVersion/i,
    code: "config",
    why: () => "the server's certificate is of X.509 version 1, which cannot say what names it is for",
    hint: "have it issued again with extensions (version 3)",
  },
  {
    words: /UnknownIssuer|BadSignature/i,
    code: "config",
    why: (_, config) =>
      config.caPem === undefined
        ? "the server's certificate is not signed by an authority that this system knows"
        : "the server's certificate is not signed by the authority in the configuration",
    hint: "set certificate-authority to the cluster's own (was the cluster rebuilt?)",
  },
  {
    words: /invalid peer certificate: (\w+)/i,
    code: "config",
    why: ([, what]) => `the server's certificate is not acceptable (${what})`,
    hint: "have it renewed",
  },
  {
    words: /fatal alert: (\w+)/i,
    code: "config",
    why: ([, alert]) => `the server refused the TLS handshake (${alert})`,
    hint: "check the client certificate",
  },
  {
    words: /InvalidContentType|corrupt message/i,
    code: "config",
    why: () => "it does not speak TLS",
    hint: "does the server's address begin with http://, or is the port wrong",
  },
  {
    words: /dns error|ENOTFOUND|EAI_AGAIN|failed to lookup/i,
    code: "unreachable",
    why: (_, config) => `the name ${connectsTo(config).hostname} cannot be resolved`,
    hint: "check the server's address and the network",
  },
  {
    words: /refused/i,
    code: "unreachable",
    why: (_, config) => `nothing listens on ${connectsTo(config).host}`,
    hint: "is the cluster running, and is this the right address",
  },
  {
    words: /unsuccessful tunnel|proxy|tunnel/i,
    code: "unreachable",
    why: (_, config) =>
      `the proxy${config.proxyUrl ? ` ${connectsTo(config).host}` : ""} did not let us through`,
    hint: "check proxy-url, HTTPS_PROXY and NO_PROXY",
  },
  {
    words: /handshake eof/i,
    code: "unreachable",
    why: () => "the connection was closed during the TLS handshake",
    hint: "is this the API server's port",
  },
];

/**
 * What a failure to get an answer means.
 *
 * @param thrown what `fetch` rejected with.
 * @param config the cluster that it was meant for.
 * @param notSent whether it is known from elsewhere that nothing was sent.
 * @returns a KlatchError when nothing was sent, a {@link LostAnswer} otherwise.
 */
export function connectionFailure(
  thrown: unknown,
  config: ClusterConfig,
  notSent = false,
): KlatchError | LostAnswer {
  const words = wordsOf(thrown);
  const before = notSent || HANDSHAKE.test(words);
  const said = detail(words);
  for (const fault of before ? FAULTS : []) {
    const match = fault.words.exec(said);
    if (match !== null) return failure(config, fault.code, fault.why(match, config), fault.hint, thrown);
  }
  if (before) return failure(config, "unreachable", said, "check the network", thrown);
  return new LostAnswer(`the answer of ${config.server} got lost: ${said}`, { cause: thrown });
}

/** Whether the server ended the handshake, as it does if it does not accept the client certificate. */
export function isRefusedHandshake(error: unknown): error is KlatchError {
  return error instanceof KlatchError && /fatal alert: /i.test(wordsOf(error.cause));
}

function failure(
  config: ClusterConfig,
  code: "unreachable" | "config",
  why: string,
  hint: string,
  cause: unknown,
): KlatchError {
  return new KlatchError(
    code,
    `the API server ${config.server} (${config.source}) cannot be reached: ${why}`,
    {
      hint,
      cause,
    },
  );
}

/** Who is dialled: the proxy, where there is one. */
function connectsTo(config: ClusterConfig): URL {
  return new URL(config.proxyUrl ?? config.server);
}

function wordsOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const code = "code" in thrown ? ` ${thrown.code}` : "";
  return `${thrown.message}${code}${thrown.cause === undefined ? "" : `: ${wordsOf(thrown.cause)}`}`;
}

/**
 * The middle part of the runtime's message: the part before it repeats the URL, the part after it links to a manual.
 */
function detail(words: string): string {
  return words.replace(/^.*?client error \(\w+\): /, "").replace(/: https:\/\/docs\.rs.*$/s, "").trim();
}

function on(seconds: string | undefined): string {
  return seconds === undefined ? "" : ` on ${new Date(Number(seconds) * 1000).toISOString().slice(0, 10)}`;
}
