import { test } from 'vitest';
import { expectOcft, type Stale } from './ocft.ts';

const optional = 'fsid is optional since 4.13, whose cases have none about it';
const stale: readonly Stale[] = ['exportfs', 'exportfs-multidir'].map((suite) => [
  suite,
  1,
  'AgentRun start OCF_ERR_CONFIGURED',
  'AgentRun start OCF_SUCCESS',
  optional,
]);

/** The exports of this machine, and the kernel files of an NFS server that runs. */
const nfs = `
touch /var/lib/nfs/etab /var/lib/nfs/rmtab
mount -t tmpfs nfsd /proc/fs/nfsd
echo 8 > /proc/fs/nfsd/threads
: > /proc/fs/nfsd/unlock_filesystem
`;

test.concurrent.each([
  ['Filesystem', 'Filesystem', ''],
  ['exportfs', 'exportfs', nfs],
  ['exportfs', 'exportfs-multidir', nfs],
] as const)('ocft of %s: %s', { timeout: 400_000 }, (agent, suite, prepare) =>
  expectOcft(agent, suite, stale, { prepare }),
);
