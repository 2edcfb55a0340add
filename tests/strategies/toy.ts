/**
 * A toy strategy, to show what a new one takes: this file, and one line in a catalog. One holder and a queue, in a
 * ConfigMap's data.
 *
 * @module
 */
import type { Change, ConfigMap, Holder, IsExpired, KubeObject } from "../../lib/lock.ts";
import type { RecordState, Strategy } from "../../lib/lock.ts";
import { type Capacity, mayEnter, notSkipped, type Place, waitersOf } from "../../lib/strategies/queue.ts";
import { Fields, instant, labelled } from "../../lib/strategies/record_fields.ts";
import type { Case } from "../contract/cases.ts";

const KEY = "toy";

interface Held {
  readonly identity: string;
  readonly nonce?: string | undefined;
  readonly since: string;
  readonly durationMs: number;
  readonly renewals: number;
  readonly reason?: string | undefined;
}

interface Toy {
  readonly held?: Held | undefined;
  readonly queue: readonly Place[];
}

interface ToyState extends RecordState {
  readonly toy: Toy;
}

/** The strategy. */
export const toy: Strategy<ToyState> = {
  name: "toy",
  resource: { apiVersion: "v1", kind: "ConfigMap", plural: "configmaps" },
  rank: 99,
  verbs: ["get", "create", "update", "watch"],
  options: [{
    name: "colour",
    check: (value) => value === "red" ? undefined : "red",
    flags: [{ name: "colour", value: "NAME", help: "any colour so long as it is red", read: (text) => text }],
  }],
  keeps: (object) => (object as ConfigMap).data?.[KEY] !== undefined,
  parse(object) {
    const toy = object === undefined ? { queue: [] } : toyIn(object);
    return { object, toy, holders: toy.held === undefined ? [] : [holderOf(toy.held)], slots: 1 };
  },
  waiters: (state, isExpired) => waitersOf(state.toy.queue, capacityOf(state, isExpired)),
  claim(state, lock, me, isExpired, wallMs) {
    const { object, toy: { held, queue } } = state;
    const { identity, nonce, leaseDurationMs: durationMs, reason } = me;
    const since = instant(wallMs);
    const at = queue.findIndex((place) => place.nonce === nonce);
    const mine = queue[at] ?? { identity, nonce, since };
    const capacity = capacityOf(state, isExpired);
    const before = notSkipped(at < 0 ? queue : queue.slice(0, at), capacity, isExpired);
    const base = labelled(object ?? { apiVersion: "v1", kind: "ConfigMap", metadata: { ...lock } }, me);
    if (mayEnter(before, mine, capacity)) {
      const held = { identity, nonce, since, durationMs, renewals: 0, reason };
      return { kind: "acquire", object: withToy(base, { held, queue: at < 0 ? [] : queue.slice(at + 1) }) };
    }
    return at >= 0
      ? { kind: "wait" }
      : { kind: "join", object: withToy(base, { held, queue: [...queue, mine] }) };
  },
  renew(state, me) {
    const { held, queue } = state.toy;
    if (held?.nonce !== me.nonce) return { kind: "lost" };
    return changed(state, { held: { ...held, renewals: held.renewals + 1 }, queue });
  },
  release: without,
  evict: without,
};

function without(state: ToyState, me: { readonly nonce: string | undefined }): Change {
  const { held, queue } = state.toy;
  if (held?.nonce === me.nonce) return changed(state, { queue });
  const left = queue.filter(({ nonce }) => nonce !== me.nonce);
  return left.length === queue.length ? { kind: "lost" } : changed(state, { held, queue: left });
}

function capacityOf({ holders: [holder] }: ToyState, isExpired: IsExpired): Capacity {
  const idle = holder === undefined || isExpired(holder);
  return { free: idle ? 1 : 0, idle, period: holder?.fingerprint ?? "" };
}

function changed({ object }: ToyState, toy: Toy): Change {
  return object === undefined ? { kind: "lost" } : { kind: "write", object: withToy(object, toy) };
}

function toyIn(object: KubeObject): Toy {
  const fields = Fields.parse(object, `data.${KEY}`, (object as ConfigMap).data?.[KEY] ?? "{}");
  const held = fields.maybe("held");
  return {
    held: held && {
      identity: held.text("identity"),
      nonce: held.maybeText("nonce"),
      since: held.text("since"),
      durationMs: held.whole("durationMs", 1),
      renewals: held.whole("renewals", 0),
      reason: held.maybeText("reason"),
    },
    queue: fields.list("queue").map((place) => ({
      identity: place.text("identity"),
      nonce: place.text("nonce"),
      since: place.text("since"),
    })),
  };
}

function holderOf({ identity, nonce, durationMs, since, renewals, reason }: Held): Holder {
  const fingerprint = JSON.stringify([identity, nonce, since, renewals]);
  return { identity, nonce, leaseDurationMs: durationMs, since, renewed: undefined, reason, fingerprint };
}

function withToy(object: KubeObject, toy: Toy): ConfigMap {
  return { ...object, data: { ...(object as ConfigMap).data, [KEY]: JSON.stringify(toy) } };
}

let ticks = 0;

/** What the contract needs to know of it: here, what a script writes that keeps the same record without nonces. */
export const toyCase: Case = {
  strategy: toy,
  elder: "a script",
  hasQueue: true,
  held: (lock, holder, durationMs) => withToy(made(lock), { held: scripted(holder, durationMs), queue: [] }),
  seized: (object, holder, durationMs) =>
    withToy(object, { ...toyIn(object), held: scripted(holder, durationMs) }),
  released: (object) => withToy(object, { queue: toyIn(object).queue }),
  broken: (lock) => ({
    object: withToy(made(lock), { held: { identity: "x", since: "" } as Held, queue: [] }),
    field: `data.${KEY}.held.durationMs`,
  }),
};

function made(lock: { readonly namespace: string; readonly name: string }): KubeObject {
  const metadata = { ...lock, labels: { team: "elder" }, annotations: { "example.com/note": "keep me" } };
  return { apiVersion: "v1", kind: "ConfigMap", metadata };
}

function scripted(identity: string, durationMs: number): Held {
  return { identity, durationMs, since: instant(Date.now()), renewals: ++ticks };
}
