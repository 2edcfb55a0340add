/**
 * Deliberate faults, most of them those of the tools that klatch replaces. Each is put into the real code, and the
 * simulator has to find it.
 *
 * @module
 */

/** A fault and where to put it. */
export interface Mutant {
  /** The fault. */
  readonly name: string;
  /** The file, from the project's root. */
  readonly file: string;
  /** The strategy that shows it; without one, `lease`. */
  readonly strategy?: string;
  /** Text that is there exactly once, and what stands there instead. */
  readonly edits: readonly { readonly find: string; readonly replace: string }[];
}

/** All of them. */
export const mutants: readonly Mutant[] = [
  {
    name: "updates are patches without a resourceVersion",
    file: "lib/kube/client.ts",
    edits: [{
      find: `return write("update", ref, "PUT", objectPath(ref), object, options);`,
      replace: `const { resourceVersion: _, uid: __, ...metadata } = object.metadata;
      return write("update", ref, "PATCH", objectPath(ref), { ...object, metadata }, options);`,
    }],
  },
  {
    name: "patches test nothing",
    file: "lib/strategies/changed_fields.ts",
    edits: [{
      find: `return [...tests, ...changesOf(`,
      replace: `return [...tests.slice(0, 0), ...changesOf(`,
    }],
  },
  {
    name: "a release tests the identity alone",
    file: "lib/strategies/changed_fields.ts",
    edits: [{
      find: `return [...tests, ...changesOf`,
      replace: `return [...tests.filter(({ path }) => path.endsWith("/holderIdentity")), ...changesOf`,
    }],
  },
  {
    name: "a claim without a read does not test that nobody holds",
    file: "lib/strategies/election_changes.ts",
    edits: [{
      find: `const tests = [...FREE_TESTS, ...patchOf(free, held, [holder])];`,
      replace: `const tests = [...FREE_TESTS, ...patchOf(free, held, [holder]).slice(1)];`,
    }],
  },
  {
    name: "a claim without a read takes an object that is being deleted",
    file: "lib/strategies/changed_fields.ts",
    edits: [{
      find: `[{ op: "test", path: "/metadata/deletionTimestamp", value: null }];`,
      replace: "[];",
    }],
  },
  {
    name: "a claim without a read whose answer is lost is taken for refused",
    file: "lib/session/writes.ts",
    edits: [{
      find: `if (outcome?.kind === "unknown") return { kind: "unknown" };`,
      replace: `if (outcome?.kind === "unknown") sentWrites.settle({ ...strategy.parse(undefined) });`,
    }],
  },
  {
    name: "a semaphore's claim without a read tests klatch's mark alone",
    file: "lib/strategies/semaphore.ts",
    strategy: "shared",
    edits: [{
      find: `...patchOf(free, held, CLAIMED_FIELDS), `,
      replace:
        `...patchOf(free, held, CLAIMED_FIELDS.slice(0, 1)), ...changesOf(free, held, CLAIMED_FIELDS.slice(1)), `,
    }],
  },
  {
    name: "a semaphore's claim without a read does not test klatch's mark",
    file: "lib/strategies/semaphore.ts",
    strategy: "shared",
    edits: [{
      find: `...patchOf(free, held, CLAIMED_FIELDS), `,
      replace: `...patchOf(free, held, CLAIMED_FIELDS.slice(1)), `,
    }],
  },
  {
    name: "deletes have no preconditions",
    file: "lib/kube/client.ts",
    edits: [{
      find: `kind: "DeleteOptions", preconditions };`,
      replace: `kind: "DeleteOptions", preconditions: undefined && preconditions };`,
    }],
  },
  {
    name: "another machine's wall clock is trusted",
    file: "lib/session/expiry_tracker.ts",
    edits: [{
      find: `return seenMs + lastsMs;`,
      replace: `const renewed = Date.parse("renewed" in participant ? String(participant.renewed) : "");
    return this.#clock.monotonic() + renewed + lastsMs - this.#clock.wall();`,
    }],
  },
  {
    name: "a hold is taken over one retry early",
    file: "lib/session/expiry_tracker.ts",
    edits: [{
      find: `return seenMs + lastsMs;`,
      replace: `return seenMs + lastsMs - 500;`,
    }],
  },
  {
    name: "another's hold is timed by the waiter's own duration, not by the one in its record",
    file: "lib/session/acquire.ts",
    edits: [{
      find: `const expiryTracker = request.expiryTracker ?? new ExpiryTracker(clock);`,
      replace: `const expiryTracker = request.expiryTracker ?? new ExpiryTracker(clock);
    const { see } = ExpiryTracker.prototype;
    const { leaseDurationMs } = me;
    const mine = <P extends object>(participant: P) =>
      "turnMs" in participant ? participant : { ...participant, leaseDurationMs };
    expiryTracker.see = (strategy, state) =>
      see.call(expiryTracker, strategy, { ...state, holders: state.holders.map(mine) });
    const { isExpired } = expiryTracker;
    Object.assign(expiryTracker, { isExpired: (participant: object) => isExpired(mine(participant) as never) });`,
    }],
  },
  {
    name: "the time is counted from the first look at a holder, not from its last change",
    file: "lib/session/expiry_tracker.ts",
    edits: [{
      find: `const present = new Set([...holders, ...waiters].map(({ fingerprint }) => fingerprint));`,
      replace: `const present = new Set([...holders, ...waiters].map(({ fingerprint }) => fingerprint));
    for (const { fingerprint, since } of holders) {
      const key = String(since);
      if (this.#seenMs.has(key)) this.#seenMs.set(fingerprint, this.#seenMs.get(key) ?? 0);
      else this.#seenMs.set(key, this.#viewedMs);
      present.add(key);
    }`,
    }],
  },
  {
    name: "after waiting, the hold is taken for expired without another look",
    file: "lib/session/acquire.ts",
    edits: [{
      find:
        `      object = await waiting.next({ ...snapshot, view: { ...snapshot.view, note: claim.note } });`,
      replace:
        `      object = await waiting.next({ ...snapshot, view: { ...snapshot.view, note: claim.note } });
      const blind = strategy.claim(strategy.parse(object), lock, me, () => true, clock.wall());
      if (blind.kind === "acquire") object = await claims.claim({ ...snapshot, object }, { object: blind.object });`,
    }],
  },
  {
    name: "a lost answer to a claim is taken for success",
    file: "lib/session/writes.ts",
    edits: [{
      find: `    if (outcome.kind === "conflict") how.collided();`,
      replace:
        `    if (outcome.kind === "unknown" && how.sentWrites !== undefined) return { done: true, object: ways.object };
    if (outcome.kind === "conflict") how.collided();`,
    }],
  },
  {
    name: "a poll that shows nothing new puts the claim off",
    file: "lib/session/claims.ts",
    edits: [{
      find: `    if (isSame(next, object)) return undefined;`,
      replace: `    if (isSame(next, object) && next === object) return undefined;`,
    }],
  },
  {
    name: "a lost answer to a renewal is taken for failure",
    file: "lib/session/renewals.ts",
    edits: [{
      find: `else if (outcome.kind === "gone") hold.overtaken`,
      replace: `else if (outcome.kind === "gone" || outcome.kind === "unknown") hold.overtaken`,
    }],
  },
  {
    name: "a lost answer to a renewal is taken for success",
    file: "lib/session/renewals.ts",
    edits: [{
      find: `      if (outcome.kind === "done") {
        this`,
      replace: `      if (outcome.kind === "unknown") hold.renewed(before, sentMs);
      else if (outcome.kind === "done") {
        this`,
    }],
  },
  {
    name: "renewals go on after the loss",
    file: "lib/session/renewals.ts",
    edits: [
      {
        find: `while (!this.#over) {
      await clock.sleep(atMs`,
        replace: `while (!hold.stopped.aborted) {
      await clock.sleep(atMs`,
      },
      {
        find: `if (this.#over || hold.isLate()) return;`,
        replace: `if (hold.stopped.aborted) return;`,
      },
      { find: `invariant(!hold.lost.aborted, "a hold that is lost is not renewed");`, replace: "" },
      { find: `this.#patienceMs(), signal: hold.lost };`, replace: `this.#patienceMs() };` },
    ],
  },
  {
    name: "a hold that is lost is given back all the same",
    file: "lib/session/held_lock.ts",
    edits: [{
      find: `    this.#lost.signal.throwIfAborted();\n`,
      replace: "",
    }],
  },
  {
    name: "the deadline is on a clock that stands still while the machine is suspended",
    file: "lib/session/held_lock.ts",
    edits: [{
      find: `const nowMs = this.#request.clock.boottime();
    if (nowMs < this.deadlines().termAtMs)`,
      replace: `const nowMs = this.#request.clock.monotonic();
    if (nowMs < this.deadlines().termAtMs)`,
    }],
  },
  {
    name: "the fencing token is leaseTransitions",
    file: "lib/session/held_lock.ts",
    edits: [{
      find: `const token = object?.metadata.resourceVersion ?? "";`,
      replace:
        `const token = String(Number((object["spec"] as Record<string, unknown>)["leaseTransitions"]) + 1);`,
    }],
  },
  {
    name: "a hold counts from the answer to its renewal, not from the request",
    file: "lib/session/write.ts",
    edits: [{
      find: `return { outcome, sentMs, isPatch: false };`,
      replace: `return { outcome, sentMs: clock.boottime(), isPatch: false };`,
    }],
  },
  {
    name: "a hold with this nonce counts as held, whoever wrote it",
    file: "lib/session/sent_writes.ts",
    edits: [{
      find: `return fingerprint === undefined ? undefined : this.#sentMs.get(fingerprint);`,
      replace: `return fingerprint === undefined ? undefined : Math.max(...this.#sentMs.values());`,
    }],
  },
  {
    name: "KILL comes when the lease has already expired",
    file: "lib/session/deadlines.ts",
    edits: [{
      find: `const KILL_PART = 0.9;`,
      replace: `const KILL_PART = 1.1;`,
    }],
  },
  {
    name: "identity alone decides who holds",
    file: "lib/strategies/election.ts",
    edits: [{
      find: `holder !== undefined && !isExpired(holder)) {
    const joined`,
      replace: `holder !== undefined && holder.identity !== me.identity && !isExpired(holder)) {
    const joined`,
    }],
  },
  {
    name: "a waiter notes its place while another tool holds",
    file: "lib/strategies/election.ts",
    edits: [{
      find: ` || isForeign(holder) ?`,
      replace: ` || isForeign({ ...holder, nonce: "" }) ?`,
    }],
  },
  {
    name: "a waiter takes its place back while another tool holds",
    file: "lib/strategies/election_changes.ts",
    edits: [{
      find: `if (holder !== undefined && holder.nonce === undefined) return { kind: "lost" };`,
      replace: "",
    }],
  },
  {
    name: "renewals by others are not seen",
    file: "lib/strategies/election_record.ts",
    edits: [{
      find: `      note?.renewed,
      renewTime,`,
      replace: "",
    }],
  },
  {
    name: "the recorded duration is rounded down",
    file: "lib/strategies/election_line.ts",
    edits: [{
      find: `Math.ceil(leaseDurationMs / 1000)`,
      replace: `Math.floor(leaseDurationMs / 1000)`,
    }],
  },
  {
    name: "a hold that was handed over counts from a time at which it was not",
    file: "lib/session/writes.ts",
    edits: [{
      find: `this.#parts.sentWrites.joined(state, sentMs);`,
      replace: `this.#parts.sentWrites.joined(state, sentMs + 5_000);`,
    }],
  },
  {
    name: "the lock is handed over to a waiter that may have left",
    file: "lib/strategies/election_changes.ts",
    edits: [{
      find: `patchOfHold(storage, object, changed, fieldOfPlace(slot)) };`,
      replace: `[
    ...patchOfHold(storage, object, changed),
    { op: "add", path: "/metadata/annotations/" + fieldOfPlace(slot)[2]?.replace("/", "~1"), value: "" },
  ] };`,
    }],
  },
  {
    name: "the lock is given back before the command is dead",
    file: "lib/process/run.ts",
    edits: [{
      find: `    if (this.#stopping.signal.aborted || !await`,
      replace: `    if (this.#stopping.signal.aborted) return { status: 143 };
    if (this.#stopping.signal.aborted || !await`,
    }],
  },
  {
    name: "a command that ignores TERM is left alone",
    file: "lib/process/run.ts",
    edits: [{
      find: `this.#stop(Math.min(this.#now() + least, killAt?.() ?? Infinity));`,
      replace: `this.#stop(Infinity && this.#now() + least + Number(killAt?.() ?? 0));`,
    }],
  },
  {
    name: "a write that the server refuses is repeated without a pause",
    file: "lib/session/waiting.ts",
    edits: [{ find: `if (pauseMs === 0) return undefined;`, replace: `if (pauseMs >= 0) return undefined;` }],
  },
  {
    name: "a wait goes on after its time",
    file: "lib/session/waiting.ts",
    edits: [{
      find: `const leftMs = this.#parts.giveUpAtMs - clock.monotonic();`,
      replace: `const leftMs = this.#parts.giveUpAtMs + 60_000 - clock.monotonic();`,
    }],
  },
  {
    name: "a watch that tells nothing is relied upon",
    file: "lib/session/waiting.ts",
    edits: [{ find: `const LOOK_AFTER_MS = 18_000;`, replace: `const LOOK_AFTER_MS = Infinity;` }],
  },
  {
    name: "a lock is acquired in an object that is being deleted",
    file: "lib/session/acquire.ts",
    edits: [{
      find: `if (object?.metadata.deletionTimestamp !== undefined) {`,
      replace: `if (object?.metadata.deletionTimestamp === "never") {`,
    }],
  },
  {
    name: "a server that throttles is asked again without a pause",
    file: "lib/kube/backoff.ts",
    edits: [{
      find: `return Math.max(baseMs / 2 + random * baseMs / 2, askedMs * (1 + SPREAD * random));`,
      replace: `return askedMs > 0 ? askedMs : Math.min(1, baseMs + random);`,
    }],
  },
  {
    name: "the guard is not told of renewals",
    file: "lib/guarded_run.ts",
    edits: [{
      find: `if (event.kind === "renewed") guard?.deadline(event.deadlines);`,
      replace: "",
    }],
  },
  {
    name: "the guard only asks the command to end, and kills nothing",
    file: "lib/guard/policy.ts",
    edits: [{
      find: `const isKillDue = nowMs >= this.#killAtMs;`,
      replace: `const isKillDue = false;`,
    }],
  },
  {
    name: "the guard goes by the deadline that it was told first",
    file: "lib/guard/policy.ts",
    edits: [{
      find: `this.#killAtMs = told.killAtMs;`,
      replace: `this.#killAtMs = this.#killAtMs === Infinity ? told.killAtMs : this.#killAtMs;`,
    }],
  },
];
