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
  /** Text that is there exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** All of them. */
export const mutants: readonly Mutant[] = [
  {
    name: "updates are patches without a resourceVersion",
    file: "lib/kube/client.ts",
    find: `return write("update", ref, "PUT", objectPath(ref), object, options);`,
    replace: `const { resourceVersion: _, uid: __, ...metadata } = object.metadata;
      return write("update", ref, "PATCH", objectPath(ref), { ...object, metadata }, options);`,
  },
  {
    name: "deletes have no preconditions",
    file: "lib/kube/client.ts",
    find: `kind: "DeleteOptions", preconditions };`,
    replace: `kind: "DeleteOptions", preconditions: undefined && preconditions };`,
  },
  {
    name: "another machine's wall clock is trusted",
    file: "lib/session/acquire.ts",
    find: `this.#observer.isExpired, clock.wall()`,
    replace:
      `(holder) => Date.parse(holder.renewed ?? "") + (holder.leaseDurationMs ?? 0) <= clock.wall(), clock.wall()`,
  },
  {
    name: "a hold is taken over one retry early",
    file: "lib/session/acquire.ts",
    find: `this.#observer.isExpired, clock.wall()`,
    replace:
      `(holder) => this.#observer.isExpired(holder.leaseDurationMs === undefined ? holder : { ...holder, leaseDurationMs: holder.leaseDurationMs - this.#request.timing.retryPeriodMs }), clock.wall()`,
  },
  {
    name: "another's hold is timed by our own duration, not by the one in its record",
    file: "lib/session/acquire.ts",
    find: `this.#observer.isExpired, clock.wall()`,
    replace:
      `(holder) => this.#observer.isExpired({ ...holder, leaseDurationMs: me.leaseDurationMs }), clock.wall()`,
  },
  {
    name: "after waiting, the hold is taken for expired without another look",
    file: "lib/session/acquire.ts",
    find: `if (claim.kind === "wait") object = await this.#wait(object, view);`,
    replace: `if (claim.kind === "wait") {
        object = await this.#wait(object, view);
        const blind = strategy.claim(object, lock, me, () => true, clock.wall());
        if (blind.kind === "acquire") object = await this.#claim(object, blind.object, view);
      }`,
  },
  {
    name: "a lost answer to a claim is taken for success",
    file: "lib/session/acquire.ts",
    find: `    if (outcome.kind === "done") {
      for (const from`,
    replace: `    if (outcome.kind === "unknown") return claimed;
    if (outcome.kind === "done") {
      for (const from`,
  },
  {
    name: "a poll that shows nothing new puts the claim off",
    file: "lib/session/acquire.ts",
    find: `news?.metadata.resourceVersion !== object?.metadata.resourceVersion`,
    replace: `news !== object`,
  },
  {
    name: "a lost answer to a renewal is taken for failure",
    file: "lib/session/keep.ts",
    find: `else if (outcome.kind === "gone") this.#overtaken`,
    replace: `else if (outcome.kind === "gone" || outcome.kind === "unknown") this.#overtaken`,
  },
  {
    name: "a lost answer to a renewal is taken for success",
    file: "lib/session/keep.ts",
    find: `if (outcome.kind === "done") this.#renewed(outcome.object, sentMs);`,
    replace: `if (outcome.kind === "done") this.#renewed(outcome.object, sentMs);
      else if (outcome.kind === "unknown") this.#renewed(this.#object, sentMs);`,
  },
  {
    name: "renewals go on after the loss",
    file: "lib/session/keep.ts",
    find: `    while (!this.#over) {
      await clock.sleep(atMs - clock.awakeOrNot(), this.#stopped.signal);
      if (this.#over) return;`,
    replace: `    while (!this.#stopped.signal.aborted) {
      await clock.sleep(atMs - clock.awakeOrNot(), this.#stopped.signal);
      if (this.#stopped.signal.aborted) return;`,
  },
  {
    name: "a hold that is lost is given back all the same",
    file: "lib/session/keep.ts",
    find: `    this.#lost.signal.throwIfAborted();\n`,
    replace: "",
  },
  {
    name: "the deadline is looked at by a timer only, which stands still while the machine is suspended",
    file: "lib/session/keep.ts",
    find: `await clock.sleep(Math.min(leftMs, CHECK_EVERY_MS), this.#stopped.signal);`,
    replace: `await clock.sleep(leftMs, this.#stopped.signal);`,
  },
  {
    name: "the fencing token is leaseTransitions",
    file: "lib/session/keep.ts",
    find: `const token = object.metadata.resourceVersion ?? "";`,
    replace:
      `const token = String(Number((object["spec"] as Record<string, unknown>)["leaseTransitions"]) + 1);`,
  },
  {
    name: "a hold counts from the answer to its renewal, not from the request",
    file: "lib/session/write.ts",
    find: `return { outcome, sentMs };`,
    replace: `return { outcome, sentMs: clock.awakeOrNot() };`,
  },
  {
    name: "whatever carries our nonce is ours, whoever wrote it",
    file: "lib/session/ledger.ts",
    find: `return stamp === undefined ? undefined : this.#sentMs.get(stamp);`,
    replace: `return stamp === undefined ? undefined : Math.max(...this.#sentMs.values());`,
  },
  {
    name: "KILL comes when the lease has already expired",
    file: "lib/session/timing.ts",
    find: `const KILL_PART = 0.9;`,
    replace: `const KILL_PART = 1.1;`,
  },
  {
    name: "identity alone decides who holds",
    file: "lib/strategies/election.ts",
    find: `if (holder !== undefined && !isExpired(holder)) return`,
    replace: `if (holder !== undefined && holder.identity !== me.identity && !isExpired(holder)) return`,
  },
  {
    name: "renewals by others are not seen",
    file: "lib/strategies/election.ts",
    find: `        note?.renewed,
        renewTime,`,
    replace: "",
  },
  {
    name: "the recorded duration is rounded down",
    file: "lib/strategies/election.ts",
    find: `Math.ceil(me.leaseDurationMs / 1000)`,
    replace: `Math.floor(me.leaseDurationMs / 1000)`,
  },
  {
    name: "the lock is given back before the command is dead",
    file: "lib/process/run.ts",
    find: `    await this.#untilGone();
    const { code`,
    replace: `    if (this.#stopping.signal.aborted) return { status: 143 };
    await this.#untilGone();
    const { code`,
  },
  {
    name: "a command that ignores TERM is left alone",
    file: "lib/process/run.ts",
    find: `this.#stop(Math.min(this.#now() + least, killAt?.() ?? Infinity));`,
    replace: `this.#stop(Infinity && this.#now() + least + Number(killAt?.() ?? 0));`,
  },
];
