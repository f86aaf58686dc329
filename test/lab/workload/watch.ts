import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../machines/lab.ts';
import type { Machine } from '../machines/machine.ts';
import { isAlive } from '../machines/processes.ts';
import { type NodeName, nodes, serviceAddress } from '../settings.ts';

/** What no two nodes may have at the same time. */
export const exclusives = ['primary', 'mounted', 'address'] as const;
export type Exclusive = (typeof exclusives)[number];

export interface Interval {
  from: number;
  to: number;
}

/** Between two moments it was looked at. */
export interface Sample extends Interval {
  holds: Exclusive[];
}

/** What a node certainly had, from the end of the first to the beginning of the last of the samples that say so. */
interface Holding extends Interval {
  samples: Sample[];
}

/** Seconds from one sample to the next beyond which nobody can say what the node had in between: to another node and back takes longer. */
export const longestGap = 5;
/** Seconds that the clocks of two machines may be apart. */
const clockError = 0.05;
/** Seconds. A node that shuts down says nothing any more; what takes longer was not that. */
const goingDown = 30;

export function parseSample(line: string): Sample | undefined {
  const [from, to, ...flags] = line.split(' ').map(Number);
  if (from === undefined || to === undefined || Number.isNaN(from + to) || flags.length !== exclusives.length)
    return undefined;
  return { from, to, holds: exclusives.filter((_, index) => flags[index] === 1) };
}

export function holdings(samples: readonly Sample[], what: Exclusive): Holding[] {
  const found: Holding[] = [];
  let previous: Sample | undefined;
  for (const sample of samples) {
    const goesOn = previous?.holds.includes(what) && sample.from - previous.to <= longestGap;
    const last = found.at(-1);
    if (sample.holds.includes(what)) {
      if (last && goesOn) {
        last.to = sample.from;
        last.samples.push(sample);
      } else found.push({ from: sample.to, to: sample.from, samples: [sample] });
    }
    previous = sample;
  }
  return found;
}

/** When both certainly had it: a sample of the one lies within what the other had, however far apart samples are. */
export const overlaps = (some: readonly Holding[], others: readonly Holding[]): Interval[] =>
  some.flatMap((a) =>
    others.flatMap((b) => {
      const both = [...within(a, b), ...within(b, a)];
      const [first] = both;
      if (first === undefined) return [];
      return both.reduce<Interval>(
        (all, { from, to }) => ({ from: Math.min(all.from, from), to: Math.max(all.to, to) }),
        { from: first.from, to: first.to },
      );
    }),
  );

const within = (whole: Holding, { samples }: Holding): Sample[] =>
  samples.filter(({ from, to }) => from >= whole.from + clockError && to <= whole.to - clockError);

/** From when a node was up and watched until it went down, and what was seen of it. */
export interface Life {
  from: number;
  to?: number;
  samples: readonly Sample[];
}

/** The longest time between two moments in which a node was up and nobody looked at it. */
export function longestUnwatched(lives: readonly Life[], since: number, until: number): number {
  const ofOne = ({ from, to, samples }: Life): number => {
    const begin = Math.max(from, since);
    const lastSeen = samples.at(-1)?.to ?? Number.POSITIVE_INFINITY;
    const end = to === undefined ? until : Math.min(to, Math.max(lastSeen, to - goingDown));
    if (end <= begin) return 0;
    let before = begin;
    let longest = 0;
    for (const sample of samples) {
      if (sample.to <= begin) continue;
      if (sample.from >= end) break;
      longest = Math.max(longest, sample.from - before);
      before = sample.to;
    }
    return Math.max(longest, end - before);
  };
  return Math.max(0, ...lives.map(ofOne));
}

type Connection = ReturnType<Machine['follow']>;

/** Watches both nodes from the outside, over connections of its own, for as long as they live. */
export class Watch {
  readonly #lab: Lab;
  readonly #lives: Record<NodeName, (Life & { samples: Sample[] })[]> = { node1: [], node2: [] };
  readonly #connections = new Map<NodeName, Connection>();

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** Of a node that is up, until it goes down, or `stop`: a connection that ends is made anew. */
  start(node: NodeName): void {
    this.#end(node);
    const life: Life & { samples: Sample[] } = { from: now(), samples: [] };
    this.#lives[node].push(life);
    const { pid } = this.#lab.machine(node);
    const isUp = (): boolean => pid !== undefined && isAlive(pid);
    const ending = setInterval(() => {
      if (life.to === undefined && isUp()) return;
      clearInterval(ending);
      if (life.to === undefined) this.#end(node);
    }, 300).unref();
    const connect = (): void => {
      if (life.to !== undefined) return;
      const connection = this.#lab.machine(node).follow(`python3 /root/lab/sampler.py ${serviceAddress}`);
      this.#connections.set(node, connection);
      createInterface({ input: connection.stdout }).on('line', (line) => {
        const sample = parseSample(line);
        if (sample) life.samples.push(sample);
      });
      connection.on('error', () => {});
      connection.once('close', () => setTimeout(connect, 1000).unref());
    };
    connect();
  }

  #end(node: NodeName): void {
    const life = this.#lives[node].at(-1);
    if (life) life.to ??= now();
    this.#connections.get(node)?.kill();
    this.#connections.delete(node);
  }

  stop(): void {
    for (const node of nodes) this.#end(node);
  }

  /** Those that were not over at a moment. */
  overlapsOf(what: Exclusive, since = 0): Interval[] {
    const [one = [], other = []] = nodes.map((node) =>
      this.#lives[node].flatMap(({ samples }) =>
        holdings(
          samples.filter(({ to }) => to >= since),
          what,
        ),
      ),
    );
    return overlaps(one, other);
  }

  /** When a node was first seen to have something, at a moment or after it. */
  heldFrom(node: NodeName, what: Exclusive, since: number): number | undefined {
    const samples = this.#lives[node].flatMap((life) => life.samples);
    return samples.find(({ to, holds }) => to >= since && holds.includes(what))?.to;
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
      const last = this.#lives[node].at(-1)?.samples.at(-1);
      if (last === undefined || !last.holds.includes(what) || now() - last.to > 1) return;
      await sleep(50, undefined, { signal });
    }
  }

  get sampleCount(): number {
    return nodes.flatMap((node) => this.#lives[node]).reduce((sum, { samples }) => sum + samples.length, 0);
  }

  /** Seconds since a moment that a node was up and nobody looked, at most: a connection had ended, or a busy host let it stand still. */
  longestUnwatched(since = 0, of: readonly NodeName[] = nodes): number {
    return Math.max(...of.map((node) => longestUnwatched(this.#lives[node], since, now())));
  }
}

const now = (): number => Date.now() / 1000;
