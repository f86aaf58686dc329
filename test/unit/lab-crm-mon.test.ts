import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseCrmMon } from '../lab/cluster/crm-mon.ts';
import { isInSync, parseProcDrbd } from '../lab/cluster/drbd.ts';

/** Debian 12, stock agents: the active node was put on standby, and nfsserver could not stop. */
const blocked = parseCrmMon(
  readFileSync(new URL('../fixtures/lab/crm-mon-blocked.xml', import.meta.url), 'utf8'),
);

test('nodes and quorum', () => {
  expect(blocked.hasQuorum).toBe(true);
  expect(blocked.nodes).toEqual([
    { name: 'node1', online: true, standby: false },
    { name: 'node2', online: true, standby: true },
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

const head = 'version: 8.4.11 (api:1/proto:86-101)\nsrcversion: DA6B55A41DED5E58CDBAB30 \n\n';
const tail = ' C r-----\n    ns:0 nr:2661 dw:2661 dr:0 al:0 bm:0 lo:0 pe:0 ua:0 ap:0 ep:1 wo:f oos:0\n';

test.each([
  ['Connected ro:Secondary/Primary ds:UpToDate/UpToDate', true],
  ['SyncTarget ro:Secondary/Primary ds:Inconsistent/UpToDate', false],
  ['WFConnection ro:Primary/Unknown ds:UpToDate/DUnknown', false],
])('/proc/drbd with cs:%s is in sync: %s', (line, inSync) => {
  expect(isInSync(parseProcDrbd(`${head} 1: cs:${line}${tail}`))).toBe(inSync);
});

test('/proc/drbd without the resource', () => {
  expect(parseProcDrbd(head)).toBeUndefined();
  expect(isInSync(undefined)).toBe(false);
});
