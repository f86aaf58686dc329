import { setTimeout as sleep } from 'node:timers/promises';
import { withToken } from '../cluster/corosync.ts';
import type { Machine } from '../machines/machine.ts';
import type { Run } from './run.ts';

const tokens = [3000, 1000, 500] as const;
export const loads = ['idle', 'loaded'] as const;

/** What a token costs and gives. */
export type Detection = {
  readonly token: number;
  readonly load: (typeof loads)[number];
  /** Seconds from the standstill of a node until the other one went on without it, each time. */
  readonly noticed: readonly number[];
  /** How often a node that was only slow was taken for dead, and while for how many seconds nobody was. */
  readonly falseAlarms: number;
  readonly watched: number;
};

export type Effort = { readonly deaths: number; readonly watched: number };

/** Four programs that compute, one that writes, one that reads: a node whose only processor everybody wants. */
const busy = [
  ...Array.from({ length: 4 }, () => 'while :; do :; done'),
  'while :; do dd if=/dev/zero of=/root/lab/load bs=1M count=64 oflag=direct; done',
  'while :; do cat /usr/lib/x86_64-linux-gnu/lib*.so* > /dev/null; done',
];
const pids = '/root/lab/load-pids';

/** Corosync alone, without Pacemaker: a node stands still (SIGSTOP) as a dead one is silent, and comes back. */
export function detection({ deaths, watched }: Effort, seen: Detection[]): (run: Run) => Promise<void> {
  return async ({ steps, checks, lab }) => {
    checks.begin('detection');
    const [survivor, silent] = lab.nodes;
    if (!survivor || !silent) throw new Error('there are two nodes');
    await steps.run('corosync starts', 120, async (signal) => {
      for (const node of lab.nodes) await node.run('systemctl start corosync', { signal });
      await together(survivor, signal);
    });
    for (const token of tokens)
      for (const load of loads) {
        const title = `token ${token} ms, ${load}`;
        await steps.run(`${title}: set`, 60, async (signal) => {
          await withToken(token).apply(lab, signal);
          if (load === 'loaded') for (const node of lab.nodes) await begin(node, signal);
        });
        const noticed: number[] = [];
        for (let death = 0; death < deaths; death++)
          noticed.push(
            await steps.run(`${title}: a node stands still`, 120, (signal) =>
              standstill(survivor, silent, token, signal),
            ),
          );
        const falseAlarms = await steps.run(`${title}: watched for ${watched} s`, watched + 60, (signal) =>
          alarms(lab.nodes, watched, signal),
        );
        if (load === 'loaded')
          await steps.run(`${title}: the load ends`, 60, async (signal) => {
            for (const node of lab.nodes) await end(node, signal);
          });
        seen.push({ token, load, noticed, falseAlarms, watched });
        checks.add(
          title,
          noticed.every((seconds) => !Number.isNaN(seconds)),
          `${noticed.map((seconds) => seconds.toFixed(1)).join(', ')} s; ${falseAlarms} false alarms in ${watched} s`,
        );
      }
  };
}

async function begin(node: Machine, signal: AbortSignal): Promise<void> {
  const loops = busy.map(
    (loop) => `setsid sh -c '${loop}' > /dev/null 2>&1 < /dev/null & echo $! >> ${pids}`,
  );
  await node.run(loops.join('\n'), { signal });
}

const end = async (node: Machine, signal: AbortSignal): Promise<void> =>
  void (await node.run(
    `while read -r pid; do kill -KILL -- -$pid; done < ${pids}; rm -f ${pids} /root/lab/load`,
    {
      signal,
    },
  ));

async function together(node: Machine, signal: AbortSignal): Promise<void> {
  while (!/^Nodes: +2$/m.test(await node.ask('corosync-quorumtool -s', { signal })))
    await sleep(500, undefined, { signal });
}

/** Membership that lost somebody, in corosync's words, with the moment in front. */
const left = /^([\d.]+) .*A new membership .* Members left: /gm;

const lossesSince = async (node: Machine, since: string, signal: AbortSignal): Promise<number[]> => {
  const log = await node.ask(`journalctl -u corosync -o short-unix --no-pager --since @${since}`, { signal });
  return [...log.matchAll(left)].map(([, time]) => Number(time)).filter((time) => time >= Number(since));
};

/** Seconds until the survivor went on alone. */
async function standstill(
  survivor: Machine,
  silent: Machine,
  token: number,
  signal: AbortSignal,
): Promise<number> {
  await together(survivor, signal);
  const since = await silent.run('kill -STOP $(pidof corosync) && date +%s.%N', { signal });
  try {
    await sleep(token * 2.2 + 2500, undefined, { signal });
  } finally {
    await silent.run('kill -CONT $(pidof corosync)', { signal });
  }
  const [first = Number.NaN] = await lossesSince(survivor, since, signal);
  await together(survivor, signal);
  return first - Number(since);
}

async function alarms(nodes: readonly Machine[], seconds: number, signal: AbortSignal): Promise<number> {
  await sleep(2000, undefined, { signal });
  const since = (await nodes[0]?.run('date +%s.%N', { signal })) ?? '';
  await sleep(seconds * 1000, undefined, { signal });
  const each = await Promise.all(nodes.map((node) => lossesSince(node, since, signal)));
  return Math.max(...each.map((losses) => losses.length));
}
