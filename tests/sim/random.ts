/**
 * Random numbers that a seed reproduces. Everything that happens in a simulation is drawn from here.
 *
 * The generator is xorshift128; its state is filled by the finalizer of MurmurHash3, so that neighbouring seeds
 * have nothing in common.
 *
 * @see {@link https://www.jstatsoft.org/article/view/v008i14 Marsaglia, Xorshift RNGs}
 * @see {@link https://github.com/aappleby/smhasher/wiki/MurmurHash3}
 *
 * @module
 */

/** A stream of random numbers. Two made with one seed give the same. */
export class Random {
  #x: number;
  #y: number;
  #z: number;
  #w: number;

  /** @param seed an integer; its lower 32 bits count. */
  constructor(seed: number) {
    this.#x = scrambled(seed);
    this.#y = scrambled(seed + 0x9e3779b9);
    this.#z = scrambled(seed + 0x3c6ef372);
    // All zero is the one state that a xorshift generator never leaves.
    this.#w = scrambled(seed + 0xdaa66d2b) | 1;
  }

  /** An integer from 0 up to, not including, 2³². */
  next(): number {
    const t = this.#x ^ (this.#x << 11);
    this.#x = this.#y;
    this.#y = this.#z;
    this.#z = this.#w;
    this.#w = this.#w ^ (this.#w >>> 19) ^ t ^ (t >>> 8);
    return this.#w >>> 0;
  }

  /** A number from 0 up to, not including, 1. */
  readonly unit = (): number => this.next() / 2 ** 32;

  /** A number from `low` up to `high`. */
  between(low: number, high: number): number {
    return low + this.unit() * (high - low);
  }

  /** An integer from 0 up to, not including, `count`. */
  below(count: number): number {
    return Math.floor(this.unit() * count);
  }

  /** True in this part of all cases. */
  chance(part: number): boolean {
    return this.unit() < part;
  }

  /** One of several. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** Another stream, which goes its own way: drawing from it does not shift what is drawn here. */
  fork(): Random {
    return new Random(this.next());
  }
}

function scrambled(seed: number): number {
  let h = seed | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
