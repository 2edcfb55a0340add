/**
 * Holds of `klatch as kube-lock` beside the older tool, which writes back what it read before.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { holdByName, nonceOf, unlocked } from "../../lib/cli/compat/kube_lock_hold.ts";
import { type KubeObject, viewOf } from "../../lib/lock.ts";
import { semaphore } from "../../lib/strategies/semaphore.ts";
import { OURS, recordIn } from "../contract/semaphore_cases.ts";
import { contender } from "../support/steps.ts";

const lock = { namespace: "ns", name: "pool" };
const WALL = Date.UTC(2026, 0, 1);
const MAX = 2;

/** The ConfigMap after `klatch as kube-lock` has taken a slot. */
function locked(object: KubeObject | undefined, name: string): KubeObject {
  const strategy = holdByName({ name, reason: "", slots: MAX, create: true });
  const me = { identity: name, nonce: nonceOf(name), leaseDurationMs: 15_000, labels: {} };
  const claim = strategy.claim(strategy.parse(object), lock, me, () => false, WALL);
  assert(claim.kind === "acquire", claim.kind);
  return claim.object;
}

type Holders = Record<string, { date: string; reason: string }>;

/** The older tool's write: what it read, changed, over whatever is there. */
function overwritten(now: KubeObject, read: KubeObject, change: (holders: Holders) => void): KubeObject {
  const { max, holders }: { max: number; holders: Holders } = structuredClone(recordIn(read)) as never;
  change(holders);
  const annotations = { ...now.metadata.annotations, "kube-lock": JSON.stringify({ max, holders }) };
  return { ...now, metadata: { ...now.metadata, annotations } };
}

const adds = (name: string) => (holders: Holders) => {
  holders[name] = { date: "2026-01-01T00:00:09Z", reason: "" };
};
const removes = (name: string) => (holders: Holders) => {
  delete holders[name];
};

const names = (object: KubeObject) =>
  viewOf(semaphore, object).holders.map(({ identity }) => identity).sort();
const stated = (object: KubeObject) => Object.keys((recordIn(object) as { holders: Holders }).holders).sort();

/** An empty semaphore, as the older tool creates it. */
const EMPTY = ((): KubeObject => {
  const metadata = { ...lock, annotations: { "kube-lock": `{"max":${MAX},"holders":{}}` } };
  return { apiVersion: "v1", kind: "ConfigMap", metadata };
})();

describe("a hold of klatch as kube-lock", () => {
  it("counts though an older client drops it, and is restored with klatch's next write", () => {
    const mine = locked(EMPTY, "a");
    const dropped = overwritten(mine, EMPTY, adds("old"));
    assertEquals([stated(dropped), names(dropped)], [["old"], ["a", "old"]]);
    const claim = semaphore.claim(semaphore.parse(dropped), lock, contender("x"), () => false, WALL);
    assert(claim.kind === "join", "both slots are in use");
    assertEquals([stated(claim.object), names(claim.object)], [["a", "old"], ["a", "old"]]);
  });

  it("counts though an older client drops it while it unlocks another name", () => {
    const before = overwritten(EMPTY, EMPTY, adds("old"));
    const dropped = overwritten(locked(before, "a"), before, removes("old"));
    assertEquals([stated(dropped), names(dropped)], [[], ["a"]]);
  });

  it("counts beside another of its kind when both are dropped", () => {
    const dropped = overwritten(locked(locked(EMPTY, "a"), "b"), EMPTY, adds("old"));
    assertEquals(names(dropped), ["a", "b", "old"]);
  });

  it("is still known to a second request under its name, and unlocked by it", () => {
    const dropped = overwritten(locked(EMPTY, "a"), EMPTY, adds("old"));
    assertEquals(names(locked(dropped, "a")), ["a", "old"]);
    const free = unlocked(dropped, "a");
    assert(free !== undefined);
    assertEquals([stated(free), names(free)], [["old"], ["old"]]);
    assertEquals(unlocked(free, "a"), undefined);
  });

  it("is over when the older tool unlocks its name", () => {
    const alone = locked(EMPTY, "a");
    assertEquals(names(overwritten(alone, alone, removes("a"))), []);
    const both = locked(locked(EMPTY, "a"), "b");
    assertEquals(names(overwritten(both, both, removes("a"))), ["b"]);
    const queued = semaphore.claim(semaphore.parse(both), lock, contender("x"), () => false, WALL);
    assert(queued.kind === "join");
    const free = overwritten(queued.object, queued.object, removes("a"));
    const next = semaphore.claim(semaphore.parse(free), lock, contender("x"), () => false, WALL);
    assert(next.kind === "acquire");
    assertEquals(names(next.object), ["b", "id-x"]);
  });

  it("is over at the second unlock if an older client came in between, since klatch restores the name", () => {
    const mine = locked(EMPTY, "a");
    const both = overwritten(mine, mine, adds("old"));
    const left = overwritten(both, both, removes("a"));
    assertEquals(names(left), ["a", "old"]);
    const claim = semaphore.claim(semaphore.parse(left), lock, contender("x"), () => false, WALL);
    assert(claim.kind === "join");
    assertEquals(names(overwritten(claim.object, claim.object, removes("a"))), ["old"]);
  });

  it("is counted once when its name is taken anew by an older client", () => {
    const mine = locked(EMPTY, "a");
    assertEquals(names(overwritten(mine, EMPTY, adds("a"))), ["a"]);
  });

  it("leaves klatch's annotation as it was when it is unlocked", () => {
    const free = unlocked(locked(EMPTY, "a"), "a");
    const ours = JSON.parse(free?.metadata.annotations?.[OURS] ?? "{}");
    assertEquals([ours.named, ours.holders], [undefined, []]);
    assertEquals(recordIn(free as KubeObject), { max: MAX, holders: {} } as never);
  });
});
