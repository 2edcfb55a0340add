/**
 * Faults of the network: a TCP proxy between the holder and the API server, or between the waiters and it, or between
 * all of them and it, that stalls, loses, delays, resets and refuses. Each fault has a lock and a proxy of its own, so
 * several are played at a time.
 *
 * @module
 */

import { after, before, describe, it } from "@std/testing/bdd";
import { type ControlPlane, sharedControlPlane } from "../support/control_plane.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import { sleep } from "../support/waiting.ts";
import { AT_ONCE, atMost, noChaos, openAll, pastTheLease } from "./faults.ts";
import { type Cast, type CommandProfile, type Scene, SLOW, type Timing } from "./scene.ts";
import { judge } from "./verdict.ts";

/** Whose way to the API server leads through the proxy. */
type Whose = "the holder" | "the waiters" | "all contenders";

interface Fault {
  readonly whose: Whose;
  readonly fault: string;
  readonly outcome: "lost" | "kept";
  readonly profile?: CommandProfile;
  /** The holder's and the waiters'; quick ones if not given. */
  readonly timing?: Timing;
  /** Why it is not tested for now. */
  readonly pending?: string;
  /** Begins the fault; what goes on by itself ends when the signal aborts. */
  readonly strike: (proxy: TcpProxy, healed: AbortSignal) => Promise<void> | void;
}

const stalled = (proxy: TcpProxy) => proxy.set("stall");
const refused = async (proxy: TcpProxy) => {
  await proxy.refuse();
  proxy.reset();
};
const resets = (proxy: TcpProxy, healed: AbortSignal) => {
  const timer = setInterval(() => proxy.reset(), 1_000);
  healed.addEventListener("abort", () => clearInterval(timer));
  proxy.reset();
};

const STALL = "traffic is held back for a while, then delivered";
const SWALLOW = "all packets are dropped silently, on new connections too";
const REFUSE = "connections are reset, new ones are refused";
const RESETS = "all connections are reset every second";

const FAULTS: readonly Fault[] = [
  { whose: "the holder", fault: STALL, outcome: "lost", strike: stalled },
  { whose: "the holder", fault: STALL, outcome: "lost", profile: "stubborn", strike: stalled },
  {
    whose: "the holder",
    fault: "requests are held back for a while, answers are not",
    outcome: "lost",
    strike: (proxy) => proxy.set("stall", ["up"]),
  },
  {
    whose: "the holder",
    fault: "answers are held back for a while, requests are not",
    outcome: "lost",
    strike: (proxy) => proxy.set("stall", ["down"]),
  },
  { whose: "the holder", fault: SWALLOW, outcome: "lost", strike: (proxy) => proxy.set("swallow") },
  {
    whose: "the holder",
    fault: "half-open connections: dead, but not closed; new ones work",
    outcome: "kept",
    strike: (proxy) => proxy.abandon(),
  },
  {
    whose: "the holder",
    fault: "200 ms of latency in each direction",
    outcome: "kept",
    timing: SLOW,
    strike: (proxy) => proxy.delay(200),
  },
  {
    whose: "the holder",
    fault: "3 s of latency in each direction",
    outcome: "lost",
    strike: (proxy) => proxy.delay(3_000),
  },
  { whose: "the holder", fault: RESETS, outcome: "kept", strike: resets },
  { whose: "the holder", fault: REFUSE, outcome: "lost", strike: refused },
  { whose: "the waiters", fault: STALL, outcome: "kept", strike: stalled },
  { whose: "the waiters", fault: SWALLOW, outcome: "kept", strike: (proxy) => proxy.set("swallow") },
  {
    whose: "the waiters",
    fault: "3 s of latency in each direction",
    outcome: "kept",
    strike: (proxy) => proxy.delay(3_000),
  },
  { whose: "the waiters", fault: RESETS, outcome: "kept", strike: resets },
  { whose: "the waiters", fault: REFUSE, outcome: "kept", strike: refused },
  { whose: "all contenders", fault: STALL, outcome: "lost", strike: stalled },
  { whose: "all contenders", fault: REFUSE, outcome: "lost", strike: refused },
];

describe("a fault of the network", { skip: noChaos }, () => {
  let plane: ControlPlane;
  let played: Promise<void>[];
  before(async () => {
    plane = await sharedControlPlane();
    const namespace = await plane.freshNamespace("chaos");
    played = atMost(
      AT_ONCE,
      FAULTS.map((fault) => async () => {
        if (fault.pending === undefined) await play(fault, plane, namespace);
      }),
    );
  });
  after(() => plane.stop());

  for (const [i, { whose, fault, outcome, pending, profile = "plain" }] of FAULTS.entries()) {
    const what = outcome === "lost" ? "loses the hold and no more" : "does not cost the hold";
    it(`between ${whose} and the API server: ${fault}: ${what} (${profile} command)`, {
      skip: pending ?? false,
    }, () => played[i]);
  }
});

async function play(fault: Fault, plane: ControlPlane, namespace: string): Promise<void> {
  const proxy = await TcpProxy.start(plane.url);
  const file = await Deno.makeTempFile({ prefix: "klatch-chaos-" });
  const healed = new AbortController();
  const config = await proxy.kubeconfig(plane.admin, file);
  const cast: Cast = {
    plane,
    namespace,
    ...(fault.profile && { profile: fault.profile }),
    ...(fault.timing && { timing: fault.timing }),
    ...(fault.whose !== "the waiters" && { holderConfig: config }),
    ...(fault.whose !== "the holder" && { waiterConfig: config }),
  };
  try {
    await openAll([cast], async ([scene]) => {
      await fault.strike(proxy, healed.signal);
      await (fault.outcome === "lost" ? untilLost(scene, fault.whose) : untilSurvived(scene, fault.whose));
      const healedMs = Date.now();
      healed.abort();
      await proxy.heal();
      if (fault.outcome === "kept") {
        await scene.renewsAgain(healedMs);
        await scene.holder.closeStdin();
      }
      const section = `The network between ${fault.whose} and the API server`;
      await judge(scene, { section, ...fault });
    });
  } finally {
    healed.abort();
    await proxy.close();
    await Deno.remove(file);
  }
}

/** Where waiters are well, one takes over while the fault lasts. */
async function untilLost(scene: Scene, whose: Whose): Promise<void> {
  await pastTheLease(scene);
  if (whose === "the holder") await scene.somebodyElseEntered();
}

/** The fault outlasts a lease, and the holder renews all the time. */
async function untilSurvived(scene: Scene, whose: Whose): Promise<void> {
  await scene.renewsAgain();
  const { leaseMs } = scene.timing;
  await sleep(leaseMs + (whose === "the waiters" ? leaseMs / 2 : 0));
  await scene.renewsAgain();
}
