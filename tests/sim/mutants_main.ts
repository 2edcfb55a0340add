/**
 * Puts every mutant into a copy of the code, one after the other, and prints the seed that found each:
 *
 *     deno run -A tests/sim/mutants_main.ts [SEEDS] [PART OF A NAME]
 *
 * Exit status 1 if one survives.
 *
 * @module
 */
import { mutants } from "./mutants.ts";
import { hunt } from "./mutate.ts";

const seeds = Number(Deno.args[0] ?? 2_000);
const queue = mutants.filter(({ name }) => name.includes(Deno.args[1] ?? ""));
let survived = 0, worst = 0;
await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, async () => {
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    const { seed, violations } = await hunt(mutant, seeds);
    if (seed === undefined) survived++;
    else worst = Math.max(worst, seed);
    console.log(`${seed === undefined ? "SURVIVES" : `seed ${seed}`}: ${mutant.name}`);
    if (violations[0] !== undefined) console.log(`    ${violations[0]}`);
  }
}));
console.log(`${survived} survive; the worst takes ${worst} seeds`);
Deno.exitCode = survived === 0 ? 0 : 1;
