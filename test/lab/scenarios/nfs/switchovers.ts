import { setTimeout as sleep } from 'node:timers/promises';
import { resourceIds } from '../../cluster/configuration.ts';
import { type NodeName, peerOf } from '../../settings.ts';
import { judge } from '../judge.ts';
import { now, type Run } from '../run.ts';
import { Clients, versions } from './clients.ts';

/** What happens on the node that is about to be left, the moment before. */
const accidents: readonly { readonly what: string; readonly on: 'from' | 'to'; readonly command: string }[] =
  [
    { what: 'nothing else', on: 'from', command: 'true' },
    ...['rpc.statd', 'rpc.mountd', 'rpc.idmapd', 'nfsdcld', 'rpcbind'].map(
      (name) => ({ what: `${name} killed before`, on: 'from', command: `pkill -KILL -x ${name}` }) as const,
    ),
    {
      what: 'rpcbind killed before on the node that takes over',
      on: 'to',
      command: 'systemctl kill -s KILL rpcbind',
    },
    {
      what: 'helpers running before on the node that takes over',
      on: 'to',
      command: 'systemctl start rpc-statd nfs-idmapd nfsdcld',
    },
    {
      what: 'a shell in the export',
      on: 'from',
      command: '( cd /nfsdata && exec setsid sleep 600 ) > /dev/null 2>&1 < /dev/null &',
    },
  ];

const lessOften = ['nfsserver', 'nfsnotify'] as const;

/** Promotes the other node; DRBD goes on running on both. */
export async function move(run: Run, to: NodeName, signal: AbortSignal): Promise<void> {
  await run.lab
    .machine(to)
    .run(`crm_resource --move --promoted --resource DataClone --node ${to}`, { signal });
  await run.cluster.allStarted(signal, to);
}

/** Back and forth, each time with another helper dead; clients of every protocol keep their locks. */
export async function switchovers(run: Run): Promise<void> {
  const { cluster, lab, steps, checks } = run;
  checks.begin('10 moves');
  const clients = new Clients(lab);
  let active = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  await steps.run('client and rival mount NFSv4.0 and NFSv4.1', 120, (signal) => clients.start(signal));
  // a monitor that finds a killed helper first would be right too, but not what is looked at here
  await steps.run('monitors out of the way', 60, async (signal) => {
    for (const agent of lessOften) {
      const id = resourceIds[agent];
      const op = `<op id="${id}-monitor-interval-30s" name="monitor" interval="900s"/>`;
      await lab.machine(active).run(`cibadmin --modify --xml-text '${op}'`, { signal });
    }
  });
  checks.add(
    'the client has a delegation',
    await steps.run('delegations', 30, (signal) => clients.hasDelegation(active, signal)),
  );

  const began = now();
  for (const { what, on, command } of accidents) {
    const to = peerOf(active);
    const from = active;
    const asked = now();
    const moved = await steps.run(`${from} to ${to}, ${what}`, 400, async (signal) => {
      await lab.machine(on === 'from' ? from : to).run(command, { signal });
      await move(run, to, signal);
      const arrived = now();
      await Promise.all([clients.holding(arrived, signal), run.workload.holding(arrived, signal)]);
      return arrived;
    });
    const seconds = `${(moved - asked).toFixed(1)} s, all locks in use after ${(now() - asked).toFixed(1)} s`;
    checks.add(`${from} to ${to}, ${what}`, true, seconds);
    active = to;
  }
  await judge(run, active, began, `${accidents.length} moves`);
  await judgeLocks(run, clients, active, now());
  await deadClient(run, clients, active);
}

async function judgeLocks(
  { plan, steps, checks }: Run,
  clients: Clients,
  active: NodeName,
  since: number,
): Promise<void> {
  await steps.run('the rival is answered', 300, (signal) => clients.refused(since, signal));
  for (const version of versions) {
    const fate = await steps.run(`NFSv${version}: errors and locks`, 60, (s) => clients.fateOf(version, s));
    checks.add(`NFSv${version}: the client saw no error`, fate.errors.length === 0, fate.errors[0] ?? '');
    checks.add(
      `NFSv${version}: the lock is kept, the rival refused`,
      fate.stolen === 0 && fate.refused > 0 && fate.writes > 0,
      `refused ${fate.refused} times, stolen ${fate.stolen} times`,
    );
  }
  const free = await steps.run('the lock of an idle client', 60, (signal) => clients.idleLockIsFree(signal));
  checks.add('NFSv4.1: an idle client kept its lock', !free);
  // the kernel takes one back at once that is claimed again before its way back to the client is up
  const kept = await steps.run('delegations', 30, (signal) => clients.hasDelegation(active, signal));
  const { seconds, read } = await steps.run('the rival writes what the client has a delegation of', 60, (s) =>
    clients.recall('2', s),
  );
  checks.add(
    'a delegation holds nobody up, and its client sees what was written',
    seconds < plan.grace && read === '2', // whoever does not give it back loses it after a lease
    `${kept ? 'kept' : 'returned'}; ${seconds.toFixed(1)} s, read ${read}`,
  );
}

/** The rival dies while the service moves: nobody waits for it longer than its lease. */
async function deadClient(run: Run, clients: Clients, from: NodeName): Promise<void> {
  const { lab, steps, checks } = run;
  const { grace: graceSeconds } = run.plan; // the lease is as long
  checks.begin('dead client');
  const to = peerOf(from);
  const moved = await steps.run(`${from} to ${to}, the rival dies meanwhile`, 400, async (signal) => {
    await lab.machine('rival').kill();
    await move(run, to, signal);
    return now();
  });
  const graceEnds = steps.run('the end of grace', 60 + 3 * graceSeconds, async (signal) => {
    while ((await lab.machine(to).ask('cat /proc/fs/nfsd/v4_end_grace', { signal })).trim() !== 'Y')
      await sleep(200, undefined, { signal });
    return now() - moved;
  });
  const grace = await graceEnds;
  checks.add(
    'a client that died does not hold the server in grace beyond its lease',
    grace < 2 * graceSeconds, // a client that is waited for lengthens it by a lease
    `grace ended ${grace.toFixed(1)} s after the move (lease ${graceSeconds} s)`,
  );
  const late = await steps.run('a new client mounts and writes', 60 + 2 * graceSeconds, (signal) =>
    clients.arrive(signal),
  );
  checks.add('a client that comes after the move can work', late < 2 * graceSeconds, `${late.toFixed(1)} s`);
  const inherited = await steps.run(
    'its lock goes to another client',
    60 + 3 * graceSeconds,
    async (signal) => {
      const began = now();
      while (!(await clients.idleLockIsFree(signal))) await sleep(500, undefined, { signal });
      return now() - began;
    },
  );
  checks.add(
    'the lock of the dead client is free after its lease',
    inherited < 3 * graceSeconds,
    `${inherited.toFixed(1)} s after the end of grace`,
  );
}
