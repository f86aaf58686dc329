import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { merge } from '../../../../cli/apply/merge.ts';
import { requireOnlyOwn, textOf } from '../../../../cli/apply/workshop.ts';
import { type Pair, pairOf } from '../../../../cli/configuration/pair.ts';
import { readConfiguration } from '../../../../cli/configuration/read.ts';
import { readCib } from '../../../../cli/facts/cib.ts';
import { type Element, parseXml, within } from '../../../../cli/facts/xml.ts';
import { fileText } from '../../../../cli/init/file-text.ts';
import { draftFromCluster } from '../../../../cli/init/from-cluster.ts';
import { wantedOf } from '../../../../cli/plan/cluster.ts';
import { readXml } from '../../../../lib/host/xml.ts';
import type { Element as XmlElement } from '../../../../lib/host/xml-element.ts';
import { pairYaml } from '../configuration/pair.yaml.ts';

const empty = `<cib admin_epoch="0" epoch="3" num_updates="0"><configuration><crm_config/><nodes><node id="1" uname="alpha"/><node id="2" uname="beta"/></nodes>
  <resources><primitive id="other" class="ocf" provider="pacemaker" type="Dummy"/></resources><constraints/></configuration><status/></cib>`;
const pair = (change: (yaml: string) => string = (yaml) => yaml): Pair =>
  pairOf(readConfiguration('tsha.yaml', change(pairYaml), 'en'));
const made = (cib: string | Element, of: Pair = pair()) =>
  merge(typeof cib === 'string' ? parseXml(cib) : cib, wantedOf(of), 'nfs-export-');
const said = (cib: string | Element, of?: Pair): readonly string[] =>
  made(cib, of).changes.map(({ kind, id, what }) => `${kind} ${id} ${what}`);

/** A cluster that is as the file says, as text. */
const built = textOf(made(empty).cib);
const members = (cib: Element): readonly (string | undefined)[] =>
  within(cib, 'group').flatMap((group) =>
    within(group, 'primitive').map(({ attributes }) => attributes['id']),
  );

test('an empty cluster becomes the pair; once more, nothing differs, and nothing is touched', () => {
  expect(made(empty).changes).toHaveLength(14);
  const again = made(built);
  expect(again.changes).toEqual([]);
  expect(textOf(again.cib)).toBe(built);
  expect(built).toContain('id="other"');
});

// biome-ignore format: a table
test.each([
  ['pacemaker-3.7', 'Promoted', 'Unpromoted'],
  ['pacemaker-3.10', 'Promoted', 'Unpromoted'],
  ['pacemaker-4.0', 'Promoted', 'Unpromoted'],
  ['pacemaker-next', 'Promoted', 'Unpromoted'],
  ['pacemaker-3.6', 'Master', 'Slave'],
  ['pacemaker-2.10', 'Master', 'Slave'],
])('roles in the words of the schema: %s', (schema, promoted, unpromoted) => {
  const { cib } = made(empty.replace('<cib ', `<cib validate-with="${schema}" `));
  expect(within(cib, 'op').flatMap((op) => op.attributes['role'] ?? [])).toEqual([promoted, unpromoted]);
  expect(within(cib, 'rsc_colocation').map((one) => one.attributes['with-rsc-role'])).toEqual([promoted]);
  expect(readCib(cib).promoted).toBe(promoted);
  expect(made(cib).changes).toEqual([]);
});

describe('what the file says changes', () => {
  test.each<readonly [what: string, change: (yaml: string) => string, expected: readonly string[]]>([
    [
      'an address',
      (yaml) => yaml.replace('10.0.0.9/24', '10.0.0.8/25'),
      [
        '~ nfs-ip ip: 10.0.0.9 → 10.0.0.8',
        '~ nfs-ip cidr_netmask: 24 → 25',
        '~ nfs-notify source_host: 10.0.0.9,2001:db8::9 → 10.0.0.8,2001:db8::9',
      ],
    ],
    [
      'no interface any more',
      (yaml) => yaml.replace(', interface: eth0', ''),
      ['~ nfs-ip nic: eth0 → –', '~ nfs-ip6 nic: eth0 → –'],
    ],
    [
      'a further export',
      (yaml) => yaml.replace('fencing:', '  - { directory: /srv/nfs/c, clients: [a], fsid: 3 }\nfencing:'),
      ['+ nfs-export-c-a ocf:tsha:exportfs clientspec=a options=rw,sync directory=/srv/nfs/c fsid=3'],
    ],
    [
      'an export less',
      (yaml) => yaml.replace(/^.*\/srv\/nfs\/pub.*\n/m, ''),
      ['- nfs-export-pub-all exportfs'],
    ],
    [
      'a client less',
      (yaml) => yaml.replace('10.0.0.0/24, ', ''),
      ['- nfs-export-home-10.0.0.0-24 exportfs'],
    ],
    [
      'stickiness',
      (yaml) => `${yaml}meta: { resource-stickiness: 200, migration-threshold: 3 }\n`,
      ['~ nfs resource-stickiness: 100 → 200'],
    ],
    [
      'the provider',
      (yaml) =>
        yaml
          .replace('name: nfs', 'name: nfs\nprovider: stock')
          .replace(/^ {2}(lease|grace|ports):.*\n/gm, ''),
      expect.arrayContaining([
        '~ nfs-drbd ocf:tsha:drbd → ocf:linbit:drbd',
        '~ nfs-server nfs_lease_time: 15 → –',
      ]),
    ],
  ])('%s', (_, change, expected) => {
    const after = made(built, pair(change));
    expect(after.changes.map(({ kind, id, what }) => `${kind} ${id} ${what}`)).toEqual(expected);
    expect(said(after.cib, pair(change)), 'once more').toEqual([]);
  });

  test('a new export stands with the others, in front of the address', () => {
    const change = (yaml: string) =>
      yaml.replace('fencing:', '  - { directory: /srv/nfs/c, clients: [a], fsid: 3 }\nfencing:');
    expect(members(made(built, pair(change)).cib)).toEqual(wantedOf(pair(change)).group.members);
  });
});

describe("what is somebody else's stays", () => {
  test.each<readonly [what: string, change: (cib: string) => string]>([
    [
      'a parameter that the file has no word for',
      (cib) =>
        cib.replace(
          'name="ip" value="10.0.0.9"/>',
          'name="ip" value="10.0.0.9"/><nvpair id="q" name="arp_count" value="9"/>',
        ),
    ],
    [
      'a member of the group',
      (cib) =>
        cib.replace(
          '<primitive id="nfs-ip"',
          '<primitive id="mail" class="ocf" provider="heartbeat" type="MailTo"/><primitive id="nfs-ip"',
        ),
    ],
    [
      'an export in the group that does not begin with our name',
      (cib) =>
        cib.replace(
          '<primitive id="nfs-fs"',
          '<primitive id="mine" class="ocf" provider="tsha" type="exportfs"/><primitive id="nfs-fs"',
        ),
    ],
    [
      'intervals and timeouts',
      (cib) => cib.replaceAll('timeout="20s"', 'timeout="77s"').replace('interval="20s"', 'interval="9s"'),
    ],
    [
      'meta attributes',
      (cib) =>
        cib.replace(
          'name="notify" value="true"/>',
          'name="notify" value="true"/><nvpair id="q" name="interleave" value="true"/>',
        ),
    ],
    ['a resource beside it', (cib) => cib.replace('type="Dummy"', 'type="Stateful"')],
    [
      'a constraint of the same meaning',
      (cib) => cib.replace('id="nfs-with-promoted"', 'id="colocation-nfs-INFINITY"'),
    ],
    [
      "pacemaker's old role",
      (cib) =>
        cib
          .replace('with-rsc-role="Promoted"', 'with-rsc-role="Master"')
          .replace('role="Promoted"', 'role="Master"'),
    ],
  ])('%s', (_, change) => {
    const cib = change(built);
    expect(cib).not.toBe(built);
    expect(said(cib)).toEqual([]);
    expect(textOf(made(cib).cib)).toBe(textOf(parseXml(cib)));
  });

  test('a member of the group keeps its place when an export comes and another goes', () => {
    const cib = built.replace(
      '<primitive id="nfs-ip"',
      '<primitive id="mail" class="ocf" provider="heartbeat" type="MailTo"/><primitive id="nfs-ip"',
    );
    const change = (yaml: string) => yaml.replace('/srv/nfs/pub', '/srv/nfs/other');
    const after = members(made(cib, pair(change)).cib);
    expect(after.indexOf('mail')).toBe(after.indexOf('nfs-ip') - 1);
    expect(after).toContain('nfs-export-other-all');
    expect(after).not.toContain('nfs-export-pub-all');
  });
});

describe('what is missing comes', () => {
  test.each<readonly [what: string, change: (cib: string) => string, expected: readonly string[]]>([
    [
      'the monitor of the promoted role, with an interval of its own',
      (cib) =>
        cib
          .replace(/<op id="nfs-drbd-monitor-interval-20s"[^>]*>/, '')
          .replace(
            'id="nfs-drbd-monitor-interval-30s" name="monitor" interval="30s"',
            'id="m" name="monitor" interval="20s"',
          ),
      ['~ nfs-drbd op monitor interval=21s timeout=20s role=Promoted'],
    ],
    [
      'notify',
      (cib) => cib.replace(/<nvpair id="[^"]*" name="notify" value="true"\/>/, ''),
      ['~ nfs-drbd-clone notify: – → true'],
    ],
    [
      'the colocation',
      (cib) => cib.replace(/<rsc_colocation [^>]*>/, ''),
      ['+ nfs-with-promoted nfs with Promoted nfs-drbd-clone'],
    ],
    [
      'a colocation that is only a wish',
      (cib) => cib.replace('score="INFINITY"', 'score="100"').replace('id="nfs-with-promoted"', 'id="w"'),
      ['+ nfs-with-promoted nfs with Promoted nfs-drbd-clone'],
    ],
    [
      'an order that is only a wish',
      (cib) =>
        cib.replace('kind="Mandatory"', 'kind="Optional"').replace('id="nfs-after-promotion"', 'id="w"'),
      ['+ nfs-after-promotion promote nfs-drbd-clone then start nfs'],
    ],
    [
      'the address in front of the exports',
      (cib) => {
        const ip = /<primitive id="nfs-ip".*?<\/primitive>/s.exec(cib)?.[0] ?? '';
        return cib.replace(ip, '').replace('<primitive id="nfs-fs"', `${ip}<primitive id="nfs-fs"`);
      },
      [expect.stringMatching(/^~ nfs order: nfs-ip nfs-fs .* → nfs-fs .* nfs-ip6/) as unknown as string],
    ],
  ])('%s', (_, change, expected) => {
    const cib = change(built);
    expect(cib).not.toBe(built);
    expect(said(cib)).toEqual(expected);
    expect(made(made(cib).cib).changes).toEqual([]);
  });
});

test.each<readonly [what: string, cib: string, why: RegExp]>([
  [
    'a resource of another agent',
    empty.replaceAll('"other"', '"nfs-fs"'),
    /the id nfs-fs is taken: it is a Dummy/,
  ],
  ['a primitive for the group', empty.replaceAll('"other"', '"nfs"'), /the id nfs is taken: it is a Dummy/],
  [
    'a member outside the group',
    empty.replace(
      'id="other" class="ocf" provider="pacemaker" type="Dummy"',
      'id="nfs-fs" class="ocf" provider="tsha" type="Filesystem"',
    ),
    /the id nfs-fs is taken: it stands outside nfs/,
  ],
  [
    'a group within a clone',
    built.replace('<group', '<clone id="all"><group').replace('</group>', '</group></clone>'),
    /the id nfs is taken/,
  ],
])('%s is taken: refused', (_, cib, why) => {
  expect(() => made(cib)).toThrow(why);
});

test('what is read and written again has every value as it was, blanks around lists of Pacemaker included', () => {
  const live = readFileSync(join(import.meta.dirname, '../../../fixtures/build/live-pair.xml'), 'utf8');
  const values = (text: string) => [...text.matchAll(/ [\w-]+="[^"]*"/g)].map(([value]) => value);
  expect(live).toContain('op-force-restart="  options fstype');
  expect(values(textOf(parseXml(live)))).toEqual(values(live));
});

describe('a cluster whose file was written of it', () => {
  const dump = `<resource name="data"><host name="node1"><volume vnr="0"><device minor="1">/dev/drbd1</device><disk>/dev/sdb1</disk></volume>
    <address family="ipv4" port="7789">192.168.1.1</address></host><host name="node2"><volume vnr="0"><device minor="1">/dev/drbd1</device>
    <disk>/dev/sdb1</disk></volume><address family="ipv4" port="7789">192.168.1.2</address></host></resource>`;
  const fixture = (name: string) =>
    readFileSync(join(import.meta.dirname, '../../../fixtures/build', `${name}.xml`), 'utf8');

  test.each([
    ['stock-pcs', 'nfsshare'],
    ['stock-crmsh', 'g_nfs'],
  ] as const)('%s: only operations and options that were missing', async (name, group) => {
    const cib = parseXml(fixture(name));
    const text = fileText(draftFromCluster(cib, (await readXml(dump)) as XmlElement, new Date()), 'en');
    const own = pairOf(readConfiguration('x', text, 'en'));
    const lines = merge(cib, wantedOf(own), 'nfs-export-').changes.map(({ kind, what }) => `${kind} ${what}`);
    expect(
      lines.filter(
        (line) =>
          !/^~ (op |nfs_no_notify: – → true|promoted-(node-)?max: – → 1|clone-node-max: – → 1)/.test(line),
      ),
    ).toEqual([]);
    expect(within(merge(cib, wantedOf(own), 'nfs-export-').cib, 'group')[0]?.attributes['id']).toBe(group);
  });
});

test.each<readonly [what: string, diff: string, isOwn: boolean]>([
  [
    'our parameter',
    '<change operation="modify" path="/cib/configuration/resources/group[@id=\'nfs\']/primitive[@id=\'nfs-ip\']/x"/>',
    true,
  ],
  [
    'our new group',
    '<change operation="create" path="/cib/configuration/resources" position="1"><group id="nfs"/></change>',
    true,
  ],
  [
    'a new resource of another',
    '<change operation="create" path="/cib/configuration/resources" position="1"><group id="web"/></change>',
    false,
  ],
  [
    'another resource',
    '<change operation="modify" path="/cib/configuration/resources/primitive[@id=\'other\']"/>',
    false,
  ],
  [
    "another's member of our group",
    '<change operation="delete" path="/cib/configuration/resources/group[@id=\'nfs\']/primitive[@id=\'mail\']"/>',
    false,
  ],
  [
    'that it moves',
    '<change operation="move" path="/cib/configuration/resources/group[@id=\'nfs\']/primitive[@id=\'mail\']" position="3"/>',
    true,
  ],
  [
    'a property',
    '<change operation="create" path="/cib/configuration/crm_config"><nvpair id="nfs"/></change>',
    false,
  ],
  ['the status', '<change operation="delete" path="/cib/status"/>', false],
  ['all constraints', '<change operation="delete" path="/cib/configuration/constraints"/>', false],
])('a difference may touch only what is ours: %s', (_, diff, isOwn) => {
  const check = () => requireOnlyOwn(`<diff>${diff}</diff>`, ['nfs', 'nfs-ip']);
  if (isOwn) expect(check).not.toThrow();
  else expect(check).toThrow(/which is not of this pair/);
});

test.each<readonly [what: string, diff: string, isOwn: boolean]>([
  [
    'made',
    '<change operation="create" path="/cib/configuration/crm_config/cluster_property_set[@id=\'cib-bootstrap-options\']" position="9"><nvpair id="our-entry" name="maintenance-mode"/></change>',
    true,
  ],
  [
    'made with its set',
    '<change operation="create" path="/cib/configuration/crm_config"><cluster_property_set id="any"><nvpair id="our-entry"/></cluster_property_set></change>',
    true,
  ],
  [
    'taken away',
    '<change operation="delete" path="/cib/configuration/crm_config/cluster_property_set[@id=\'any\']/nvpair[@id=\'our-entry\']"/>',
    true,
  ],
  [
    'beside another',
    '<change operation="create" path="/cib/configuration/crm_config"><cluster_property_set id="any"><nvpair id="our-entry"/><nvpair id="other"/></cluster_property_set></change>',
    false,
  ],
  [
    'of somebody else',
    '<change operation="delete" path="/cib/configuration/crm_config/cluster_property_set[@id=\'any\']/nvpair[@id=\'other\']"/>',
    false,
  ],
  [
    'the whole set',
    '<change operation="delete" path="/cib/configuration/crm_config/cluster_property_set[@id=\'any\']"/>',
    false,
  ],
])('an entry of the properties that is named: %s', (_, diff, isOwn) => {
  const check = () => requireOnlyOwn(`<diff>${diff}</diff>`, ['nfs'], ['our-entry']);
  if (isOwn) expect(check).not.toThrow();
  else expect(check).toThrow(/which is not of this pair/);
});
