import { exportedFolder } from '../../cluster/configuration.ts';
import { addressOf, type NodeName, nodes, peerOf } from '../../settings.ts';
import type { Run } from '../run.ts';
import { linkIs } from './states.ts';
import { activeNode, calm, copies, expectTsha, tsha } from './tsha.ts';

const file = `${exportedFolder}/operate`;

/** As a cluster without fencing makes one; the sum of what the active side has written alone. */
export async function splitTheData(run: Run, active: NodeName): Promise<string> {
  const { lab, steps, cluster } = run;
  const peer = peerOf(active);
  await steps.run('no automatic policy', 60, async (signal) => {
    for (const node of lab.nodes)
      await node.run('drbdadm net-options --after-sb-0pri=disconnect --after-sb-1pri=disconnect data', {
        signal,
      });
  });
  return await steps.run('both sides change', 120, async (signal) => {
    await lab.network.cut('node2', 'replication');
    for (const node of nodes) await linkIs(run, node, 'Connecting', signal);
    await lab
      .machine(peer)
      .run(
        'drbdadm primary data && dd if=/dev/urandom of=/dev/drbd1 bs=4k count=20 seek=20000 oflag=direct conv=nocreat; drbdadm secondary data',
        { signal },
      );
    await lab.machine(active).run(`dd if=/dev/urandom of=${file} bs=4k count=65 conv=fsync`, { signal });
    await lab.network.mend('node2', 'replication');
    await linkIs(run, active, 'StandAlone', signal);
    return (await cluster.drbdOn(active, signal)) ? await sumOn(run, active, signal) : '';
  });
}

/** By the disk, not by what is remembered of it. */
const sumOn = ({ lab }: Run, node: NodeName, signal: AbortSignal): Promise<string> =>
  lab.machine(node).run(`sync; sha1sum ${file}`, { signal });

/** Told with its amounts, refused where it must be, repaired with a person's help, and by ssh; the survivor's data is intact. */
export async function repairSplitBrain(run: Run): Promise<void> {
  const { checks, lab, steps } = run;
  checks.begin('split brain');
  const active = await calm(run);
  const peer = peerOf(active);
  const sum = await splitTheData(run, active);
  const says = new RegExp(
    `DEGRADED +${active} serves[\\s\\S]*✗ SPLIT_BRAIN +the data of resource data went two ways: ${active} has at most \\d+ [KM]iB, ${peer} at most 80 KiB`,
  );
  await expectTsha(run, { node: active, words: 'status', code: 2, says, screen: 'split' });
  await expectTsha(run, { node: peer, words: 'status', code: 2, says: /SPLIT_BRAIN/ });
  await expectTsha(run, { node: active, words: 'check', code: 2, says: /SPLIT_BRAIN/ });
  await expectTsha(run, { node: active, words: 'explain data', code: 2, says: /SPLIT_BRAIN/ });
  await expectTsha(run, {
    ...{ node: active, words: 'split-brain data', code: 2, screen: 'split, both sides' },
    says: new RegExp(
      `at most 80 KiB[\\s\\S]*keep ${active}[\\s\\S]*--discard=${peer}[\\s\\S]*Nothing has been changed`,
    ),
  });
  await expectTsha(run, {
    ...{ node: active, words: `split-brain data --discard=${active} --confirm=${active}`, code: 2 },
    says: /is Primary or has it mounted/,
  });
  await expectTsha(run, {
    ...{ node: active, words: `split-brain data --discard=${peer}`, code: 2 },
    says: /repeat its name/,
  });
  await expectTsha(run, {
    ...{ node: peer, words: `split-brain data --discard=${peer} --confirm=${peer} --snapshot`, code: 2 },
    says: /no snapshot of .*: \/dev\/\w+ is no logical volume of LVM; nothing has been changed/,
  });
  const state = await steps.run('nothing has happened so far', 30, (s) => run.cluster.drbdOn(active, s));
  checks.add('refusals change nothing', state?.connection === 'StandAlone' && state.role === 'Primary');

  const discard = `split-brain data --discard=${peer} --confirm=${peer}`;
  const repaired = await steps.run(`discard ${peer}, by hand there`, 180, async (signal) => {
    const command = tsha(run, active, discard, signal, 170_000);
    // These nodes may not reach each other by ssh: what the command prints is done by hand.
    await lab
      .machine(peer)
      .run('sleep 15; drbdadm disconnect data; drbdadm connect --discard-my-data data', { signal });
    return await command;
  });
  checks.add(
    'it prints what to do there, and follows the resync to the end',
    repaired.code === 0 &&
      /drbdadm disconnect data; drbdadm connect --discard-my-data data[\s\S]*Both copies are UpToDate/.test(
        repaired.said,
      ),
    repaired.said,
  );
  await judgeData(run, active, sum, 'by hand');

  await letIn(run);
  await expectTsha(run, { node: active, words: 'check', code: 1, says: /^(?![\s\S]*NODE_NOT_LOOKED_AT)/ });
  const again = await splitTheData(run, active);
  await expectTsha(run, {
    ...{ node: peer, words: 'split-brain data', code: 2, screen: 'split, both sides, by ssh' },
    says: /was Primary +\d\d:\d\d:\d\d – [\s\S]*now[\s\S]*way back/,
  });
  await expectTsha(run, {
    ...{ node: active, words: discard, code: 0 },
    says: /Both copies are UpToDate/,
  });
  await judgeData(run, active, again, 'by ssh');
  const third = await splitTheData(run, active);
  await expectTsha(run, { node: peer, words: discard, code: 0, says: /Both copies are UpToDate/ });
  await judgeData(run, active, third, 'from the victim, by ssh');
}

export async function judgeData(run: Run, active: NodeName, sum: string, how: string): Promise<void> {
  const home = await activeNode(run);
  const after = await run.steps.run('the data', 60, (signal) => sumOn(run, home, signal));
  run.checks.add(
    `${how}: the data of the surviving side is intact, on both`,
    home === active && after === sum && (await copies(run, active)),
    `${sum} ${after}`,
  );
}

/** As an administrator does who wants the nodes to reach each other. */
export async function letIn({ lab, steps }: Run): Promise<void> {
  await steps.run('root may go from node to node', 60, async (signal) => {
    for (const node of nodes) {
      const key = await lab
        .machine(node)
        .run(
          'test -e ~/.ssh/id_ed25519 || ssh-keygen -q -t ed25519 -N "" -f ~/.ssh/id_ed25519; cat ~/.ssh/id_ed25519.pub',
          { signal },
        );
      const host = await lab.machine(node).run('cat /etc/ssh/ssh_host_ed25519_key.pub', { signal });
      const known = `${node},${addressOf(node, 'cluster')} ${host.split(' ').slice(0, 2).join(' ')}`;
      await lab
        .machine(peerOf(node))
        .run(
          `mkdir -p ~/.ssh; echo '${key.trim()}' >> ~/.ssh/authorized_keys; echo '${known}' >> ~/.ssh/known_hosts`,
          { signal },
        );
    }
  });
}
