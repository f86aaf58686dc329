import { describe, expect, test } from 'vitest';
import { type Cib, readCib } from '../../../cli/facts/cib.ts';
import type { Cluster, Instance } from '../../../cli/facts/cluster.ts';
import { isTwice, runsOn, services } from '../../../cli/facts/service.ts';
import { parseXml } from '../../../cli/facts/xml.ts';

const primitive = (id: string, type: string, meta = ''): string =>
  `<primitive id="${id}" class="ocf" provider="tsha" type="${type}">${meta}</primitive>`;
const role = (value: string): string =>
  `<meta_attributes id="m"><nvpair id="n" name="target-role" value="${value}"/></meta_attributes>`;

const cibOf = ({ group = '', member = '', defaults = '' } = {}): Cib =>
  readCib(
    parseXml(
      `<cib><configuration><resources>
         <primitive id="fence" class="stonith" type="fence_ipmilan"/>
         <clone id="DataClone">${primitive('Data', 'drbd')}</clone>
         <group id="share">${group}${primitive('fs', 'Filesystem')}${primitive('ip', 'IPaddr2', member)}${primitive('notify', 'nfsnotify')}</group>
       </resources>${defaults}</configuration></cib>`,
    ),
  );

const instance = (id: string, node: string | null, changes: Partial<Instance> = {}): Instance => ({
  ...{ id, node, agent: id === 'fence' ? 'stonith:fence_ipmilan' : `ocf:tsha:${id}` },
  ...{ role: node === null ? 'Stopped' : 'Started', active: node !== null, failed: false, blocked: false },
  ...{ managed: true, orphaned: false, pending: null, targetRole: null },
  ...changes,
});

const clusterOf = (instances: readonly Instance[], cib: Cib = cibOf()): Cluster => ({
  ...{
    name: 'lab',
    dc: 'alpha',
    version: '2.1.5',
    hasQuorum: true,
    askedAt: 0,
    maintenance: false,
    nodes: [],
  },
  ...{ failures: [], instances, cib },
});

const fence = instance('fence', 'beta');
const data = (node: string, changes: Partial<Instance> = {}) =>
  instance('Data', node, { role: 'Unpromoted', ...changes });

// biome-ignore format: a table
describe('what of the service runs on a node', () => {
  test.each<readonly [string, readonly Instance[], readonly string[]]>([
    ['nothing but a fencing device and a second copy', [fence, data('alpha'), data('beta'), instance('fs', 'alpha')], []],
    ['all of it', [data('beta', { role: 'Promoted' }), instance('fs', 'beta'), instance('ip', 'beta')], ['Data', 'fs', 'ip']],
    ['a part of it', [data('beta'), instance('fs', 'beta'), instance('ip', null, { targetRole: 'Stopped' })], ['fs']],
    ['what has failed there', [instance('fs', 'beta', { failed: true, blocked: true })], ['fs']],
    ['only what DRBD promotes', [data('beta', { role: 'Promoted' })], ['Data']],
    ['what DRBD is about to promote', [data('beta', { pending: 'Promoting' })], ['Data']],
    ['what the configuration has no more', [instance('old', 'beta', { orphaned: true })], ['old']],
    ['what runs twice', [instance('fs', 'alpha'), instance('fs', 'beta')], ['fs']],
    ['what is starting', [instance('fs', 'beta', { role: 'Starting' })], ['fs']],
  ])('%s', (_, instances, there) => {
    expect(runsOn(clusterOf(instances), 'beta')).toEqual(there);
  });
});

const off = { targetRole: 'Stopped' };
const [fs, ip, notify] = ['fs', 'ip', 'notify'].map((id) => instance(id, 'beta'));
const [noFs, noIp, noNotify] = ['fs', 'ip', 'notify'].map((id) => instance(id, null));

// biome-ignore format: a table
describe('a service is switched off on purpose only', () => {
  test.each<readonly [string, readonly (Instance | undefined)[], Cib, state: string, at: string | null]>([
    ['nothing is',                               [fs, ip, notify],                          cibOf(), 'served', 'beta'],
    ['the group is, by the configuration',       [noFs, noIp, noNotify],                    cibOf({ group: role('Stopped') }), 'off', null],
    ['the defaults are, by the configuration',   [noFs, noIp, noNotify],                    cibOf({ defaults: `<rsc_defaults>${role('stopped')}</rsc_defaults>` }), 'off', null],
    ['everything is, by Pacemaker',              ['fs', 'ip', 'notify'].map((id) => instance(id, null, off)), cibOf(), 'off', null],
    ['the last member is',                       [fs, ip, instance('notify', null, off)],   cibOf(), 'off', 'beta'],
    ['one is, and the next one waits for it',    [fs, noIp, noNotify],                      cibOf({ member: role('Stopped') }), 'off', 'beta'],
    ['one is, after one that does not run',      [noFs, noIp, noNotify],                    cibOf({ member: role('Stopped') }), 'down', null],
    ['one is, and does not stop',                [fs, instance('ip', 'beta', { ...off, failed: true }), notify], cibOf(), 'down', 'beta'],
    ['one should run, whatever the defaults say', [noFs, ip, notify],                       cibOf({ group: role('Started'), defaults: `<rsc_defaults>${role('Stopped')}</rsc_defaults>` }), 'down', 'beta'],
    ['none is, and one does not run',            [fs, noIp, noNotify],                      cibOf(), 'down', 'beta'],
    ['none is, and nothing runs',                [noFs, noIp, noNotify],                    cibOf(), 'down', null],
  ])('%s', (_, instances, cib, state, at) => {
    const all = instances.filter((one) => one !== undefined);
    expect(services(clusterOf(all, cib))).toMatchObject([{ id: 'share', state, at }]);
  });
});

test('a resource without volumes has no second copy', () => {
  const peer = { name: 'beta', connection: 'Connected', role: 'Secondary', volumes: [], splitBrain: null };
  const none = {
    name: 'data',
    role: 'Primary',
    suspended: [],
    volumes: [],
    peers: [peer],
    lastPrimary: null,
  };
  expect(isTwice(none)).toBe(false);
});
