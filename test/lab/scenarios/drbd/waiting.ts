import { setTimeout as sleep } from 'node:timers/promises';
import type { DrbdState } from '../../cluster/drbd.ts';
import type { NodeName } from '../../settings.ts';
import type { Run } from '../run.ts';

/** Until something is the case; the step's limit ends it. */
export async function until(signal: AbortSignal, isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(200, undefined, { signal });
}

/** Until a node's DRBD is in a state; only the words given count. */
export async function drbdIs(
  { cluster }: Run,
  node: NodeName,
  wanted: Partial<DrbdState> | 'down',
  signal: AbortSignal,
): Promise<void> {
  await until(signal, async () => {
    const state = await cluster.drbdOn(node, signal);
    if (wanted === 'down' || !state) return wanted === 'down' && !state;
    return (Object.keys(wanted) as (keyof DrbdState)[]).every((word) => state[word] === wanted[word]);
  });
}

/** Until the cluster has heard of a promotion score, from a monitor that Pacemaker itself runs. */
export async function scoreIs(
  { cluster, steps }: Run,
  node: NodeName,
  score: number | undefined,
): Promise<void> {
  await steps.run(`promotion score ${score ?? 'deleted'} on ${node}`, 60, (signal) =>
    until(signal, async () => (await cluster.promotionScore(node, signal)) === score),
  );
}

/** Until the node attribute that operators look at says so. */
export async function conditionIs({ lab, steps }: Run, node: NodeName, words: RegExp): Promise<void> {
  const query = `attrd_updater --query --name tsha-drbd-data --node ${node}`;
  await steps.run(`${node} says ${words.source}`, 60, (signal) =>
    until(signal, async () => {
      const [, value = ''] = /value="([^"]*)"/.exec(await lab.machine(node).ask(query, { signal })) ?? [];
      return words.test(value);
    }),
  );
}
