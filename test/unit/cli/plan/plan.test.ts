import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { type Pair, pairOf } from '../../../../cli/configuration/pair.ts';
import { readConfiguration } from '../../../../cli/configuration/read.ts';
import { generationHere } from '../../../../cli/drbd/side.ts';
import { parseXml, within } from '../../../../cli/facts/xml.ts';
import { wantedOf } from '../../../../cli/plan/cluster.ts';
import { drbdResource, nfsConf } from '../../../../cli/plan/files.ts';
import { planScript } from '../../../../cli/plan/script.ts';
import { planWords } from '../../../../cli/plan/words.ts';
import { configurationXml } from '../../../../cli/plan/xml.ts';
import { hostOn } from '../../../../lib/host/host.ts';
import { FakeMachine } from '../../../fake/machine.ts';
import { pairWithState, pairYaml } from '../configuration/pair.yaml.ts';

const pair = (change: (yaml: string) => string = (yaml) => yaml): Pair =>
  pairOf(readConfiguration('tsha.yaml', change(pairYaml), 'en'));
const stock = () => pair((yaml) => yaml.replace('name: nfs', 'name: nfs\nprovider: stock'));
const only4 = (yaml: string) =>
  yaml.replace('versions: [4, 3]', 'versions: [4]').replace(/^ {2}ports:.*\n/m, '');
const text = (lines: readonly string[]) => `${lines.join('\n')}\n`;

describe('golden', () => {
  test.each([
    ['pcs', 8, 'en'],
    ['crm', 9, 'en'],
    ['pcs', 9, 'zh'],
  ] as const)('%s, DRBD %i, %s', async (tool, generation, language) => {
    await expect(text(planScript(pair(), tool, generation, language))).toMatchFileSnapshot(
      `golden/plan-${tool}-${language}.txt`,
    );
  });
  test('xml', async () => {
    await expect(configurationXml(wantedOf(pair()), planWords('en'))).toMatchFileSnapshot('golden/plan.xml');
  });
  test('pcs, the state on a filesystem of its own', async () => {
    const withState = pairOf(readConfiguration('tsha.yaml', pairWithState, 'en'));
    await expect(text(planScript(withState, 'pcs', 8, 'en'))).toMatchFileSnapshot(
      'golden/plan-pcs-state.txt',
    );
    expect(wantedOf(withState).group.members.slice(0, 3)).toEqual(['nfs-fs', 'nfs-state', 'nfs-server']);
  });
  test('pcs, stock agents', async () => {
    await expect(text(planScript(stock(), 'pcs', 8, 'en'))).toMatchFileSnapshot('golden/plan-pcs-stock.txt');
  });
});

test('the group: filesystem, server, exports, addresses last, then the notification', () => {
  expect(wantedOf(pair()).group.members).toEqual([
    'nfs-fs',
    'nfs-server',
    'nfs-export-home-10.0.0.0-24',
    'nfs-export-home-2001-db8-64',
    'nfs-export-pub-all',
    'nfs-ip',
    'nfs-ip6',
    'nfs-notify',
  ]);
});

test('no two monitors of one resource share an interval', () => {
  for (const { operations } of wantedOf(pair()).resources) {
    const intervals = operations.filter(({ name }) => name === 'monitor').map(({ interval }) => interval);
    expect(new Set(intervals).size).toBe(intervals.length);
  }
});

test('every id of the XML is there once, and no text can leave its attribute', () => {
  const tricky = pair((yaml) => yaml.replace('username: admin', 'username: "<&\\">"'));
  const xml = configurationXml(wantedOf(tricky), planWords('en'));
  const ids = [...xml.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(within(parseXml(xml), 'primitive')).toHaveLength(9);
});

test.each([
  ['tsha, NFSv4 only', pair(only4), true, true],
  [
    'stock, NFSv4 only',
    pair((yaml) => only4(yaml).replace('name: nfs', 'name: nfs\nprovider: stock')),
    true,
    false,
  ],
  ['stock, with NFSv3', stock(), false, true],
] as const)('%s', (_, one, isOnly4, notifies) => {
  const { resources } = wantedOf(one);
  const server = resources.find(({ agent }) => agent === 'nfsserver');
  expect(server?.parameters.some(([name]) => name === 'nfsv4_only')).toBe(isOnly4);
  expect(resources.some(({ agent }) => agent === 'nfsnotify')).toBe(notifies);
  expect(nfsConf(one)?.includes('vers3=n')).toBe(isOnly4);
});

test('a resource over IPv6, without fencing: DRBD is not told to wait for any', () => {
  const plain = pair((yaml) =>
    yaml
      .replace(/^fencing:\n(.*\n){2}/m, '')
      .replace('10.0.1.1', '"2001:db8:1::1"')
      .replace('10.0.1.2', '"2001:db8:1::2"'),
  );
  const resource = drbdResource(plain, 9);
  expect(resource).toContain('address ipv6 [2001:db8:1::1]:7789;');
  expect(resource).not.toMatch(/fenc/);
});

test.each([
  ['DRBD 9 is loaded', 'version: 9.2.8 (api:2/proto:86-122)\n', '', '', 9],
  ['8.4 is loaded', 'version: 8.4.11 (api:1/proto:86-101)\n', '', '', 8],
  ['DRBD 9 would be, drbdadm says', '', 'DRBD_KERNEL_VERSION_CODE=0x090208\n', '', 9],
  ['DRBD 9 would be, modinfo says', '', 'DRBD_KERNEL_VERSION_CODE=0x000000\n', '9.2.8\n', 9],
  ['8.4 would be', '', '', '8.4.11\n', 8],
  ['none is installed', '', '', '', null],
] as const)('the generation of DRBD where %s', async (_what, proc, drbdadm, modinfo, expected) => {
  const machine = new FakeMachine().on('drbdadm', () => drbdadm).on('modinfo', () => modinfo);
  if (proc !== '') machine.files.set('/proc/drbd', proc);
  expect(await generationHere(hostOn(machine, Number.MAX_SAFE_INTEGER))).toBe(expected);
});

test('a generation that is a guess is called one', () => {
  expect(text(planScript(pair(), 'pcs', null, 'en'))).toMatch(/# for DRBD 8\.4, .*: this node has none\./);
});

test.each([
  ['nothing', 0, true],
  ['resource create nfs-server', 1, false],
  ['constraint colocation', 1, false],
] as const)('the script of pcs, of which %s fails, as pasted', (failing, code, isPushed) => {
  const script = text(planScript(pair(), 'pcs', 8, 'en')).replaceAll(/^cat > \S+/gm, 'cat > /dev/null');
  const tools = `cp() { :; }; pcs() { echo "$*"; case "$*" in *"${failing}"*) return 1;; esac; }\n`;
  const { status, stdout } = spawnSync('sh', ['-s'], { input: `${tools}${script}`, encoding: 'utf8' });
  expect(status).toBe(code);
  expect(/^cluster cib-push /m.test(stdout)).toBe(isPushed);
});

test('a disk whose path DRBD would take apart stands between quotes', () => {
  const one = pair();
  const disks = Object.fromEntries(one.nodes.map(({ name }) => [name, '/dev/mapper/vg#1;{x}']));
  const resource = drbdResource({ ...one, filesystem: { ...one.filesystem, disks } }, 9);
  expect(resource.match(/disk "\/dev\/mapper\/vg#1;\{x\}";/g)).toHaveLength(2);
});
