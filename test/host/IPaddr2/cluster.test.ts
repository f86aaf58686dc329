import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { callOf, networkOfEachTest, up, v4 } from './network.ts';

// Cluster-IP: a globally unique clone of one address. The second instance runs on the same node here: rules are what they share.

const hosts = Array.from({ length: 12 }, (_, index) => 101 + index);
const net = networkOfEachTest(async ({ ipPeer }) => {
  for (const host of hosts) await ipPeer(`address add 192.168.144.${host}/24 dev p0`);
});
const { ip } = v4;
const mac = '01:00:5e:7f:00:02';
const table = 'IPaddr2_192_168_144_2';

type Extra = Readonly<Record<string, string>>;
const call = async (instance: number, step: string, more: Extra = {}) =>
  (
    await net.tsha(
      ...callOf(step, {
        ip,
        CRM_meta_globally_unique: 'true',
        CRM_meta_clone_max: '2',
        CRM_meta_clone: String(instance),
        ...more,
      }),
      { OCF_RESOURCE_INSTANCE: `vip:${instance}` },
    )
  ).code;

const tables = async () => (await net.inside(['nft', 'list', 'tables'])).split('\n').filter(Boolean);

/** The last octets of the clients that get an answer. */
async function served(): Promise<readonly number[]> {
  const answers = await Promise.all(
    hosts.map(async (host) => {
      const ping = ['ping', '-c', '1', '-W', '1', '-I', `192.168.144.${host}`, ip];
      const { exitCode } = await execa('ip', ['netns', 'exec', net.peer, ...ping], { reject: false });
      return exitCode === 0;
    }),
  );
  return hosts.filter((_, index) => answers[index]);
}

test('IPaddr2#106: every client is served by one instance, and the address stays until the last has stopped', async () => {
  expect(await call(0, 'start')).toBe(0);
  const first = await served();
  expect([await call(0, 'monitor'), await call(1, 'probe'), await call(1, 'monitor')]).toEqual([0, 7, 7]);

  expect(await call(1, 'start')).toBe(0);
  expect(await call(1, 'start')).toBe(0);
  expect([await call(0, 'monitor'), await call(1, 'monitor')]).toEqual([0, 0]);
  expect(await served()).toEqual(hosts);

  expect(await call(0, 'stop')).toBe(0);
  expect(await net.added()).toEqual([up]);
  const second = await served();
  expect([...first, ...second].sort()).toEqual(hosts);
  expect(first).not.toEqual([]);
  expect(second).not.toEqual([]);
  expect([await call(0, 'probe'), await call(0, 'stop'), await call(1, 'monitor')]).toEqual([7, 0, 0]);

  expect(await call(1, 'stop')).toBe(0);
  expect([await net.added(), await tables()]).toEqual([[], []]);
  expect(await call(1, 'stop')).toBe(0);
});

/** How long the second of two calls waits for the first, in ms: from none to longer than it takes. */
const leads = [0, 0, 0, 10, 20, 40, 60, 80, 100, 130, 160];

const shares = async () =>
  (await tables()).length === 0
    ? []
    : (await net.inside(['nft', 'list', 'ruleset'])).match(/cip-node-\d+|drop$/gm)?.sort();

/** What the kernel has of the address. */
const there = async () => ({
  added: await net.added(),
  shares: await shares(),
  listens: (await net.ip('maddress show dev eth0')).includes(mac),
});
const nothing = { added: [], shares: [], listens: false };

describe('instances that act on one node at the same moment', () => {
  const more = { mac };
  const both = (first: readonly [number, string], second: readonly [number, string], lead: number) =>
    Promise.all([
      call(...first, more),
      new Promise((resolve) => setTimeout(resolve, lead)).then(() => call(...second, more)),
    ]);

  test('start and start, stop and stop: all is there, then nothing', async () => {
    for (const lead of leads) {
      expect(await both([0, 'start'], [1, 'start'], lead), `lead ${lead}`).toEqual([0, 0]);
      expect(await there()).toEqual({
        added: [up],
        shares: ['cip-node-1', 'cip-node-2', 'drop'],
        listens: true,
      });
      expect(await both([0, 'stop'], [1, 'stop'], lead), `lead ${lead}`).toEqual([0, 0]);
      expect(await there(), `lead ${lead}`).toEqual(nothing);
    }
  });

  test.each([
    ['stop of the last one, start of another', [1, 'stop'], [0, 'start']],
    ['start of one, stop of the last other', [0, 'start'], [1, 'stop']],
  ] as const)('%s: the one that starts has it all', async (_name, first, second) => {
    for (const lead of leads) {
      expect(await call(1, 'start', more)).toBe(0);
      expect(await both(first, second, lead), `lead ${lead}`).toEqual([0, 0]);
      expect(await there(), `lead ${lead}`).toEqual({
        added: [up],
        shares: ['cip-node-1', 'drop'],
        listens: true,
      });
      expect([await call(0, 'monitor', more), await call(1, 'probe', more)]).toEqual([0, 7]);
      expect(await call(0, 'stop', more)).toBe(0);
      expect(await there()).toEqual(nothing);
    }
  });
});

test('all nodes listen to one multicast MAC address, and answer ARP with it where they are told to', async () => {
  const more = { mac: '01-00-5E-7F-00-02', clusterip_mac_mangle: 'true' };
  expect(await call(0, 'start', more)).toBe(0);
  expect(await net.ip('maddress show dev eth0')).toContain(mac);
  await net.ipPeer('neigh flush dev p0');
  await served();
  expect(await net.ipPeer(`neigh show ${ip} dev p0`)).toContain(mac);
  expect(await tables()).toEqual([`table ip ${table}`, `table arp ${table}`]);
  expect(await call(0, 'stop', more)).toBe(0);
  expect(await net.ip('maddress show dev eth0')).not.toContain(mac);
  expect(await tables()).toEqual([]);
});

describe('rules that are missing', () => {
  test('all: the node would answer everybody, which start mends', async () => {
    await call(0, 'start');
    await net.inside(['nft', 'delete', 'table', 'ip', table]);
    expect([await call(0, 'monitor'), await call(0, 'probe')]).toEqual([1, 1]);
    expect(await call(0, 'start')).toBe(0);
    expect(await call(0, 'monitor')).toBe(0);
    expect((await served()).length).toBeLessThan(hosts.length);
  });

  test('the address: what is left is taken down', async () => {
    await call(0, 'start');
    await net.ip(`address delete ${ip}/24 dev eth0`);
    expect(await call(0, 'monitor')).toBe(7);
    expect(await call(0, 'stop')).toBe(0);
    expect(await tables()).toEqual([]);
  });
});

test('I14: the interface was made anew: rules of the old one serve nobody, and fail until they are made anew', async () => {
  for (const instance of [0, 1]) expect(await call(instance, 'start')).toBe(0);
  await net.ip('link delete eth0');
  await net.ip(`link add eth0 type veth peer name p0 netns ${net.peer}`);
  await net.ip('link set eth0 up');
  await net.ipPeer('link set p0 up');
  await net.ip('address add 192.168.144.1/24 brd + dev eth0');
  for (const host of hosts) await net.ipPeer(`address add 192.168.144.${host}/24 dev p0`);
  expect([await call(0, 'monitor'), await call(1, 'monitor')]).toEqual([7, 7]);
  expect(await call(0, 'start')).toBe(0);
  expect([await call(0, 'monitor'), await call(1, 'monitor'), await call(1, 'probe')]).toEqual([0, 1, 1]);
  expect(await call(1, 'start')).toBe(0);
  expect([await call(0, 'monitor'), await call(1, 'monitor')]).toEqual([0, 0]);
  expect(await served()).toEqual(hosts);
  for (const instance of [0, 1]) expect(await call(instance, 'stop')).toBe(0);
  expect([await net.added(), await tables()]).toEqual([[], []]);
});

test('I11: clone-max was changed while instances run: they fail until they have started anew', async () => {
  const [two, three] = [{}, { CRM_meta_clone_max: '3' }];
  for (const instance of [0, 1]) expect(await call(instance, 'start', two)).toBe(0);
  for (const instance of [0, 1])
    expect([await call(instance, 'monitor', three), await call(instance, 'probe', three)]).toEqual([1, 1]);
  expect(await call(2, 'probe', three)).toBe(7);
  expect([await call(0, 'stop', three), await call(0, 'start', three)]).toEqual([0, 0]);
  expect(await call(1, 'start', three)).toBe(0);
  expect(await call(2, 'start', three)).toBe(0);
  for (const instance of [0, 1, 2]) expect(await call(instance, 'monitor', three)).toBe(0);
  expect((await net.inside(['nft', 'list', 'ruleset'])).match(/ mod \d/g)).toEqual([
    ' mod 3',
    ' mod 3',
    ' mod 3',
  ]);
  expect(await served()).toEqual(hosts);
  for (const instance of [0, 1, 2]) expect(await call(instance, 'stop', three)).toBe(0);
  expect([await net.added(), await tables()]).toEqual([[], []]);
});

test('a seed of 32 bits is read as it was written', async () => {
  const more = { clusterip_hash_seed: '0xfedcba98' };
  expect([await call(0, 'start', more), await call(0, 'monitor', more)]).toEqual([0, 0]);
  expect(await call(0, 'start', more)).toBe(0);
});

test('a start that fails leaves no rules', async () => {
  await net.ipPeer('link set p0 down');
  await expect
    .poll(() => net.ip('link show dev eth0'), { timeout: 100_000 })
    .toMatch(/state (DOWN|LOWERLAYER)/);
  expect(await call(0, 'start', { nic: 'eth0', cidr_netmask: '24' })).toBe(1);
  expect([await net.added(), await tables()]).toEqual([[], []]);
});

test('IPv6, although another node has the address', async () => {
  const more = { ip: '2001:db8:1234::2' };
  await net.ipPeer('address add 2001:db8:1234::2/64 dev p0 nodad');
  expect(await call(0, 'start', more)).toBe(0);
  expect(await call(0, 'monitor', more)).toBe(0);
  expect(await net.ip('maddress show dev eth0')).toMatch(/link +33:33:\S+ static/);
  expect(await tables()).toEqual(['table ip6 IPaddr2_2001_db8_1234__2']);
  expect(await call(0, 'stop', more)).toBe(0);
  expect([await net.added(), await tables()]).toEqual([[], []]);
});
