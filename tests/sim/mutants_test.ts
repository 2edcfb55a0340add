/**
 * The simulator finds every deliberate fault within a number of seeds.
 *
 * @module
 */
import { assert, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { mutants } from "./mutants.ts";
import { hunt, mutated, type Verdict } from "./mutate.ts";

/** Each is found among the seeds from 1 to this one. */
const WITHIN = 1_500;

/** So many are hunted at a time, each with one thread. */
let free = navigator.hardwareConcurrency;
const queue: (() => void)[] = [];

async function turn(hunting: () => Promise<Verdict>): Promise<Verdict> {
  if (free-- <= 0) await new Promise<void>((go) => queue.push(go));
  try {
    return await hunting();
  } finally {
    free++;
    queue.shift()?.();
  }
}

describe(`the simulator finds within ${WITHIN} seeds that`, { concurrency: true }, () => {
  for (const mutant of mutants) {
    it(mutant.name, async () => {
      const { seed } = await turn(() => hunt(mutant, WITHIN));
      assert(seed !== undefined, `${mutant.name}: survives ${WITHIN} seeds`);
    });
  }
});

describe("a mutant", () => {
  it("that finds no place in the code any more fails", () => {
    const mutant = { name: "m", file: "f", edits: [{ find: "a", replace: "b" }] };
    assertThrows(() => mutated(mutant, "xyz"), Error, "0 times");
    assertThrows(() => mutated(mutant, "aa"), Error, "2 times");
  });
});
