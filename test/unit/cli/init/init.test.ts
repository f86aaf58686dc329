import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Call } from '../../../../cli/command.ts';
import { pairOf } from '../../../../cli/configuration/pair.ts';
import { readConfiguration, readPair } from '../../../../cli/configuration/read.ts';
import { parseXml, within } from '../../../../cli/facts/xml.ts';
import { init } from '../../../../cli/init/command.ts';
import { fileText } from '../../../../cli/init/file-text.ts';
import { draftFromCluster } from '../../../../cli/init/from-cluster.ts';
import { terminalFor } from '../../../../cli/output/terminal.ts';
import { wantedOf } from '../../../../cli/plan/cluster.ts';
import { hostOn } from '../../../../lib/host/host.ts';
import { readXml } from '../../../../lib/host/xml.ts';
import type { Element } from '../../../../lib/host/xml-element.ts';
import { captured } from '../../../fake/captured.ts';

const now = new Date('2026-11-28T12:00:00Z');
const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../../fixtures/build', `${name}.xml`), 'utf8');

/** As `drbdadm dump-xml` tells it. */
const dump = (disks: readonly [string, string] = ['/dev/sdb1', '/dev/sdb1']) => `
  <resource name="data">
    <host name="node1"><volume vnr="0"><device minor="1">/dev/drbd1</device><disk>${disks[0]}</disk></volume>
      <address family="ipv4" port="7789">192.168.1.110</address></host>
    <host name="node2"><volume vnr="0"><device minor="1">/dev/drbd1</device><disk>${disks[1]}</disk></volume>
      <address family="ipv4" port="7789">192.168.1.112</address></host>
  </resource>`;
const draftOf = async (cib: string, drbd = dump()) =>
  draftFromCluster(parseXml(cib), (await readXml(drbd)) as Element, now);

describe('the file of a cluster with stock agents', () => {
  test.each(['stock-pcs', 'stock-crmsh'] as const)('%s', async (name) => {
    const text = fileText(await draftOf(fixture(name)), 'en');
    await expect(text).toMatchFileSnapshot(`golden/${name}.yaml`);
    const wanted = wantedOf(pairOf(readConfiguration('tsha.yaml', text, 'en')));
    const there = within(parseXml(fixture(name)), 'primitive').map(({ attributes }) => attributes['id']);
    expect(there).toEqual(expect.arrayContaining(wanted.resources.slice(0, -1).map(({ id }) => id)));
    expect(wanted.resources.every(({ type }) => /^ocf:(heartbeat|linbit):/.test(type))).toBe(true);
  });

  test("the tutorial's order is kept, and that it is meant to be so", async () => {
    const text = fileText(await draftOf(fixture('stock-pcs')), 'zh');
    expect(text).toContain('code: ADDRESS_FIRST');
    expect(text).toContain('code: INFODIR_EXPORTED');
    expect(wantedOf(pairOf(readConfiguration('x', text, 'en'))).group.members[0]).toBe('nfs_ip');
  });

  test('other disks on both nodes', async () => {
    const { draft } = await draftOf(fixture('stock-pcs'), dump(['/dev/sdb1', '/dev/sdc1']));
    expect(draft.nodes['node2']).toEqual({ replication: '192.168.1.112', disk: '/dev/sdc1' });
    expect(draft.drbd.disk).toBeUndefined();
  });

  test('the state on a volume of its own', async () => {
    const cib = fixture('stock-pcs')
      .replace(
        '<primitive id="nfs-daemon"',
        `<primitive id="NFSstate" class="ocf" provider="heartbeat" type="Filesystem"><instance_attributes id="s-i">
          <nvpair id="s-1" name="device" value="/dev/drbd2"/><nvpair id="s-2" name="directory" value="/nfsstate"/>
          <nvpair id="s-3" name="fstype" value="ext4"/></instance_attributes></primitive><primitive id="nfs-daemon"`,
      )
      .replace(/(name="nfs_shared_infodir" value=)"[^"]*"/, '$1"/nfsstate"');
    const volume = (disk: string) =>
      `</volume><volume vnr="1"><device minor="2">/dev/drbd2</device><disk>${disk}</disk></volume>`;
    let count = 0;
    const drbd = dump().replaceAll('</volume>', () => volume(['/dev/sdb2', '/dev/sdc2'][count++] ?? ''));
    const { draft, notes } = await draftOf(cib, drbd);
    expect(draft.state).toEqual({ device: '/dev/drbd2', type: 'ext4', directory: '/nfsstate' });
    expect(Object.values(draft.nodes).map(({ stateDisk }) => stateDisk)).toEqual(['/dev/sdb2', '/dev/sdc2']);
    expect(draft.drbd.disk).toBe('/dev/sdb1');
    const pair = pairOf(readConfiguration('x', fileText({ draft, notes }, 'en'), 'en'));
    expect(wantedOf(pair).group.members).toContain('NFSstate');
    expect(draft.accept?.map(({ code }) => code)).toEqual(['ADDRESS_FIRST']);
  });

  const other = (id: string) =>
    `<clone id="${id}Clone"><primitive id="${id}" class="ocf" provider="linbit" type="drbd"/><meta_attributes id="${id}-m"><nvpair id="${id}-p" name="promotable" value="true"/></meta_attributes></clone>`;
  const bond = (rsc: string, on: string, more = '') =>
    `<rsc_colocation id="c-${rsc}-${on}" rsc="${rsc}" with-rsc="${on}" score="INFINITY"${more}/>`;
  const promoted = ' with-rsc-role="Promoted"';
  // biome-ignore format: a table
  test.each<readonly [what: string, constraints: readonly string[], isOf: string]>([
    ['by what runs between',            [bond('nfsshare', 'between'), bond('between', 'DataClone', promoted)], 'data'],
    ['beside any instance of another',  [bond('nfsshare', 'WebClone'), bond('nfsshare', 'DataClone', promoted)], 'data'],
    ['promoted or not',                 [bond('nfsshare', 'DataClone')], 'data'],
    ['to both',                         [bond('nfsshare', 'between'), bond('between', 'WebClone', promoted), bond('NFS', 'DataClone', promoted)], 'several DRBD resources'],
    ['to none',                         [], 'no promotable clone of DRBD belongs to the group'],
  ])('of two DRBDs, tied %s', async (_, constraints, isOf) => {
    const cib = fixture('stock-pcs')
      .replaceAll(/<rsc_colocation [^>]*>/g, '')
      .replace('<resources>', `<resources>${other('Web')}`)
      .replace('</constraints>', `${constraints.join('')}</constraints>`);
    const found = await draftOf(cib).then(({ draft }) => draft.drbd.resource, String);
    expect(found).toContain(isOf);
  });

  test.each<readonly [what: string, change: (cib: string) => string, said: RegExp]>([
    [
      'no NFS server',
      (cib) => cib.replaceAll('type="nfsserver"', 'type="nginx"'),
      /no group holds an nfsserver/,
    ],
    ['no filesystem', (cib) => cib.replaceAll('type="Filesystem"', 'type="Other"'), /has no Filesystem/],
    ['no DRBD', (cib) => cib.replaceAll('type="drbd"', 'type="Dummy"'), /no promotable clone of DRBD/],
    [
      'a <master> of old',
      (cib) => cib.replace('<clone ', '<master ').replace('</clone>', '</master>'),
      /DataClone is a <master> of old/,
    ],
    [
      'another resource of DRBD',
      (cib) => cib.replace('value="data"', 'value="other"'),
      /knows no hosts of other/,
    ],
  ])('%s: said, exit status 3', async (_, change, said) => {
    await expect(draftOf(change(fixture('stock-pcs')))).rejects.toThrow(said);
  });

  test.each<readonly [what: string, change: (cib: string) => string, note: string]>([
    [
      'a parameter',
      (cib) => cib.replace('name="ip"', 'name="arp_count" value="9" id="x"/><nvpair name="ip"'),
      'nfs_ip has arp_count=9',
    ],
    ['no fsid', (cib) => cib.replace('name="fsid"', 'name="unlock_on_stop"'), 'nfs-root has no fsid'],
  ])('%s that the file has no word for is a note', async (_, change, note) => {
    expect((await draftOf(change(fixture('stock-pcs')))).notes.join('\n')).toContain(note);
  });
});

describe('tsha init', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tsha-init-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  const terminal = terminalFor({ LANG: 'C.UTF-8' }, { isTTY: false });
  const call = (name: string): Call =>
    ({ host: hostOn(captured(name).machine, 60_000), terminal, noInput: true }) as unknown as Call;
  const flags = {
    nodes: 'alpha=10.0.1.1,beta=10.0.1.2',
    disk: '/dev/vg0/nfs',
    directory: '/srv/nfs',
    ip: '10.0.0.9/24',
    export: ['/srv/nfs/home=10.0.0.0/24,@staff', '/srv/nfs/pub=*'],
  };

  test('of a running cluster of tsha: what it plans is what is there', async () => {
    const config = join(dir, 'new/tsha.yaml');
    expect(await init(call('healthy.node1'), { config, fromCluster: true, dryRun: false })).toBe('well');
    const { group, clone, resources } = wantedOf(readPair(config, 'en'));
    expect([clone.id, group.id, ...group.members]).toEqual([
      'DataClone',
      'nfsshare',
      'NFS',
      'nfs-daemon',
      'nfs-root',
      'nfs_ip',
      'nfs-notify',
    ]);
    expect(resources[0]?.type).toBe('ocf:tsha:drbd');
    expect(readdirSync(join(dir, 'new'))).toEqual(['tsha.yaml']);
  });

  test('by flags', async () => {
    const config = join(dir, 'flags.yaml');
    expect(await init(call('healthy.node1'), { ...flags, config, dryRun: false })).toBe('well');
    expect(readPair(config, 'en').exports.map(({ client }) => client)).toEqual([
      '10.0.0.0/24',
      '@staff',
      '*',
    ]);
    expect(readFileSync(config, 'utf8').match(/^# /gm)?.length).toBeGreaterThan(5);
  });

  test('by flags, with a disk for the state', async () => {
    const config = join(dir, 'state.yaml');
    const given = { ...flags, device: '/dev/drbd9', stateDisk: '/dev/vg0/state' };
    expect(await init(call('healthy.node1'), { ...given, config, dryRun: false })).toBe('well');
    expect(readPair(config, 'en').state).toMatchObject({
      device: '/dev/drbd10',
      disks: { alpha: '/dev/vg0/state', beta: '/dev/vg0/state' },
      directory: '/srv/nfs-state',
    });
  });

  test.each<readonly [what: string, prepare: (path: string) => void]>([
    ['a file', (path) => writeFileSync(path, 'mine')],
    ['a link that leads nowhere', (path) => symlinkSync('/nowhere/at/all', path)],
  ])('never over %s', async (what, prepare) => {
    const config = join(dir, what.replaceAll(' ', '-'));
    prepare(config);
    await expect(init(call('healthy.node1'), { ...flags, config, dryRun: false })).rejects.toThrow(
      /is there already/,
    );
    expect(readdirSync(dir).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  test.each<readonly [what: string, change: object, said: RegExp]>([
    ['nobody to ask', { nodes: undefined, ip: undefined }, /say --nodes, --ip/],
    ['nodes without addresses', { nodes: 'alpha,beta' }, /nodes "alpha,beta": write it as/],
    ['one node', { nodes: 'alpha=10.0.1.1' }, /a pair has two nodes, and here 1/],
    ['an export without clients', { export: ['/srv/nfs/home'] }, /export "\/srv\/nfs\/home": write it as/],
    ['an address without prefix', { ip: '10.0.0.9' }, /has no prefix length/],
    ['a disk that is no path', { disk: 'sdb' }, /"sdb" is no absolute path/],
  ])('%s: nothing is written', async (_, change, said) => {
    const config = join(dir, 'never.yaml');
    await expect(init(call('healthy.node1'), { ...flags, ...change, config, dryRun: false })).rejects.toThrow(
      said,
    );
    expect(readdirSync(dir)).not.toContain('never.yaml');
  });
});
