import { peerOf } from '../../settings.ts';
import type { Run } from '../run.ts';
import { activeNode, calm, copies, expectTsha } from './tsha.ts';

export async function maintain(run: Run): Promise<void> {
  const { checks, lab, steps, cluster } = run;
  checks.begin('maintenance');
  const active = await activeNode(run);
  const peer = peerOf(active);
  const refused = { node: active, words: `maintenance on ${active} -y`, code: 2 };
  await expectTsha(run, { ...refused, says: new RegExp(`tsha switch ${peer}`) });
  await expectTsha(run, {
    ...{ node: active, words: `maintenance on ${peer} -y`, code: 0 },
    says: new RegExp(`crm_standby --node ${peer} --lifetime reboot[\\s\\S]*✓ ${peer} is out of service`),
  });
  await expectTsha(run, {
    ...{ node: active, words: 'status', code: 1 },
    says: new RegExp(`without a second copy[\\s\\S]*NODE_STANDBY_UNTIL_REBOOT +${peer}`),
  });
  await expectTsha(run, {
    node: active,
    words: `switch -y`,
    code: 2,
    says: /✗ node\d is online and in service/,
  });
  await expectTsha(run, {
    ...{ node: active, words: 'maintenance off', code: 0 },
    says: /Both copies are UpToDate/,
  });
  checks.add('maintenance off returns with both copies', await copies(run, active));
  await calm(run);

  await expectTsha(run, {
    ...{ node: peer, words: `maintenance on ${peer} -y --json`, code: 0 },
    says: /"kind":"maintenance"[\s\S]*"event":"done"/,
  });
  await steps.run(`the cluster manager of ${peer} starts anew`, 240, async (signal) => {
    await lab.machine(peer).run('systemctl stop pacemaker', { signal, timeout: 120_000 });
    await lab.machine(peer).run('systemctl start pacemaker', { signal });
    await cluster.joined(peer, signal);
    await cluster.inSync(signal);
  });
  await expectTsha(run, {
    ...{ node: active, words: 'status', code: 0 },
    says: /with a second copy[\s\S]*Nothing to do/,
  });
}
