/** The same choices for the same seed and run, whatever other runs there are (mulberry32 over a mixed seed). */
export class Random {
  #state: number;

  constructor(seed: number, run: number) {
    this.#state = mixed(mixed(seed) ^ Math.imul(run + 1, 0x9e3779b1));
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let one = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    one = (one + Math.imul(one ^ (one >>> 7), 61 | one)) ^ one;
    return ((one ^ (one >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(all: readonly T[]): T {
    const one = all[this.below(all.length)];
    if (one === undefined) throw new Error('nothing to pick from');
    return one;
  }

  /** By weight: `weighted({ common: 9, rare: 1 })`. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const all = Object.entries<number>(weights);
    let at = this.next() * all.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of all) {
      at -= weight;
      if (at < 0) return name as K;
    }
    return all.at(-1)?.[0] as K;
  }

  bytes(length: number): Buffer {
    // a variable holds no NUL
    return Buffer.from(Array.from({ length }, () => 1 + this.below(255)));
  }
}

function mixed(number: number): number {
  let one = Math.imul(number ^ (number >>> 16), 0x85ebca6b);
  one = Math.imul(one ^ (one >>> 13), 0xc2b2ae35);
  return (one ^ (one >>> 16)) | 0;
}
