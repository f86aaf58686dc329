import { exportedFolder } from '../cluster/configuration.ts';
import { type NodeName, nodes, peerOf } from '../settings.ts';
import { judge } from './judge.ts';
import { now, type Run } from './run.ts';

/** How a call of the command ended, and what it said. */
interface Answer {
  code: number;
  said: string;
}

/** The command as a person in front of a node calls it; `environment` as a shell has it. */
async function tsha(
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

export async function lookAround(run: Run): Promise<void> {
  const { checks, steps, cluster } = run;
  checks.begin('operate: look');
  const active = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  const cases: readonly (readonly [string, number, RegExp])[] = [
    [
      'status',
      0,
      new RegExp(`OK +${active} serves 10\\.77\\.0\\.20 .*with a second copy[\\s\\S]*Nothing to do\\.`),
    ],
    ['status -q', 0, /OK/],
    ['status --json', 0, /"kind":"status".*"secondCopy":true/],
    ['--lang zh status', 0, /正常/],
    ['check', 1, /FENCING_OFF[\s\S]*INFODIR_EXPORTED/],
    [`check --what-if ${active}`, 1, /promote/],
    ['explain SPLIT_BRAIN', 0, /tsha split-brain/],
    ['explain nfs_ip', 0, new RegExp(`Started on ${active}`)],
    ['explain nobody', 3, /there is no resource, node or code nobody here/],
    ['split-brain', 0, /No split brain/],
    ['switch -n', 0, /cibadmin --create/],
    ['metrics', 0, /tsha_second_copy 1/],
    ['agent IPaddr2 monitor --ip=203.0.113.7', 1, /7, not running/],
  ];
  for (const node of nodes)
    for (const [words, code, expected] of cases) {
      const answer = await steps.run(`${node}: tsha ${words}`, 120, (signal) =>
        tsha(run, node, words, signal),
      );
      checks.add(
        `${node}: tsha ${words}: ${code}`,
        answer.code === code && expected.test(answer.said),
        `${answer.code}: ${answer.said}`,
      );
    }
  const seconds = await steps.run('processor time beside pcs status --full', 180, async (signal) => {
    const time = 'bash -c \'TIMEFORMAT="%U %S"; time';
    const spent = async (command: string) => {
      const text = await run.lab
        .machine(active)
        .run(`${time} ${command} > /dev/null 2> /dev/null' 2>&1`, { signal, timeout: 120_000 });
      return (text.match(/[\d.]+/g) ?? []).reduce((sum, part) => sum + Number(part), 0);
    };
    return { tsha: await spent('tsha status'), pcs: await spent('pcs status --full') };
  });
  checks.add(
    'status takes at most 0.3 of what pcs status --full takes',
    seconds.tsha <= 0.3 * seconds.pcs,
    `${seconds.tsha} s, ${seconds.pcs} s`,
  );
}

/** Each way while clients write; the second copy stays. */
async function switchThereAndBack(run: Run): Promise<void> {
  const { checks, steps, cluster } = run;
  checks.begin('operate: switch');
  for (const title of ['there', 'and back']) {
    const active = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
    const peer = peerOf(active);
    const happened = now();
    const answer = await steps.run(`tsha switch ${peer}`, 300, (signal) =>
      tsha(run, active, `switch ${peer} -y`, signal, 280_000),
    );
    checks.add(
      `switch ${title}: it says that ${peer} serves`,
      answer.code === 0 && answer.said.includes(`Serving from ${peer}`),
      answer.said,
    );
    const home = await steps.run('where the resources are', 60, (signal) => cluster.allStarted(signal, peer));
    checks.add(
      `switch ${title}: the second copy is there at once`,
      home === peer && (await copies(run, peer)),
    );
    checks.add(`switch ${title}: no constraint is left`, !/cli-/.test(await constraints(run, peer)));
    await judge(run, peer, happened, `tsha switch to ${peer}`);
  }
}

const copies = async ({ steps, cluster }: Run, node: NodeName): Promise<boolean> => {
  const state = await steps.run('both copies', 30, (signal) => cluster.drbdOn(node, signal));
  return state?.disk === 'UpToDate' && state.peerDisk === 'UpToDate';
};

const constraints = ({ lab, steps }: Run, node: NodeName): Promise<string> =>
  steps.run('constraints', 30, (signal) =>
    lab.machine(node).run('cibadmin --query --scope constraints', { signal }),
  );

/** Interrupted and killed: a constraint that is left has an end, and nothing is in standby. */
async function killedAtRandom(run: Run): Promise<void> {
  const { checks, lab, steps, cluster } = run;
  checks.begin('operate: killed');
  for (const [signalName, after] of [
    ['INT', 2],
    ['KILL', 3],
    ['TERM', 4],
    ['KILL', 6],
  ] as const) {
    const active = await steps.run('which node is active', 120, (signal) => cluster.allStarted(signal));
    const command = `tsha switch ${peerOf(active)} -y > /dev/null 2>&1 & p=$!; sleep ${after}; kill -${signalName} $p; wait $p; echo $?`;
    await steps.run(`SIG${signalName} after ${after} s`, 120, (signal) =>
      lab.machine(active).run(command, { signal }),
    );
    const left = await constraints(run, active);
    const endless = /cli-prefer/.test(left) && !/date_expression/.test(left);
    checks.add(`SIG${signalName} after ${after} s leaves no constraint without an end`, !endless, left);
    if (signalName !== 'KILL')
      checks.add(`SIG${signalName} after ${after} s leaves no constraint`, !/cli-/.test(left), left);
    await steps.run('calm again', 180, async (signal) => {
      await lab.machine(active).run('crm_resource --resource DataClone --clear || true', { signal });
      await cluster.allStarted(signal);
      await cluster.inSync(signal);
    });
  }
}

async function maintain(run: Run): Promise<void> {
  const { checks, steps, cluster } = run;
  checks.begin('operate: maintenance');
  const active = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  const peer = peerOf(active);
  const refused = await steps.run(`maintenance on ${active}`, 60, (signal) =>
    tsha(run, active, `maintenance on ${active} -y`, signal),
  );
  checks.add(
    'a node that serves is refused',
    refused.code === 2 && refused.said.includes(`tsha switch ${peer}`),
    refused.said,
  );
  const on = await steps.run(`maintenance on ${peer}`, 60, (signal) =>
    tsha(run, active, `maintenance on ${peer} -y`, signal),
  );
  checks.add(`${peer} goes out of service`, on.code === 0, on.said);
  const told = await steps.run('status', 60, (signal) => tsha(run, active, 'status', signal));
  checks.add('status tells of it', told.code === 1 && /NODE_STANDBY_UNTIL_REBOOT/.test(told.said), told.said);
  const off = await steps.run('maintenance off', 180, (signal) =>
    tsha(run, active, 'maintenance off', signal),
  );
  checks.add(
    'maintenance off returns with both copies',
    off.code === 0 && (await copies(run, active)),
    off.said,
  );
}

/** Made as a cluster without fencing makes it, told with its amounts, and repaired by the command; the survivor's data is intact. */
async function repairSplitBrain(run: Run): Promise<void> {
  const { checks, lab, steps, cluster } = run;
  checks.begin('operate: split brain');
  const active = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  const peer = peerOf(active);
  const file = `${exportedFolder}/operate`;
  await steps.run('no automatic policy', 60, async (signal) => {
    for (const node of lab.nodes)
      await node.run('drbdadm net-options --after-sb-0pri=disconnect --after-sb-1pri=disconnect data', {
        signal,
      });
  });
  const sum = await steps.run('both sides change', 120, async (signal) => {
    await lab.network.cut('node2', 'replication');
    for (const node of nodes)
      while ((await cluster.drbdOn(node, signal))?.connection !== 'Connecting') signal.throwIfAborted();
    await lab
      .machine(peer)
      .run(
        'drbdadm primary data && dd if=/dev/urandom of=/dev/drbd1 bs=4k count=20 seek=20000 oflag=direct conv=nocreat; drbdadm secondary data',
        { signal },
      );
    await lab.machine(active).run(`dd if=/dev/urandom of=${file} bs=4k count=65 conv=fsync`, { signal });
    await lab.network.mend('node2', 'replication');
    while ((await cluster.drbdOn(active, signal))?.connection !== 'StandAlone') signal.throwIfAborted();
    return await lab.machine(active).run(`sha1sum ${file}`, { signal });
  });
  const status = await steps.run('status', 60, (signal) => tsha(run, active, 'status', signal));
  checks.add('status tells of it', status.code === 2 && /SPLIT_BRAIN/.test(status.said), status.said);
  const shown = await steps.run('split-brain', 60, (signal) => tsha(run, active, 'split-brain data', signal));
  checks.add(
    `the amount of ${peer} is told, and who is to be kept`,
    /at most 80 KiB/.test(shown.said) && shown.said.includes(`--discard=${peer}`),
    shown.said,
  );
  const wrong = await steps.run('discard the active side', 60, (signal) =>
    tsha(run, active, `split-brain data --discard=${active} --confirm=${active}`, signal),
  );
  checks.add(
    'a victim that is Primary is refused',
    wrong.code === 2 && (await cluster.drbdOn(active, new AbortController().signal))?.role === 'Primary',
    wrong.said,
  );
  const alone = await steps.run('discard without --confirm', 60, (signal) =>
    tsha(run, active, `split-brain data --discard=${peer}`, signal),
  );
  checks.add(
    'nothing is discarded without its name twice',
    alone.code === 2 && /repeat its name/.test(alone.said),
    alone.said,
  );
  const repaired = await steps.run(`discard ${peer}`, 180, async (signal) => {
    const command = tsha(
      run,
      active,
      `split-brain data --discard=${peer} --confirm=${peer}`,
      signal,
      170_000,
    );
    // The lab's nodes cannot reach each other by ssh: what the command prints is done by hand.
    await lab
      .machine(peer)
      .run('sleep 20; drbdadm disconnect data; drbdadm connect --discard-my-data data || true', { signal });
    return await command;
  });
  checks.add(
    'it follows the resync to the end',
    repaired.code === 0 && /Both copies are UpToDate/.test(repaired.said),
    repaired.said,
  );
  const after = await steps.run('the data', 60, (signal) =>
    lab.machine(active).run(`sha1sum ${file}`, { signal }),
  );
  checks.add(
    'the data of the surviving side is intact',
    after === sum && (await copies(run, active)),
    `${sum} ${after}`,
  );
}

/** `tsha` on the running cluster: what docs/operating.md shows, with clients at work. */
export const operateScenarios = [lookAround, switchThereAndBack, killedAtRandom, maintain, repairSplitBrain];
