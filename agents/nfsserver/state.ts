import { type Owner, stateRoot } from '../../lib/host/nfs-state.ts';
import { advanceNsmState, retireAll } from '../../lib/host/nsm.ts';
import { label, usesLabels } from '../../lib/host/selinux.ts';
import type { Ctx } from './params.ts';

/** Where statd keeps its records, and whose they must be. */
export type StatdHome = { readonly dir: string; readonly owner: Owner };

/** Makes what the daemons expect to find in a fresh state directory, and hands statd's part to this machine's account. */
export async function furnish(
  { host, log }: Pick<Ctx, 'host' | 'log'>,
  { dir, owner }: StatdHome,
): Promise<void> {
  const lists = [`${dir}/sm`, `${dir}/sm.bak`];
  await host.run(['mkdir', '-p', '-m', '0755', '--', `${stateRoot}/v4recovery`, ...lists]);
  // exportfs locks export-lock here wherever etab is: it must not have to create it in a directory that may be exported
  const files = ['etab', 'xtab', 'rmtab', 'export-lock'].map((file) => `${stateRoot}/${file}`);
  await host.run(['touch', '--', ...files]);
  await advanceNsmState(host, dir, owner); // clients ignore a restart under a number that they know
  await retireAll(host, dir);
  // The same account may have another number on the node that made the files, and statd runs as the owner of sm.
  const owners = await host.run(['stat', '-c', '%u:%g', '--', ...lists]);
  const wanted = `${owner.uid}:${owner.gid}`;
  const isForeign = (found: string) => found !== wanted;
  if (owners.trim().split('\n').some(isForeign))
    await host.run(['chown', '-R', '-h', '--', wanted, ...lists]);
  if (!(await usesLabels(host))) return;
  // never stateRoot with -R: the data may be below, too
  await label(host, log, ['restorecon', '--', stateRoot, ...files, `${dir}/state`]);
  await label(host, log, ['restorecon', '-R', '--', `${stateRoot}/v4recovery`, ...lists]);
}
