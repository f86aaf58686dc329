import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseCrmMon } from '../../lab/cluster/crm-mon.ts';
import { isInSync, parseDrbdState } from '../../lab/cluster/drbd.ts';

/** Debian 12, stock agents: the active node was put on standby, and nfsserver could not stop. */
const blocked = parseCrmMon(
  readFileSync(new URL('../../fixtures/lab/crm-mon-blocked.xml', import.meta.url), 'utf8'),
);

const drbdState = (state: string) =>
  parseDrbdState(readFileSync(new URL(`../../fixtures/drbd/${state}.events2.txt`, import.meta.url), 'utf8'));

test('nodes and quorum', () => {
  expect(blocked.hasQuorum).toBe(true);
  expect(blocked.nodes).toEqual([
    { name: 'node1', online: true, standby: false, maintenance: false },
    { name: 'node2', online: true, standby: true, maintenance: false },
  ]);
});

test.each([
  ['Data', 'Promoted', 'node2', false],
  ['Data', 'Unpromoted', 'node1', false],
  ['NFS', 'Started', 'node2', false],
  ['nfs-daemon', 'Started', 'node2', true],
  ['nfs_ip', 'Stopped', undefined, false],
])('resource %s is %s on %s, blocked: %s', (id, role, node, isBlocked) => {
  expect(blocked.resources).toContainEqual(
    expect.objectContaining({ id, role, node, blocked: isBlocked, failed: isBlocked }),
  );
});

test('a failed action, with the reason the agent gave', () => {
  expect(blocked.failures).toEqual([
    {
      resource: 'nfs-daemon',
      node: 'node2',
      task: 'stop',
      status: 'error',
      reason: 'Failed to unmount a bind mount',
    },
  ]);
  expect(blocked.failCounts).toEqual([{ resource: 'nfs-daemon', node: 'node2', count: '1000000' }]);
});

test('recurring and single operations', () => {
  const drbd = blocked.operations.filter(({ resource, node }) => resource === 'Data' && node === 'node2');
  expect(drbd).toContainEqual({ resource: 'Data', node: 'node2', task: 'promote', rc: 0, recurring: false });
  expect(drbd).toContainEqual({ resource: 'Data', node: 'node2', task: 'monitor', rc: 8, recurring: true });
});

test('something else than crm_mon is an error', () => {
  expect(() => parseCrmMon('<other/>')).toThrow('not what crm_mon prints');
});

test.each([
  ['drbd84/secondary-uptodate-both', true],
  ['drbd84/primary-uptodate-mounted', true],
  ['drbd84/secondary-synctarget', false],
  ['drbd84/primary-peer-diskless', false],
  ['drbd84/primary-connecting-peer-unknown', false],
  ['drbd84/primary-standalone-splitbrain', false],
  ['drbd9/secondary-uptodate-both', true],
  ['drbd9/primary-syncsource', false],
  ['drbd9/primary-standalone-splitbrain', false],
])('%s is in sync: %s', (state, inSync) => {
  expect(isInSync(drbdState(state))).toBe(inSync);
});

test.each(['drbd84', 'drbd9'])('%s: what both sides of a resync have and do', (generation) => {
  expect(drbdState(`${generation}/secondary-synctarget`)).toEqual({
    role: 'Secondary',
    disk: 'Inconsistent',
    connection: 'Connected',
    peerRole: 'Primary',
    replication: 'SyncTarget',
    peerDisk: 'UpToDate',
  });
});

test.each(['drbd84', 'drbd9'])('%s: a resource that is down has no state', (generation) => {
  expect(drbdState(`${generation}/down`)).toBeUndefined();
  expect(isInSync(undefined)).toBe(false);
});
