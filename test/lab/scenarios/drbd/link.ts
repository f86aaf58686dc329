import { exportedFolder } from '../../cluster/configuration.ts';
import { resyncMegabytes } from '../../cluster/drbd-resource.ts';
import { peerOf } from '../../settings.ts';
import { now, type Run } from '../run.ts';
import { tag } from './cases.ts';
import { verdict } from './verdict.ts';
import { conditionIs, drbdIs, scoreIs } from './waiting.ts';

/** Long enough for a monitor to come by in the middle of it. */
const resyncSeconds = 9;

/** The replication link is cut while records are being written, and mended; the cluster itself notices nothing. */
export async function linkCut(run: Run): Promise<void> {
  const { cluster, lab, writers, steps, checks, figures } = run;
  checks.begin('link cut');
  const active = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  const peer = peerOf(active);
  const began = now();
  const cut = await steps.run(`cut ${peer}'s replication link: ${active} writes on`, 90, async (signal) => {
    await writers.write(5, began, signal);
    await lab.network.cut(peer, 'replication');
    const happened = now();
    await drbdIs(run, active, { role: 'Primary', connection: 'Connecting' }, signal);
    await writers.write(10, now(), signal);
    const bulk = `dd if=/dev/urandom of=${exportedFolder}/bulk bs=1M count=${resyncMegabytes * resyncSeconds} conv=fsync`;
    await lab.machine(active).run(bulk, { signal });
    return happened;
  });
  const stall = Math.max(
    ...writers.attempts.filter(({ end }) => end >= cut).map((one) => one.end - one.start),
  );
  figures.push({ scenario: `link of ${peer} cut`, outcome: `${active} writes on`, movedAfter: stall });
  await scoreIs(run, peer, 1000);
  checks.add(`${tag(run, 88)}a Secondary that does not see its peer scores 1000`, true, peer);
  await scoreIs(run, active, 10000);
  await conditionIs(run, peer, /^connecting$/);
  checks.add(`${tag(run, 89)}a Primary that does not see its peer keeps 10000`, true, active);

  await conditionIs(run, active, /^connecting$/);
  checks.add('both nodes tell operators that they are connecting', true);

  const mended = await steps.run(`mend it: ${peer} is SyncTarget`, 60, async (signal) => {
    await lab.network.mend(peer, 'replication');
    const happened = now();
    await drbdIs(run, peer, { replication: 'SyncTarget', disk: 'Inconsistent' }, signal);
    return happened;
  });
  await scoreIs(run, peer, 10);
  checks.add(`${tag(run, 93)}a SyncTarget scores 10`, true, peer);
  await conditionIs(run, peer, /^synctarget/);
  checks.add('the SyncTarget tells operators how far it is', true, peer);
  await steps.run('both nodes in sync', 60, (signal) => cluster.inSync(signal));
  figures.push({ scenario: `link of ${peer} mended`, outcome: 'in sync', movedAfter: now() - mended });
  await scoreIs(run, peer, 10000);
  checks.add(`${tag(run, 85)}in sync again, it scores 10000`, true, peer);
  await conditionIs(run, peer, /^connected$/);
  await verdict(run, active);
}
