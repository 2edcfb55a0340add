/**
 * The way between klatch and the API server, with all that goes wrong on it: messages that take long, get lost, come
 * after nobody waits for them any more; answers that say that nothing was done, or that get lost after it was.
 *
 * It stands where the real transport stands, so that klatch's own client, with its retries and deadlines, is what
 * deals with it.
 *
 * @module
 */
import { KlatchError } from "../../lib/errors.ts";
import {
  LostAnswer,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from "../../lib/kube/transport.ts";
import type { Run } from "./facts.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Fault } from "./scenario.ts";
import type { ApiServer, ServerAnswer } from "./server.ts";
import type { Timeline } from "./timeline.ts";
import { isWatch, response, status, VERBS } from "./messages.ts";
import { WatchBody } from "./watch_body.ts";

/** A request that gets through late comes within this time; one in a partition, when that ends. */
const LATEST_MS = 8_000;
/** The server asks for at most this many seconds of patience. */
const LONGEST_RETRY_AFTER_S = 3;
/** How long the server may be busy with a patch. */
const SLOWEST_PATCH_MS = 30;
/** How likely a message fault is for one message, at full strength. */
const LIKELIHOOD = 0.4;

/** What the network is made of. */
export interface NetworkParts {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly server: ApiServer;
  /** How long a message takes at most, if nothing is wrong with it. */
  readonly latencyMs: () => number;
  /** How long a message takes at least: half of a round trip. */
  readonly leastLatencyMs: number;
  /** How strong a fault is now, from 0 to 1. */
  readonly strength: (fault: Fault) => number;
  /** A request leaves. */
  readonly onSend: (run: Run, writes: boolean) => void;
  readonly trace: (who: string, what: string) => void;
}

/** One end of the network: a process of klatch. */
export interface Peer {
  readonly run: Run;
  readonly process: Process;
}

/** What is wrong between the machines and the server now. */
export interface Conditions {
  /** Machines that no message reaches or leaves, by name. */
  readonly cutOff: Set<string>;
  /** Verbs that are not granted to a machine's klatch, by machine name. */
  readonly denied: Map<string, ReadonlySet<string>>;
  /** Machines whose Role never had the verb patch, by name. */
  readonly patchless: Set<string>;
  /** What the server answers to everything, and what to writes. */
  throttled: ServerAnswer | undefined;
  refused: ServerAnswer | undefined;
  /** What becomes of watches that are opened now: nothing comes, or they end at once. */
  silent: "quiet" | "ending" | undefined;
  /** The server is down. */
  down: boolean;
}

/** The network. */
export class Network {
  readonly parts: NetworkParts;
  readonly conditions: Conditions = {
    cutOff: new Set(),
    denied: new Map(),
    patchless: new Set(),
    throttled: undefined,
    refused: undefined,
    silent: undefined,
    down: false,
  };
  /** Watches that are open. */
  readonly watches: Set<WatchBody> = new Set();
  readonly #held: { readonly machine: string; readonly arrive: () => void }[] = [];

  constructor(parts: NetworkParts) {
    this.parts = parts;
  }

  /** The way to the server for one process. */
  transportOf(peer: Peer): Transport {
    return {
      server: "https://simulated",
      request: (request) => this.#request(peer, request),
      reset() {},
      close() {},
    };
  }

  /** A machine is reached again; what was held back on the way arrives, in any order. */
  reconnect(machine: string): void {
    this.conditions.cutOff.delete(machine);
    for (const held of this.#held.splice(0)) {
      if (held.machine !== machine) this.#held.push(held);
      else this.parts.timeline.after(this.latency(), held.arrive);
    }
  }

  /** How long a message takes. */
  latency(): number {
    const { random, latencyMs, leastLatencyMs } = this.parts;
    if (this.happens("slow")) return random.between(0, LATEST_MS / 4);
    return random.between(leastLatencyMs, Math.max(leastLatencyMs, latencyMs()));
  }

  /** Whether a fault hits this message. */
  happens(fault: Fault): boolean {
    const strength = this.parts.strength(fault);
    return strength > 0 && this.parts.random.chance(strength * LIKELIHOOD);
  }

  #request(peer: Peer, request: TransportRequest): Promise<TransportResponse> {
    return new Promise((resolve, reject) => {
      const { signal, method } = request;
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      this.parts.onSend(peer.run, method !== "GET");
      this.#carry(peer, request, {
        resolve: (response) => peer.process.deliver(() => resolve(response)),
        reject: (error) => peer.process.deliver(() => reject(error)),
      });
    });
  }

  #carry(peer: Peer, request: TransportRequest, reply: Reply): void {
    const { timeline, random, trace } = this.parts;
    const { name, machine } = peer.run;
    const what = `${request.method}${isWatch(request) ? " watch" : ""}`;
    const sentMs = timeline.nowMs;
    const arrive = () => this.#process(request, () => this.#arrive(peer, request, sentMs, reply));
    trace(name, `sends ${what}`);
    if (this.conditions.cutOff.has(machine.name)) {
      if (random.chance(0.4)) {
        const error = new KlatchError("unreachable", "simulated: no route to the server");
        timeline.after(1, () => reply.reject(error));
      } else if (random.chance(0.5)) this.#held.push({ machine: machine.name, arrive });
    } else if (this.happens("request lost")) {
      trace(name, `${what} gets lost`);
    } else if (this.happens("request late")) {
      timeline.after(random.between(0, LATEST_MS), arrive);
    } else timeline.after(this.latency(), arrive);
  }

  /**
   * The server reads the object, applies a patch and writes. If others have written meanwhile, it applies the patch anew,
   * tests included: what counts is the object at the end, which may come late.
   */
  #process(request: TransportRequest, arrive: () => void): void {
    const { timeline, random } = this.parts;
    if (request.method !== "PATCH" || random.chance(0.5)) return arrive();
    timeline.after(random.between(0, SLOWEST_PATCH_MS), arrive);
  }

  #arrive(peer: Peer, request: TransportRequest, sentMs: number, reply: Reply): void {
    const { timeline, trace } = this.parts;
    const { name, machine } = peer.run;
    const watch = isWatch(request);
    if (this.conditions.down && this.parts.random.chance(0.5)) {
      timeline.after(this.latency(), () => reply.reject(new LostAnswer("simulated: connection reset")));
      return;
    }
    const refusal = this.#refusal(peer, request);
    if (watch && refusal === undefined) return this.#openWatch(peer, request, reply);
    const answer = refusal ?? this.#answer(peer, request, sentMs);
    trace("server", `answers ${name}'s ${request.method}: ${answer.status}`);
    const late = refusal === undefined && this.happens("5xx after commit") ? status(504, "Timeout") : answer;
    if (this.conditions.cutOff.has(machine.name)) return;
    if (this.happens("answer lost")) return trace("server", `the answer to ${name} gets lost`);
    timeline.after(this.latency(), () => {
      if (this.happens("answer broken")) reply.reject(new LostAnswer("simulated: the connection broke"));
      else reply.resolve(response(late));
    });
  }

  #answer(peer: Peer, request: TransportRequest, sentMs: number): ServerAnswer {
    const { server } = this.parts;
    if (request.method === "GET" && this.#isFirst(peer) && this.happens("stale first read")) {
      return server.handleStale(request);
    }
    this.#commitSentMs = sentMs;
    const answer = server.handle(request, peer.run);
    // What it has written itself it does not fail to see.
    if (request.method !== "GET" && answer.status < 300) this.#known.add(peer);
    return answer;
  }

  /** When the write that is being committed was sent. */
  get commitSentMs(): number {
    return this.#commitSentMs;
  }
  #commitSentMs = 0;

  readonly #known = new WeakSet<Peer>();

  #isFirst(peer: Peer): boolean {
    const first = !this.#known.has(peer);
    this.#known.add(peer);
    return first;
  }

  /** The server's refusal to do anything. */
  #refusal(peer: Peer, request: TransportRequest): ServerAnswer | undefined {
    const { random } = this.parts;
    const verb = isWatch(request) ? "watch" : VERBS[request.method] ?? "get";
    if (this.conditions.down) return status(503, "ServiceUnavailable");
    if (this.conditions.throttled !== undefined) return this.conditions.throttled;
    if (this.conditions.refused !== undefined && request.method !== "GET") return this.conditions.refused;
    if (this.conditions.denied.get(peer.run.machine.name)?.has(verb)) return status(403, "Forbidden");
    if (verb === "patch" && this.conditions.patchless.has(peer.run.machine.name)) {
      return status(403, "Forbidden");
    }
    if (this.happens("429")) {
      const answer = status(429, "TooManyRequests");
      const seconds = String(random.below(LONGEST_RETRY_AFTER_S + 1));
      return random.chance(0.5) ? answer : { ...answer, headers: { "Retry-After": seconds } };
    }
    if (this.happens("5xx")) return status(random.pick([500, 503]), "InternalError");
    return undefined;
  }

  #openWatch(peer: Peer, request: TransportRequest, reply: Reply): void {
    const body = new WatchBody(this, peer, request);
    if (this.conditions.silent === "quiet") body.stall();
    if (this.conditions.silent === "ending") body.drop(false);
    this.parts.timeline.after(this.latency(), () => {
      reply.resolve({ ...response({ status: 200, text: "" }), body: body.stream });
    });
  }
}

interface Reply {
  resolve(response: TransportResponse): void;
  reject(error: unknown): void;
}
