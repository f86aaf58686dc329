import { type StatdHome, stateRoot } from '../../lib/host/nfs-state.ts';
import { advanceNsmState, retireAll } from '../../lib/host/nsm.ts';
import { label, usesLabels } from '../../lib/host/selinux.ts';
import type { Ctx } from './params.ts';

/**
 * Makes what the daemons expect to find in a fresh state directory, and hands statd's part to this machine's account. Returns
 * whether it was a fresh one. Each command costs a failover some hundredths of a second: none runs for what is there already.
 */
export async function furnish(
  { host, log }: Pick<Ctx, 'host' | 'log'>,
  { dir, owner, mode }: StatdHome,
  speaksV3: boolean,
): Promise<boolean> {
  const recovery = `${stateRoot}/v4recovery`;
  const lists = speaksV3 ? [`${dir}/sm`, `${dir}/sm.bak`] : [];
  // exportfs locks export-lock here wherever etab is: it must not have to create it in a directory that may be exported
  const files = ['etab', 'xtab', 'rmtab', 'export-lock'].map((file) => `${stateRoot}/${file}`);
  const all = [recovery, ...lists, ...files];
  const { stdout } = await host.tryRun(['stat', '-c', '%u:%g %n', '--', ...all]); // fails for those that are not there
  const owners = new Map(stdout.split('\n').flatMap(ownerOf));
  const missing = (paths: readonly string[]) => paths.filter((path) => !owners.has(path));

  const make = async (octal: string, paths: readonly string[]) =>
    paths.length > 0 && (await host.run(['mkdir', '-p', '-m', octal, '--', ...paths]));
  await make('0755', missing([recovery]));
  await make(mode.toString(8).padStart(4, '0'), missing(lists));
  if (missing(files).length > 0) await host.run(['touch', '--', ...missing(files)]);

  if (speaksV3) {
    // The same account may have another number on the node that made the files, and statd runs as the owner of sm.
    const wanted = `${owner.uid}:${owner.gid}`;
    const isOwn = (path: string) => (owners.get(path) ?? '0:0') === wanted;
    if (!lists.every(isOwn)) await host.run(['chown', '-R', '-h', '--', wanted, ...lists]);
    await Promise.all([
      advanceNsmState(host, dir, owner), // clients ignore a restart under a number that they know
      retireAll(host, dir),
    ]);
  }
  if (await usesLabels(host)) {
    // never stateRoot with -R: the data may be below, too
    await label(host, log, ['restorecon', '--', stateRoot, ...files, ...(speaksV3 ? [`${dir}/state`] : [])]);
    await label(host, log, ['restorecon', '-R', '--', recovery, ...lists]);
  }
  return missing([recovery]).length > 0;
}

const ownerOf = (line: string): readonly (readonly [path: string, owner: string])[] => {
  const [, owner, path] = /^(\d+:\d+) (.*)$/.exec(line) ?? [];
  return owner !== undefined && path !== undefined ? [[path, owner]] : [];
};
