import type { Log } from '../../lib/contract/log.ts';
import { wordsOf } from '../../lib/contract/reason.ts';
import type { Host } from '../../lib/host/host.ts';
import { mountHolding, mounts } from '../../lib/host/storage/mounts.ts';
import { label, usesLabels } from '../../lib/host/storage/selinux.ts';
import type { Survey } from './survey.ts';

/** Root's, and open to rpc.statd's user, as /var/lib/tsha is not: that is hacluster's. Debian mounts /run noexec. */
const folder = '/var/lib/tsha-nfsserver';
const file = `${folder}/statd-callout`;

/**
 * rpc.statd runs it as its own user in its own directory: `add-client|del-client CLIENT SERVER`, the latter before it removes the
 * client's record. lockd has every client removed when the last nfsd thread has ended, whoever ended it, and then the record is
 * needed: it gets its second name in `sm.bak`. A client that leaves while the server runs is forgotten.
 */
const script = `#!/bin/sh
# Written by tsha:nfsserver for rpc.statd (ha-callout): the records of NFSv3 clients outlive the end of the server.
[ "$1" = del-client ] || exit 0
while read -r word threads rest; do
  [ "$word" != th ] || break
done < /proc/net/rpc/nfsd
[ "$word" != th ] || [ "$threads" = 0 ] || exit 0
if [ -f "sm/$2" ]; then set -- "sm/$2"; else set -- sm/*; fi # named after the client's name where it has one
for record; do
  [ -e "sm.bak/\${record##*/}" ] || ln -- "$record" sm.bak/
done
`;

/**
 * Makes the program that keeps records of a server which somebody else ends, and returns its path for nfs.conf; `undefined` where it
 * cannot be used: without NFSv3, with an nfs-utils that reads no nfs.conf, where the administrator has one of his own.
 */
export async function statdCallout(host: Host, log: Log, { v3, conf }: Survey): Promise<string | undefined> {
  if (!v3 || conf.get('statd', 'ha-callout') !== undefined || !(await host.sys.has('nfsconf')))
    return undefined;
  if (mountHolding(await mounts(host), folder)?.options.includes('noexec')) return undefined;
  try {
    await host.sys.makeDir(folder, 0o755);
    const { kind, uid, mode } = await host.sys.facts(folder);
    if (kind !== 'directory' || uid !== 0 || (mode & 0o27) !== 0o5)
      throw new Error(
        `${folder} is not root's alone, and open to others: user ${uid}, mode ${mode.toString(8)}`,
      );
    if ((await host.sys.read(file).catch(() => '')) === script) return file;
    await host.sys.write(file, script, 0o755);
  } catch (error) {
    log.warn(
      `rpc.statd has no ${file}, and a client that comes between two monitors is forgotten when somebody else ends the server: ${wordsOf(error)}`,
    );
    return undefined;
  }
  if (await usesLabels(host)) await label(host, log, ['chcon', '-t', 'bin_t', '--', file]);
  return file;
}
