import type { Host } from '../../lib/host/host.ts';
import { type Owner, stateRoot } from '../../lib/host/nfs-state.ts';
import { advanceNsmState, retireAll } from '../../lib/host/nsm.ts';

/** Where statd keeps its records, and whose they must be. */
export type StatdHome = { readonly dir: string; readonly owner: Owner };

/** Makes what the daemons expect to find in a fresh state directory, and hands statd's part to this machine's account. */
export async function furnish(host: Host, { dir, owner }: StatdHome): Promise<void> {
  const lists = [`${dir}/sm`, `${dir}/sm.bak`];
  await host.run(['mkdir', '-p', '-m', '0755', '--', `${stateRoot}/v4recovery`, ...lists]);
  await host.run(['touch', '--', ...['etab', 'xtab', 'rmtab'].map((file) => `${stateRoot}/${file}`)]);
  await advanceNsmState(host, dir, owner); // clients ignore a restart under a number that they know
  await retireAll(host, dir);
  // The same account may have another number on the node that made the files, and statd runs as the owner of sm.
  const owners = await host.run(['stat', '-c', '%u:%g', '--', ...lists]);
  const wanted = `${owner.uid}:${owner.gid}`;
  const isForeign = (found: string) => found !== wanted;
  if (owners.trim().split('\n').some(isForeign))
    await host.run(['chown', '-R', '-h', '--', wanted, ...lists]);
}
