/**
 * Whether the API server answers, who it is, as whom it sees klatch, how quickly it answers and what time it has.
 *
 * @module
 */
import type { Clock } from "../../clock.ts";
import type { ClusterConfig, Credentials } from "../../kube/config/mod.ts";
import { parseStatus } from "../../kube/failures.ts";
import { type ApiProbe, jsonOf, type Timed } from "../../kube/probe.ts";
import type { Timing } from "../../session/mod.ts";
import { formatAge } from "../../text.ts";
import { type Check, failed, untried } from "./check.ts";

/** How many requests are timed. */
const ROUNDS = 7;
/** So many requests, one after the other, should fit into the renew deadline: a renewal that fails is tried again. */
const TRIES = 4;

/** Who the server is. */
export function serverCheck({ server, proxyUrl }: ClusterConfig, answer: Timed): Check {
  const name = "server";
  const where = proxyUrl === undefined ? server : `${server} through the proxy ${new URL(proxyUrl).host}`;
  const { gitVersion } = jsonOf(answer);
  const { status, text } = answer;
  if (status === 200 && typeof gitVersion === "string") {
    return { name, state: "ok", fact: `${where}, Kubernetes ${gitVersion}` };
  }
  if (status === 401) {
    const fact = `${where} does not accept the credentials: ${saidBy(text, status)}`;
    return { name, state: "bad", fact, remedy: "log in again, or choose another context" };
  }
  if (status === 403 && parseStatus(text).isStatus) {
    return { name, state: "ok", fact: `${where}; it does not tell its version` };
  }
  const fact = `${where} answers ${saidBy(text, status)} when it is asked for its version`;
  return { name, state: "bad", fact, remedy: "is this a Kubernetes API server, and is no proxy in the way?" };
}

/** As whom the server sees klatch. */
export async function identityCheck(
  probe: ApiProbe,
  { credentials, clientCert, impersonation }: ClusterConfig,
) {
  const name = "identity";
  const by = [shownBy(credentials), ...(clientCert === undefined ? [] : ["client certificate"])]
    .filter((each) => each !== "");
  const how = `${by.length === 0 ? "no credentials" : `by ${by.join(" and ")}`}${
    impersonation.length > 0 ? ", impersonating" : ""
  }`;
  try {
    const answer = await probe.whoAmI();
    const { username, groups } = Object(Object(jsonOf(answer)["status"])["userInfo"]);
    if (answer.status < 300 && typeof username === "string") {
      const list = Array.isArray(groups) && groups.length > 0 ? ` (groups ${groups.join(", ")})` : "";
      return { name, state: "ok", fact: `${username}${list}, ${how}` } satisfies Check;
    }
    if (answer.status === 401) {
      const fact = `unknown to the server, ${how}: ${saidBy(answer.text, answer.status)}`;
      return { name, state: "bad", fact, remedy: "log in again, or choose another context" } satisfies Check;
    }
    const why = answer.status === 404
      ? "it has no SelfSubjectReview, which Kubernetes 1.28 introduced"
      : saidBy(answer.text, answer.status);
    return untried(name, `${how}; the server does not say as whom it sees klatch: ${why}`);
  } catch (error) {
    return failed(name, error);
  }
}

function shownBy(credentials: Credentials): string {
  switch (credentials.kind) {
    case "none":
      return "";
    case "token":
      return "token";
    case "tokenFile":
      return `the token in ${credentials.path}`;
    case "basic":
      return "user name and password";
    case "exec":
      return `the plugin ${credentials.plugin.command}`;
    case "oidc":
      return `an OpenID Connect token of ${credentials.provider.issuerUrl}`;
  }
}

/** How quickly the server answers, and what time it has. */
export async function timeChecks(
  probe: Pick<ApiProbe, "read">,
  clock: Clock,
  { renewDeadlineMs }: Timing,
): Promise<Check[]> {
  try {
    const rounds: Timed[] = [];
    for (let i = 0; i < ROUNDS; i++) rounds.push(await probe.read("/version"));
    const nowMs = clock.wall();
    const sorted = rounds.map(({ ms }) => ms).toSorted((one, other) => one - other);
    const medianMs = sorted[Math.floor(ROUNDS / 2)] ?? 0, worstMs = sorted.at(-1) ?? 0;
    const deadline = `the renew deadline is ${renewDeadlineMs / 1000} s`;
    const fact = `median ${milliseconds(medianMs)}, worst ${
      milliseconds(worstMs)
    } of ${ROUNDS} requests; ${deadline}`;
    const trip: Check = medianMs * TRIES <= renewDeadlineMs ? { name: "round trip", state: "ok", fact } : {
      name: "round trip",
      state: "bad",
      fact,
      remedy: "set a longer --lease-duration and --renew-deadline, or find out why the server is slow",
    };
    return [trip, clockCheck(rounds.at(-1)?.headers.get("date"), nowMs)];
  } catch (error) {
    return [failed("round trip", error), untried("clock", "the server did not answer")];
  }
}

/** `Date` has whole seconds: half of one is added. */
function clockCheck(date: string | null | undefined, nowMs: number): Check {
  const serverMs = Date.parse(date ?? "") + 500;
  const name = "clock";
  if (Number.isNaN(serverMs)) return untried(name, "the server does not tell the time");
  const aheadMs = serverMs - nowMs;
  if (Math.abs(aheadMs) < 2_000) return { name, state: "ok", fact: "agrees with the server's within 2 s" };
  const which = aheadMs > 0 ? "behind" : "ahead of";
  return {
    name,
    state: "note",
    fact:
      `${
        formatAge(Math.abs(aheadMs))
      } ${which} the server's, which is harmless: klatch compares no times of ` +
      "different machines; only the ages that klatch status shows are off",
  };
}

function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

function saidBy(text: string, status: number): string {
  const { message } = parseStatus(text);
  return `HTTP ${status}${message === "" ? "" : `, ${message}`}`;
}
