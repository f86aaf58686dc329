import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterState, FailedAction } from '../cluster/crm-mon.ts';
import { logFile } from '../report/timeline.ts';
import { now, type Run } from '../scenarios/run.ts';
import { type NodeName, nodes } from '../settings.ts';

/** Failed actions by a node's own log: Pacemaker remembers one for each resource and node, and a node that died forgets. */
export const failuresInLog = (text: string): FailedAction[] =>
  [...text.matchAll(/ Result of (\S+) operation for (\S+) on (\S+): ([^|\n]*?) *(?:\||$)/gm)]
    .map(([, task = '', resource = '', node = '', status = '']) => ({
      resource: resource.replace(/:\d+$/, ''),
      node,
      task,
      status,
      reason: '',
    }))
    .filter(({ task, status }) => task !== 'probe' && !/^(ok|promoted|master|cancelled)\b/i.test(status));

/** The nodes' logs, read on from where they ended the last time. */
export class FailureLogs {
  readonly #run: Run;
  readonly #read = new Map<NodeName, number>();

  constructor(run: Run) {
    this.#run = run;
  }

  /** What failed on either node since this was asked before; of a node that does not answer, nothing. */
  async read(signal: AbortSignal): Promise<FailedAction[]> {
    const all = await Promise.all(nodes.map((node) => this.#readOn(node, signal)));
    return all.flat();
  }

  async #readOn(node: NodeName, signal: AbortSignal): Promise<FailedAction[]> {
    const from = this.#read.get(node) ?? 0;
    const command = `size=$(stat -c %s ${logFile}) && echo "$size" && tail -c +${from + 1} ${logFile} | grep -a ' Result of '`;
    const text = await this.#run.lab.machine(node).ask(`${command}; true`, { signal });
    const [first = '', ...lines] = text.split('\n');
    if (!/^\d+$/.test(first)) return [];
    this.#read.set(node, Number(first));
    return failuresInLog(lines.join('\n'));
  }
}

/** The cluster as a node sees it, which a busy machine may keep from answering at once; nothing after a minute. */
export async function seenInTime(
  { cluster }: Run,
  node: NodeName,
  signal: AbortSignal,
): Promise<ClusterState | undefined> {
  for (const end = now() + 60; ; await sleep(1000, undefined, { signal })) {
    const state = await cluster.seenFrom(node, signal);
    if (state || now() > end) return state;
  }
}
