import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { agentUnderTest } from '../agent-under-test.ts';
import { networkOfEachTest, v4 } from './network.ts';

const net = networkOfEachTest();

const { ip } = v4;
const elsewhere = '02:00:00:00:00:99';

/** The neighbour believes that the address lives on another machine. */
const mislead = (address: string) =>
  net.ipPeer(`neigh replace ${address} lladdr ${elsewhere} nud stale dev p0`);
const believes = async (address: string) =>
  /lladdr (\S+)/.exec(await net.ipPeer(`neigh show ${address} dev p0`))?.[1];
const ownMac = async () => /link\/ether (\S+)/.exec(await net.ip('link show dev eth0'))?.[1];
const pids = async () => (await execa('ip', ['netns', 'pids', net.node])).stdout.split('\n').filter(Boolean);

test.each([
  ['by itself', {}],
  ['send_arp', { arp_sender: 'send_arp' }],
  ['arping', { arp_sender: 'iputils_arping' }],
  ['arping with options', { arp_sender: 'iputils_arping', send_arp_opts: '-A -b' }],
  ['in the foreground', { arp_bg: 'false', arp_count: '2' }],
])('a neighbour learns the new place: %s', async (_name, params) => {
  await mislead(ip);
  expect((await net.tsha('start', { ip, ...params })).code).toBe(0);
  const mac = await ownMac();
  await expect.poll(() => believes(ip), { timeout: 100_000 }).toBe(mac);
});

test('a neighbour learns the new place of an IPv6 address', async () => {
  const address = '2001:db8:1234::2';
  await net.ipPeer('address add 2001:db8:1234::9/64 dev p0 nodad');
  await mislead(address);
  expect((await net.tsha('start', { ip: address })).code).toBe(0);
  const mac = await ownMac();
  await expect.poll(() => believes(address), { timeout: 100_000 }).toBe(mac);
});

test('without any program that sends, the kernel is made to ask', async () => {
  await mislead(ip);
  const hide =
    'mount --bind /dev/null /usr/bin/arping; mount -t tmpfs none /usr/libexec/heartbeat; exec "$@"';
  const file = await agentUnderTest('IPaddr2');
  const { stderr } = await execa(
    'ip',
    ['netns', 'exec', net.node, 'sh', '-c', hide, 'sh', process.execPath, file, 'start'],
    { env: { OCF_RESKEY_ip: ip, HA_RSCTMP: net.stateDir } },
  );
  expect(stderr).toContain('neither send_arp nor arping is installed');
  const mac = await ownMac();
  await expect.poll(() => believes(ip), { timeout: 100_000 }).toBe(mac);
});

test('IPaddr2#103: again at every monitor', async () => {
  await net.tsha('start', { ip, arp_count: '1', arp_bg: 'false' });
  await mislead(ip);
  const refresh = { ip, arp_count_refresh: '2', CRM_meta_interval: '10000' };
  await expect
    .poll(
      async () => {
        expect((await net.tsha('monitor', refresh)).code).toBe(0);
        return believes(ip);
      },
      { timeout: 100_000 },
    )
    .toBe(await ownMac());
});

test('IPaddr2#101: nothing announces after stop', async () => {
  const params = { ip, arp_count: '20000', arp_interval: '50' };
  await net.tsha('start', params);
  expect(await pids()).toHaveLength(1);
  expect((await net.tsha('stop', params)).code).toBe(0);
  expect(await pids()).toEqual([]);
  expect(await readdir(join(net.stateDir, 'tsha'))).toEqual([]);
});

test('the announcer of an older start does not outlive the next', async () => {
  const params = { ip, arp_count: '20000', arp_interval: '50' };
  await net.tsha('start', params);
  await net.ip(`address delete ${ip}/24 dev eth0`);
  await net.tsha('start', params);
  expect(await pids()).toHaveLength(1);
});

test('IPaddr2#90: a configured sender that is missing', async () => {
  const { code, reason } = await net.tsha('start', { ip, arp_sender: 'ipoibarping' });
  expect([code, reason]).toEqual([5, 'arp_sender=ipoibarping: ipoibarping is not installed']);
  expect(await net.added()).toEqual([]);
  expect((await net.tsha('stop', { ip, arp_sender: 'ipoibarping' })).code).toBe(0);
});

test('what a background sender complains of is told by the next action', async () => {
  const params = { ip, arp_sender: 'iputils_arping', send_arp_opts: '-Z', CRM_meta_interval: '10000' };
  expect((await net.tsha('start', params)).code).toBe(0);
  await expect
    .poll(async () => (await net.tsha('monitor', params)).stderr, { timeout: 100_000 })
    .toMatch(/announcing 192\.168\.144\.2: .*invalid option/);
  expect((await net.tsha('monitor', params)).stderr).not.toContain('announcing');
});
