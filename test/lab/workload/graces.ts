import type { Lab } from '../machines/lab.ts';
import { type NodeName, nodes } from '../settings.ts';

const file = '/root/lab/graces';

/** What a node's kernel said at one moment: whether nfsd's and lockd's grace periods were over; `undefined` before there was one. */
export type Grace = {
  readonly time: number;
  readonly nfsd: boolean | undefined;
  readonly lockd: boolean | undefined;
  /** How many whole files were locked. */
  readonly locks: number;
};

const flags: Readonly<Record<string, boolean>> = { Y: true, N: false };

/** Reads what graces.py wrote. */
export const parseGraces = (text: string): readonly Grace[] =>
  [...text.matchAll(/^([\d.]+) (\S) (\S) (\d+)$/gm)].map(([, time, nfsd = '', lockd = '', locks]) => ({
    time: Number(time),
    nfsd: flags[nfsd],
    lockd: flags[lockd],
    locks: Number(locks),
  }));

/** When a grace period began and ended, seconds after `happened`. None at all: nobody waits for it. */
export type Period = { readonly from: number; readonly to: number };

/** The last one that ended after a moment. */
export function periodOf(
  graces: readonly Grace[],
  whose: 'nfsd' | 'lockd',
  happened: number,
): Period | undefined {
  const end = graces.findLastIndex(
    (grace, at) => grace.time >= happened && grace[whose] === true && graces[at - 1]?.[whose] === false,
  );
  const to = graces[end];
  if (to === undefined) return undefined;
  const before = graces.slice(0, end);
  const from = before[before.findLastIndex((grace) => grace[whose] !== false) + 1] ?? to;
  return { from: Math.max(0, from.time - happened), to: to.time - happened };
}

/** When this many locks were there again, seconds after `happened`. */
export function claimedAfter(graces: readonly Grace[], many: number, happened: number): number | undefined {
  const found = graces.find(({ time, locks }) => time >= happened && locks >= many);
  return found && found.time - happened;
}

/** Watches the grace periods of both nodes, from within: where the seconds go that a client waits. */
export class Graces {
  readonly #lab: Lab;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  async start(signal: AbortSignal, names: readonly NodeName[] = nodes): Promise<void> {
    const command = `rm -f ${file}; setsid python3 /root/lab/graces.py ${file} > /dev/null 2>&1 < /dev/null &`;
    await Promise.all(names.map((name) => this.#lab.machine(name).run(command, { signal })));
  }

  async of(node: NodeName, signal: AbortSignal): Promise<readonly Grace[]> {
    return parseGraces(`${await this.#lab.machine(node).ask(`cat ${file}`, { signal })}\n`);
  }
}
