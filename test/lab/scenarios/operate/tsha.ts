import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { resourceIds } from '../../cluster/configuration.ts';
import type { ClusterState } from '../../cluster/crm-mon.ts';
import { type NodeName, nodes, peerOf } from '../../settings.ts';
import type { Run } from '../run.ts';

/** How a call of the command ended, and what it said. */
export interface Answer {
  code: number;
  said: string;
}

/** The command as a person in front of a node calls it; `environment` as a shell has it. */
export async function tsha(
  run: Run,
  node: NodeName,
  words: string,
  signal: AbortSignal,
  timeout = 180_000,
): Promise<Answer> {
  const command = `LANG=C.UTF-8 tsha ${words} 2>&1; echo "exit $?"`;
  const text = await run.lab.machine(node).run(command, { signal, timeout });
  const [, said = '', code = ''] = /^([\s\S]*?)\n?exit (\d+)\s*$/.exec(text) ?? [];
  return { code: Number(code), said };
}

export interface Expected {
  node: NodeName;
  words: string;
  /** One of these, where the moment decides. */
  code: number | readonly number[];
  says: RegExp;
  /** Under this name people shall look at it: TSHA_LAB_SCREENS names a file for them. */
  screen?: string;
}

/** Calls the command, and holds what it said against what is true. */
export async function expectTsha(run: Run, { node, words, code, says, screen }: Expected): Promise<Answer> {
  const answer = await run.steps.run(`${node}: tsha ${words}`, 200, (signal) =>
    tsha(run, node, words, signal),
  );
  run.checks.add(
    `${node}: tsha ${words}: ${code}`,
    [code].flat().includes(answer.code) && says.test(answer.said),
    `${answer.code}: ${answer.said}`,
  );
  const file = process.env['TSHA_LAB_SCREENS'];
  if (screen && file)
    appendFileSync(
      file,
      `=== ${screen}\n${node}$ tsha ${words}; echo $?\n${answer.said}\n${answer.code}\n\n`,
    );
  return answer;
}

export const activeNode = ({ steps, cluster }: Run): Promise<NodeName> =>
  steps.run('which node is active', 180, (signal) => cluster.allStarted(signal));

export const copies = async ({ steps, cluster }: Run, node: NodeName): Promise<boolean> => {
  const state = await steps.run('both copies', 30, (signal) => cluster.drbdOn(node, signal));
  return state?.disk === 'UpToDate' && state.peerDisk === 'UpToDate';
};

export const constraints = ({ lab, steps }: Run, node: NodeName): Promise<string> =>
  steps.run('constraints', 60, (signal) =>
    lab.machine(node).run('cibadmin --query --scope constraints', { signal }),
  );

/** Nobody in standby, no constraint of a move, everything started, both copies alike. */
export async function calm(run: Run): Promise<NodeName> {
  const { lab, steps, cluster } = run;
  return await steps.run('calm again', 300, async (signal) => {
    const first = lab.machine('node1');
    const away = nodes.flatMap((node) => [
      `crm_standby --node ${node} --lifetime reboot --delete`,
      `crm_standby --node ${node} --lifetime forever --delete`,
    ]);
    await first.run(
      `{ crm_resource --resource DataClone --clear; ${away.join('; ')}; } > /dev/null 2>&1; true`,
      {
        signal,
      },
    );
    // what began before the first look may move the service after it
    for (;;) {
      const active = await cluster.allStarted(signal);
      await cluster.inSync(signal);
      await idle(run, active, signal);
      const state = await cluster.seenFrom(active, signal);
      if (state && isStanding(state, peerOf(active))) return active;
    }
  });
}

/** The second node is there, with its copy. */
const isStanding = ({ resources }: ClusterState, node: NodeName): boolean =>
  resources.some((one) => one.id === resourceIds.drbd && one.role === 'Unpromoted' && one.node === node);

/** Between two actions of a transition everything may look as it should. */
async function idle({ cluster }: Run, viewer: NodeName, signal: AbortSignal): Promise<void> {
  for (let quiet = 0; quiet < 3; ) {
    const state = await cluster.seenFrom(viewer, signal);
    const busy = state?.resources.some(({ pending }) => (pending ?? 'Monitoring') !== 'Monitoring') ?? true;
    quiet = busy ? 0 : quiet + 1;
    await sleep(700, undefined, { signal });
  }
}
