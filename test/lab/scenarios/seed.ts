import { exportedFolder } from '../cluster/configuration.ts';
import { serviceAddress } from '../settings.ts';
import type { Run } from './run.ts';

/** The client's part of the seed, as it is typed there. */
export async function seedMounts({ checks, lab, steps }: Run): Promise<void> {
  checks.begin('seed: client');
  const ask = (title: string, command: string): Promise<string> =>
    steps.run(title, 90, (signal) => lab.machine('client').run(command, { signal, timeout: 80_000 }));
  const shown = await ask('showmount -e', `showmount -e ${serviceAddress}`);
  checks.add('showmount names the export', new RegExp(`^${exportedFolder} +\\*$`, 'm').test(shown), shown);
  const mounted = await ask(
    'mount',
    `mkdir /nfstest && mount -t nfs ${serviceAddress}:${exportedFolder} /nfstest && grep ' /nfstest ' /proc/mounts`,
  );
  // fsid=0 makes the export the root of NFSv4, which knows no /nfsdata: mount.nfs falls back to NFSv3
  checks.add('mount without a version gives NFSv3, as in the seed', /\bvers=3\b/.test(mounted), mounted);
  const listed = await ask('ls', 'ls /nfstest');
  checks.add("the client sees the server's own state, as in the seed", /\bstatd\b/.test(listed), listed);
  await ask('umount', 'umount /nfstest');
}

/** What `tsha check` has to say of the seed; its fencing, too, was none. */
const expected = [
  'FENCING_OFF',
  'NO_PROMOTED_MONITOR',
  'ADDRESS_FIRST',
  'INFODIR_EXPORTED',
  'SPLIT_BRAIN_SILENT',
];

export async function seedChecked({ checks, cluster, lab, steps }: Run): Promise<void> {
  checks.begin('seed: check');
  const active = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  const said = await steps.run('tsha check', 120, (signal) =>
    lab.machine(active).run('tsha check --json; true', { signal, timeout: 110_000 }),
  );
  for (const code of expected) checks.add(`tsha check says ${code}`, said.includes(`"${code}"`), said);
}
