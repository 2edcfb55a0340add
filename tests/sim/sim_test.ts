/**
 * The simulator on the code as it is: no promise is broken in some hundreds of worlds of each strategy, the same seed gives the same
 * world, and what is not promised is found to be broken.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Summary } from "./worker_pool.ts";
import { simulateIn } from "./mutate.ts";
import { simulated } from "./strategies.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const SEEDS = 200;

for (const strategy of simulated.keys()) {
  const simulate = (flags: string[], jobs = navigator.hardwareConcurrency): Promise<Summary> =>
    simulateIn(ROOT, ["--strategy", strategy, ...flags], jobs);

  describe(`the simulator over ${strategy}`, () => {
    it(`finds no promise broken in ${SEEDS} seeds`, async () => {
      const { failing, seeds, acquisitions } = await simulate(["--seeds", `${SEEDS}`]);
      assertEquals(failing, [], `replay with: deno task sim --seeds 1 --strategy ${strategy} --from N`);
      assertEquals(seeds, SEEDS);
      assert(acquisitions > SEEDS, `only ${acquisitions} acquisitions`);
    });

    it("makes the same world of the same seed", async () => {
      const [one, other, another] = await Promise.all([
        simulate(["--seeds", "20"], 1),
        simulate(["--seeds", "20"], 2),
        simulate(["--seeds", "20", "--from", "2"], 1),
      ]);
      assertEquals(one.hash, other.hash);
      assert(one.hash !== another.hash, "other seeds, the same world");
    });

    it("finds commands that run too long where clocks run at rates beyond the ratio", async () => {
      const { failing } = await simulate(["--seeds", "200", "--failures", "200", "--ratio", "1.3"]);
      const found = failing.some(({ violations }) =>
        violations.some((what) => /outlives its hold|whose command runs|run at once/.test(what))
      );
      assert(found, `${failing.length} seeds failed, none of them with a command that ran too long`);
    });
  });
}

it("the simulator finds two holders where clocks run at rates beyond the ratio", async () => {
  const flags = ["--strategy", "lease", "--seeds", "200", "--failures", "200", "--ratio", "3"];
  const { failing } = await simulateIn(ROOT, flags, navigator.hardwareConcurrency);
  const found = failing.some(({ violations }) => violations.some((what) => /whose command runs/.test(what)));
  assert(found, `${failing.length} seeds failed, none of them with two holders`);
});
