import { rmSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { moveFor, preconditions, switchOver } from '../../../cli/commands/switch.ts';
import { type Cib, readCib } from '../../../cli/facts/cib.ts';
import type { Cluster } from '../../../cli/facts/cluster.ts';
import { type Facts, gather } from '../../../cli/facts/gather.ts';
import { movementOf, services } from '../../../cli/facts/service.ts';
import { parseXml } from '../../../cli/facts/xml.ts';
import { wordsIn } from '../../../cli/output/words.ts';
import { hostOn } from '../../../lib/host/host.ts';
import { captured } from '../../fake/captured.ts';
import { FakePair } from '../../fake/pair.ts';

// What moves as one, be it a group or resources that constraints hold together.

vi.mock('../../../cli/output/print.ts', () => ({ print: () => {}, printLines: () => {} }));

const english = wordsIn('en');
const kept: FakePair[] = [];
afterEach(() => {
  for (const { lockDirs } of kept.splice(0))
    for (const dir of Object.values(lockDirs)) rmSync(dir, { recursive: true, force: true });
});

/** `a with b` as a constraint that nothing outweighs. */
const bond = (rsc: string, other: string, more = '', score = 'INFINITY'): string =>
  `<rsc_colocation id="c-${rsc}-${other}${score}" rsc="${rsc}" with-rsc="${other}" score="${score}"${more}/>`;
const promoted = ' with-rsc-role="Promoted"';
const chain = [
  bond('NFS', 'DataClone', promoted),
  bond('nfs-daemon', 'NFS'),
  bond('nfs-root', 'nfs-daemon'),
  bond('nfs_ip', 'nfs-root'),
  bond('nfs-notify', 'nfs_ip'),
];

/** The lab's resources without their group. */
const apart = (cib: string, constraints: readonly string[] = chain): string =>
  cib
    .replaceAll(/<\/?group[^>]*>/g, '')
    .replace(/<rsc_colocation [^>]*>/, constraints.join(''))
    .replaceAll('"nfsshare"', '"NFS"');

async function looked(change: (cib: string) => string): Promise<{ facts: Facts; cluster: Cluster }> {
  const { machine, time } = captured('healthy.node1');
  const { stdout } = await machine.run({ argv: ['cibadmin', '--query'], timeoutMs: 1 });
  machine.on('cibadmin', () => change(stdout));
  const facts = await gather(hostOn(machine, 60_000), time);
  if (facts.cluster.is === 'unknown') throw new Error(facts.cluster.why);
  return { facts, cluster: facts.cluster.value };
}

function planned(cluster: Cluster, service: string | null = null) {
  const move = moveFor(cluster, { to: 'node1', service }, english);
  if (move === 'there') throw new Error('there');
  return move;
}

describe('resources that stand apart and are held together by constraints', () => {
  const all = ['NFS', 'nfs-daemon', 'nfs-root', 'nfs_ip', 'nfs-notify'];

  test.each([null, 'nfs_ip', 'NFS'])('they move as one, whichever is named: %s', async (service) => {
    const { cluster } = await looked(apart);
    const move = planned(cluster, service);
    expect(move).toMatchObject({ resource: 'DataClone', role: 'Promoted', from: 'node2' });
    expect(move.services.map(({ id }) => id).sort()).toEqual([...all].sort());
    if (service === null) expect(move.service.name).toBe('10.77.0.20');
  });

  test.each(all)('%s has failed there: refused', async (resource) => {
    const { facts, cluster } = await looked(apart);
    const failure = { resource, node: 'node1', action: 'start', reason: 'no', at: null };
    const failed = { ...cluster, failures: [failure] };
    const unmet = preconditions(facts, failed, planned(failed), english).filter(({ holds }) => !holds);
    expect(unmet).toMatchObject([{ what: `failures on node1: ${resource}`, acceptable: 'RESOURCE_FAILED' }]);
  });

  test.each([
    ['a ban', '<rsc_location id="cli-ban-x" rsc="nfs-daemon" node="node1" score="-INFINITY"/>', /in the way/],
    ['one that is not managed', null, /manages the service/],
  ])('%s is found', async (_, constraint, why) => {
    const { facts, cluster } = await looked((cib) =>
      apart(cib).replace('<constraints>', `<constraints>${constraint ?? ''}`),
    );
    const instances = cluster.instances.map((one) =>
      constraint === null && one.id === 'nfs-daemon' ? { ...one, managed: false } : one,
    );
    const now = { ...cluster, instances };
    const unmet = preconditions(facts, now, planned(now), english).filter(({ holds }) => !holds);
    expect(unmet.map(({ what }) => what)).toEqual([expect.stringMatching(why)]);
  });

  test.each([
    ['all of it arrives', '', 'well'],
    ['the server does not come up there', 'nfs-daemon', 'halfway'],
    ['the last of the chain does not', 'nfs-notify', 'halfway'],
  ])('%s', async (_, down, ending) => {
    const pair = new FakePair('healthy');
    kept.push(pair);
    for (const machine of Object.values(pair.machines)) {
      const [cibadmin, mon] = ['cibadmin', 'crm_mon'].map((program) => machine.handler(program));
      machine.on('cibadmin', async (args, command) => {
        const output = await cibadmin?.(args, command);
        return typeof output === 'string' ? apart(output) : (output ?? '');
      });
      machine.on('crm_mon', async (args, command) => {
        const output = await mon?.(args, command);
        const text = typeof output === 'string' ? output : (output?.stdout ?? '');
        return pair.active === 'node1' && down !== ''
          ? text.replace(
              new RegExp(`(<resource id="${down}" [^>]*)role="Started" active="true"`),
              '$1role="Stopped" active="false"',
            )
          : text;
      });
    }
    const options = { to: 'node1', service: null, dryRun: false, yes: true, although: [] };
    expect(await switchOver(pair.call('node2'), options)).toBe(ending);
    expect(pair.constraint).toBeNull();
  });
});

const lone = (id: string): string => `<primitive id="${id}" class="ocf" provider="heartbeat" type="Dummy"/>`;
const otherDrbd = `<clone id="WebClone"><primitive id="Web" class="ocf" type="drbd" provider="linbit"/>
  <meta_attributes id="wm"><nvpair id="w2" name="promotable" value="true"/></meta_attributes></clone>`;

// biome-ignore format: a table
describe.each(['first', 'last'])('what another resource is to the service, %s in the CIB', (at) => {
  test.each<readonly [string, string, joins: boolean]>([
    ['it runs with it',                   bond('backup', 'nfsshare'), true],
    ['it runs with a member of it',       bond('backup', 'nfs_ip'), true],
    ['it runs with the promoted DRBD',    bond('backup', 'DataClone', promoted), true],
    ['by the word of old',                bond('backup', 'DataClone', ' with-rsc-role="Master"'), true],
    ['by a number',                       bond('backup', 'nfsshare', '', '1000000'), true],
    ['it is kept away from it',           bond('backup', 'DataClone', promoted, '-INFINITY'), false],
    ['it is kept away from it by number', bond('backup', 'DataClone', promoted, '-1000000'), false],
    ['it had better be with it',          bond('backup', 'DataClone', promoted, '500'), false],
    ['without a score',                   bond('backup', 'DataClone', promoted, ''), false],
    ['it runs beside DRBD, promoted or not', bond('backup', 'DataClone'), false],
    ['it runs with what is with the promoted DRBD', bond('backup', 'other') + bond('other', 'DataClone', promoted), true],
    ['beside a DRBD that is promoted with it', bond('backup', 'WebClone') + bond('WebClone', 'DataClone', ` rsc-role="Promoted"${promoted}`), false],
    ['it runs where DRBD is Secondary',   bond('backup', 'DataClone', ' with-rsc-role="Unpromoted"'), false],
    ['nothing',                           '', false],
  ])('%s', async (_, constraint, joins) => {
    const { cluster } = await looked((cib) =>
      cib
        .replace('<resources>', `<resources>${at === 'first' ? lone('backup') : ''}`)
        .replace('</resources>', `${at === 'last' ? lone('backup') : ''}${lone('other')}${otherDrbd}</resources>`)
        .replace('<constraints>', `<constraints>${constraint}`),
    );
    const runs = cluster.instances.find(({ id }) => id === 'nfs_ip');
    if (!runs) throw new Error('no address');
    const now = { ...cluster, instances: [...cluster.instances, { ...runs, id: 'backup' }] };
    const move = planned(now);
    expect(move).toMatchObject({ service: { id: 'nfsshare' }, resource: 'DataClone', role: 'Promoted' });
    expect(move.services.map(({ id }) => id)).toEqual(joins ? ['nfsshare', 'backup'] : ['nfsshare']);
    expect(planned(now, 'backup').services.map(({ id }) => id)).toEqual(joins ? ['backup', 'nfsshare'] : ['backup']);
    expect(planned(now, 'backup').resource).toBe(joins ? 'DataClone' : 'backup');
  });
});

test('of services that run with two DRBDs one has to be named', async () => {
  const { cluster } = await looked((cib) =>
    cib
      .replace('</resources>', `${otherDrbd}${lone('web')}</resources>`)
      .replace('<constraints>', `<constraints>${bond('web', 'WebClone', promoted)}`),
  );
  const runs = cluster.instances.find(({ id }) => id === 'nfs_ip');
  if (!runs) throw new Error('no address');
  const now = { ...cluster, instances: [...cluster.instances, { ...runs, id: 'web' }] };
  expect(() => planned(now)).toThrow('there are several services: nfsshare, web');
  expect(planned(now, 'web')).toMatchObject({ resource: 'WebClone', services: [{ id: 'web' }] });
  expect(() => planned(now, 'x')).toThrow('there is no service x');
});

test('without DRBD: the constraint is for what the others run with', async () => {
  const { cluster } = await looked((cib) => apart(cib, chain.slice(1)));
  expect(planned(cluster, 'nfs_ip')).toMatchObject({ resource: 'NFS', role: null });
});

const colocationsIn = (constraint: string): Cib['colocations'] =>
  readCib(parseXml(`<cib><configuration><constraints>${constraint}</constraints></configuration></cib>`))
    .colocations;

test('sets: the first runs with the second, and a member with the one before it', () => {
  const set = (id: string, more: string, ...members: readonly string[]) =>
    `<resource_set id="${id}"${more}>${members.map((one) => `<resource_ref id="${one}"/>`).join('')}</resource_set>`;
  const sets = colocationsIn(
    `<rsc_colocation id="c" score="INFINITY">${set('s1', '', 'a', 'b')}${set('s2', ' sequential="false"', 'c', 'd')}${set('s3', ' role="Promoted"', 'e')}</rsc_colocation>`,
  );
  expect(sets.map((one) => `${one.resource}-${one.with}${one.withRole ?? ''}`)).toEqual([
    ...['b-a', 'a-c', 'a-d', 'b-c', 'b-d', 'c-ePromoted', 'd-ePromoted'],
  ]);
  expect(sets.every(({ score }) => score === 'INFINITY')).toBe(true);
});

test('constraints in a circle come to an end', async () => {
  const { cluster } = await looked((cib) => apart(cib, [...chain.slice(1), bond('NFS', 'nfs_ip')]));
  const [first] = services(cluster);
  if (!first) throw new Error('none');
  expect(movementOf(cluster, first).services).toHaveLength(5);
});
