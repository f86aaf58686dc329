import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../machines/lab.ts';
import { type NodeName, nodes, serviceAddress } from '../settings.ts';

/** What no two nodes may have at the same time. */
export const exclusives = ['primary', 'mounted', 'address'] as const;
export type Exclusive = (typeof exclusives)[number];

export interface Sample {
  time: number;
  holds: Exclusive[];
}

export interface Interval {
  from: number;
  to: number;
}

/** Longer without a sample, and nobody can say what the node had in between. */
const longestGap = 1;

export function parseSample(line: string): Sample | undefined {
  const [time, ...flags] = line.split(' ').map(Number);
  if (time === undefined || Number.isNaN(time) || flags.length !== exclusives.length) return undefined;
  return { time, holds: exclusives.filter((_, index) => flags[index] === 1) };
}

/** When a node certainly had something: from the first to the last of the samples in a row that say so. */
export function holdings(samples: Sample[], what: Exclusive): Interval[] {
  const intervals: Interval[] = [];
  let previous: Sample | undefined;
  for (const sample of samples) {
    const last = intervals.at(-1);
    const goesOn = previous?.holds.includes(what) && sample.time - previous.time <= longestGap;
    if (sample.holds.includes(what)) {
      if (last && goesOn) last.to = sample.time;
      else intervals.push({ from: sample.time, to: sample.time });
    }
    previous = sample;
  }
  return intervals;
}

export const overlaps = (some: Interval[], others: Interval[]): Interval[] =>
  some
    .flatMap((a) => others.map((b) => ({ from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) })))
    .filter(({ from, to }) => from < to);

/** Seconds between the two neighbouring samples that lie farthest apart. */
export const widestGap = (samples: Sample[]): number =>
  Math.max(0, ...samples.slice(1).map(({ time }, index) => time - (samples[index]?.time ?? time)));

/** Watches both nodes from the outside, over connections of its own, for as long as they live. */
export class Watch {
  readonly #lab: Lab;
  /** Per node one list of samples for each of its lives. */
  readonly #lives: Record<NodeName, Sample[][]> = { node1: [], node2: [] };
  readonly #connections = new Set<ChildProcess>();

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  start(node: NodeName): void {
    const samples: Sample[] = [];
    this.#lives[node].push(samples);
    const connection = this.#lab.machine(node).follow(`python3 /root/lab/sampler.py ${serviceAddress}`);
    this.#connections.add(connection);
    createInterface({ input: connection.stdout }).on('line', (line) => {
      const sample = parseSample(line);
      if (sample) samples.push(sample);
    });
  }

  stop(): void {
    for (const connection of this.#connections) connection.kill();
    this.#connections.clear();
  }

  overlapsOf(what: Exclusive): Interval[] {
    const [one = [], other = []] = nodes.map((node) =>
      this.#lives[node].flatMap((life) => holdings(life, what)),
    );
    return overlaps(one, other);
  }

  /** When a node was first seen to have something, at a moment or after it. */
  heldFrom(node: NodeName, what: Exclusive, since: number): number | undefined {
    const samples = this.#lives[node].flat();
    return samples.find(({ time, holds }) => time >= since && holds.includes(what))?.time;
  }

  /** Resolves once a node has something, or `withinSeconds` later. Costs the nodes nothing. */
  async until(node: NodeName, what: Exclusive, since: number, withinSeconds: number, signal: AbortSignal) {
    const end = performance.now() + withinSeconds * 1000;
    while (this.heldFrom(node, what, since) === undefined && performance.now() < end)
      await sleep(100, undefined, { signal });
  }

  /** Resolves once a node has not, or no longer answers. */
  async gone(node: NodeName, what: Exclusive, signal: AbortSignal) {
    for (;;) {
      const last = this.#lives[node].at(-1)?.at(-1);
      if (last === undefined || !last.holds.includes(what) || Date.now() / 1000 - last.time > longestGap)
        return;
      await sleep(50, undefined, { signal });
    }
  }

  get sampleCount(): number {
    return nodes.flatMap((node) => this.#lives[node]).reduce((sum, life) => sum + life.length, 0);
  }

  get widestGap(): number {
    return this.widestGapSince(0);
  }

  /** How long a node stood still, as a busy host makes it, since a moment. */
  widestGapSince(since: number): number {
    const lives = nodes.flatMap((node) => this.#lives[node]);
    return Math.max(0, ...lives.map((life) => widestGap(life.filter(({ time }) => time >= since))));
  }
}
