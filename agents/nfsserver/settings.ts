import { nfsConf } from '../../lib/host/nfs-conf.ts';
import { stateRoot } from '../../lib/host/nfs-state.ts';
import { label, usesLabels } from '../../lib/host/selinux.ts';
import { sharedInfodir } from './infodir.ts';
import type { Ctx } from './params.ts';

// What nfs-utils must know while this server runs, below /run, so that nothing of it survives a crash of the node: the link that
// leads there from nfs.conf.d points nowhere then, which nfs-utils passes over.

export const ourConf = '/etc/nfs.conf.d/zz-tsha-nfsserver.conf';
const runDir = '/run/tsha-nfs';
const conf = `${runDir}/nfs.conf`;
const exportsDir = `${runDir}/exports`;

export async function writeSettings(ctx: Ctx, scope: string | undefined): Promise<void> {
  const { host, log } = ctx;
  const lines = [
    ...(scope === undefined ? [] : ['[nfsd]', `scope=${scope}`]),
    ...((await keepsExportsLocal(ctx))
      ? ['exportd', 'mountd'].flatMap((name) => [`[${name}]`, `state-directory-path=${exportsDir}`])
      : []),
  ];
  if (lines.length === 0) return removeSettings(ctx);
  await host.sys.makeDir(exportsDir);
  for (const file of ['etab', 'rmtab']) await host.sys.write(`${exportsDir}/${file}`, '');
  if (await usesLabels(host))
    await label(host, log, ['chcon', '-R', '--reference', stateRoot, '--', exportsDir]);
  await host.sys.write(conf, `# Written by tsha:nfsserver, removed when it stops.\n${lines.join('\n')}\n`);
  await host.sys.makeDir('/etc/nfs.conf.d');
  await host.run(['ln', '-sfn', '--', conf, ourConf]);
}

export async function removeSettings({ host }: Pick<Ctx, 'host'>): Promise<void> {
  await host.sys.remove(ourConf);
  await host.sys.remove(runDir);
}

/**
 * Exports belong to the node: their list must not travel with the state. And where the state is exported itself, a new etab
 * would break the directory delegation that an NFSv4 client may have (Linux 6.19): exportfs then waits for the whole lease for a
 * client that cannot answer, because the address has gone already.
 */
async function keepsExportsLocal(ctx: Ctx): Promise<boolean> {
  if (sharedInfodir(ctx) === undefined) return false;
  const chosen = await nfsConf(ctx.host, ourConf);
  return ['exportd', 'mountd'].every((name) => chosen.get(name, 'state-directory-path') === undefined);
}
