/**
 * The simulator's AbortController does what the runtime's own does, as far as klatch looks at it.
 *
 * @module
 */
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { LightController, LightSignal } from "./abort.ts";

/** Both, under the names that code under test knows. */
const KINDS = {
  "the runtime's own": { AbortController, AbortSignal },
  "the simulator's": {
    AbortController: LightController as unknown as typeof AbortController,
    AbortSignal: LightSignal as unknown as typeof AbortSignal,
  },
};

for (const [kind, { AbortController, AbortSignal }] of Object.entries(KINDS)) {
  describe(`an AbortController: ${kind}`, () => {
    it("aborts once, with the first reason", () => {
      const controller = new AbortController();
      let calls = 0;
      controller.signal.addEventListener("abort", () => calls++);
      assert(!controller.signal.aborted);
      assertEquals(controller.signal.reason, undefined);
      controller.signal.throwIfAborted();
      const reason = new Error("first");
      controller.abort(reason);
      controller.abort(new Error("second"));
      assertStrictEquals(controller.signal.reason, reason);
      assertThrows(() => controller.signal.throwIfAborted(), Error, "first");
      assertEquals(calls, 1);
    });

    it("gives an AbortError where no reason is given, the same to all", () => {
      const controller = new AbortController();
      const both = AbortSignal.any([controller.signal]);
      controller.abort();
      assert(both.reason instanceof DOMException);
      assertEquals(both.reason.name, "AbortError");
      assertEquals(both.reason.message, "The signal has been aborted");
      assertStrictEquals(controller.signal.reason, both.reason);
      assertStrictEquals(controller.signal.reason, controller.signal.reason);
    });

    it("keeps a reason that is null", () => {
      assertEquals(AbortSignal.abort(null).reason, null);
      assert(AbortSignal.abort(null).aborted);
    });

    it("calls listeners in the order of entry, each but once, and none that is gone", () => {
      const controller = new AbortController();
      const { signal } = controller;
      const calls: string[] = [];
      const first = () => {
        calls.push("first");
        signal.removeEventListener("abort", second);
        signal.addEventListener("abort", () => calls.push("too late"));
        controller.abort();
      };
      const second = () => calls.push("second");
      const third = () => calls.push("third");
      signal.addEventListener("abort", first, { once: true });
      signal.addEventListener("abort", first, { once: true });
      signal.addEventListener("abort", second);
      signal.addEventListener("abort", third, { once: true });
      controller.abort();
      assertEquals(calls, ["first", "third"]);
    });

    it("aborts all that depend on a signal before it tells anybody, and tells them in the order of making", () => {
      const [one, other, third] = [new AbortController(), new AbortController(), new AbortController()];
      const inner = AbortSignal.any([one.signal, other.signal]);
      const outer = AbortSignal.any([third.signal, inner]);
      const calls: string[] = [];
      const signals = { outer, inner, other: other.signal, third: third.signal };
      for (const [name, signal] of Object.entries(signals)) {
        signal.addEventListener("abort", () => {
          calls.push(`${name}: ${Object.values(signals).map(({ aborted }) => Number(aborted)).join("")}`);
        });
      }
      other.abort("why");
      one.abort();
      third.abort();
      assertEquals(calls, ["other: 1110", "inner: 1110", "outer: 1110", "third: 1111"]);
      assertEquals([outer.reason, inner.reason], ["why", "why"]);
    });

    it("has aborted from the beginning where one that it depends on has, with the first one's reason", () => {
      const late = new AbortController();
      const signal = AbortSignal.any([late.signal, AbortSignal.abort("a"), AbortSignal.abort("b")]);
      assertEquals(signal.reason, "a");
      late.abort("c");
      assertEquals(signal.reason, "a");
      assert(!AbortSignal.any([]).aborted);
    });
  });
}
