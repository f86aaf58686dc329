import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Lab } from '../machines/lab.ts';
import { type NodeName, serviceAddress } from '../settings.ts';

export interface Belief {
  time: number;
  mac: string;
}

export function parseBelief(line: string): Belief | undefined {
  const [, time, mac] = /^(\d+\.\d+) (\S+)$/.exec(line) ?? [];
  return time && mac ? { time: Number(time), mac } : undefined;
}

/** When, at a moment or after it, one of these MAC addresses was first believed to be the right one. */
export const believedFrom = (beliefs: Belief[], macs: string[], since: number): number | undefined =>
  beliefs.find(({ time, mac }) => time >= since && macs.includes(mac))?.time;

/** Watches where the client sends packets for the service address. */
export class NeighbourWatch {
  readonly #lab: Lab;
  readonly #beliefs: Belief[] = [];
  #connection?: ChildProcess;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  start(): void {
    const connection = this.#lab.machine('client').follow(`python3 /root/lab/neighbour.py ${serviceAddress}`);
    this.#connection = connection;
    createInterface({ input: connection.stdout }).on('line', (line) => {
      const belief = parseBelief(line);
      if (belief) this.#beliefs.push(belief);
    });
  }

  stop(): void {
    this.#connection?.kill();
  }

  /** Seconds from a moment until the client's packets went to the node; `undefined` while they do not. */
  async delay(node: NodeName, since: number, signal: AbortSignal): Promise<number | undefined> {
    const macs = await this.#lab.machine(node).run('cat /sys/class/net/*/address', { signal });
    const time = believedFrom(this.#beliefs, macs.split('\n'), since);
    return time === undefined ? undefined : time - since;
  }
}
