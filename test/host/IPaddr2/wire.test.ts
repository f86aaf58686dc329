import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { networkOfEachTest, v4 } from './network.ts';

// What the neighbours receive: captured on their end of the cable.

const net = networkOfEachTest();

const { ip } = v4;
const v6 = '2001:db8:1234::2';

/**
 * The packets that match `filter` and reach the neighbour while `work` is done and `forMs` after. Where `all` is known, it is waited for
 * on however slow a machine, and `forMs` after: nothing more may come.
 */
async function capture(
  filter: string,
  work: () => Promise<unknown>,
  forMs = 800,
  all: (lines: readonly string[]) => boolean = () => true,
): Promise<readonly string[]> {
  const command = ['tcpdump', '-i', 'p0', '-n', '-e', '-l', '--immediate-mode', '-Q', 'in', filter];
  const listener = execa('ip', ['netns', 'exec', net.peer, ...command], { reject: false });
  let said = '';
  let heard = '';
  listener.stdout.on('data', (chunk: Buffer) => {
    heard += chunk;
  });
  listener.stderr.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  await expect.poll(() => said, { timeout: 100_000 }).toContain('listening on p0');
  try {
    await work();
    for (const until = Date.now() + 100_000; !all(linesOf(heard)) && Date.now() < until; ) await sleep(50);
    await new Promise((resolve) => setTimeout(resolve, forMs));
  } finally {
    listener.kill('SIGINT');
  }
  return linesOf((await listener).stdout);
}
const linesOf = (text: string): readonly string[] => text.split('\n').filter(Boolean);

const arp = `arp and ether src`;
const macOf = async (nic: string) =>
  /link\/ether (\S+)/.exec(await net.ip(`link show dev ${nic}`))?.[1] ?? '';
const isRequest = (line: string) =>
  line.includes('> ff:ff:ff:ff:ff:ff') && /Request who-has (\S+) .*tell \1,/.test(line);
const isReply = (line: string) => /Reply 192\.168\.144\.2 is-at/.test(line);
const count = (lines: readonly string[]) => [lines.filter(isRequest).length, lines.filter(isReply).length];

describe('announcements of an IPv4 address', () => {
  test.each([
    ['send_arp, requests and replies', { arp_count: '3', arp_interval: '100' }, [3, 3]],
    ['as configured: one', { arp_count: '1' }, [1, 1]],
    ['arping, both kinds', { arp_sender: 'iputils_arping', arp_count: '2' }, [2, 2]],
    ['arping as it is told', { arp_sender: 'iputils_arping', send_arp_opts: '-A', arp_count: '1' }, [0, 1]],
    ['a label', { nic: 'eth0', iflabel: 'web', arp_count: '1' }, [1, 1]],
  ])('%s', async (_name, params, expected) => {
    const start = async () => expect((await net.tsha('start', { ip, ...params })).code).toBe(0);
    const hasAll = (lines: readonly string[]) =>
      count(lines).every((sent, at) => sent >= (expected[at] ?? 0));
    const lines = await capture(`${arp} ${await macOf('eth0')}`, start, 1200, hasAll);
    expect(count(lines), lines.join('\n')).toEqual(expected);
  });

  test('in the foreground: all are out when start returns', async () => {
    const params = { ip, arp_bg: 'false', arp_count: '3', arp_interval: '100' };
    expect(count(await capture(`${arp} ${await macOf('eth0')}`, () => net.tsha('start', params), 0))).toEqual(
      [3, 3],
    );
  });

  test('IPaddr2#20: none for an address that is there', async () => {
    await net.tsha('start', { ip, arp_bg: 'false', arp_count: '1' });
    expect(await capture(`${arp} ${await macOf('eth0')}`, () => net.tsha('start', { ip }))).toEqual([]);
  });

  test('IPaddr2#24: none for the loopback', async () => {
    expect(await capture('arp', () => net.tsha('start', { ip: '127.0.0.3' }))).toEqual([]);
  });

  test('IPaddr2#101: none after stop', async () => {
    const params = { ip, arp_count: '20000', arp_interval: '20' };
    const lines = await capture(
      `${arp} ${await macOf('eth0')}`,
      () => net.tsha('start', params),
      0,
      (seen) => seen.length > 4,
    );
    expect(lines.length).toBeGreaterThan(4);
    await net.tsha('stop', params);
    expect(await capture(`${arp} ${await macOf('eth0')}`, async () => {})).toEqual([]);
  });

  test('IPaddr2#103: a round at every monitor', async () => {
    await net.tsha('start', { ip, arp_bg: 'false', arp_count: '1' });
    const params = { ip, arp_count_refresh: '1', CRM_meta_interval: '10000' };
    expect(count(await capture(`${arp} ${await macOf('eth0')}`, () => net.tsha('monitor', params)))).toEqual([
      1, 1,
    ]);
  });
});

test('an IPv6 address: looked for first, then advertised to everybody', async () => {
  const lines = await capture(
    'icmp6',
    () => net.tsha('start', { ip: v6 }),
    800,
    (seen) => seen.some((line) => line.includes('> ff02::1: ')),
  );
  const probe = lines.findIndex((line) => /:: > ff02::1:ff00:2: .*who has 2001:db8:1234::2/.test(line));
  const advertised = lines.findIndex((line) =>
    /> ff02::1: .*neighbor advertisement, tgt is 2001:db8:1234::2/.test(line),
  );
  expect(probe, lines.join('\n')).toBeGreaterThanOrEqual(0);
  expect(advertised, lines.join('\n')).toBeGreaterThan(probe);
});

test('run_arping asks for the address as RFC 5227 has it: without naming one', async () => {
  const lines = await capture('arp', () => net.tsha('start', { ip, run_arping: 'true', arp_count: '1' }));
  expect(lines[0]).toMatch(/Request who-has 192\.168\.144\.2 .*tell 0\.0\.0\.0/);
  expect((await net.tsha('monitor', { ip })).code).toBe(0);
});

describe('other kinds of interfaces', () => {
  /** `commands` make `nic`, which gets eth0's base address. */
  const kinds = [
    ['bridge', 'br0', ['link add br0 type bridge', 'link set br0 up', 'link set eth0 master br0']],
    ['macvlan', 'mv0', ['link add mv0 link eth0 type macvlan mode bridge', 'link set mv0 up']],
    ['VLAN', 'eth0.5', ['link add link eth0 name eth0.5 type vlan id 5', 'link set eth0.5 up']],
    ['dummy', 'dummy0', ['link add dummy0 type dummy', 'link set dummy0 up']],
  ] as const;
  const onWire = new Set(['bridge', 'macvlan', 'VLAN']);

  test.for(kinds)('a life on a %s', async ([kind, nic, commands], { skip }) => {
    try {
      for (const line of commands) await net.ip(line);
    } catch (error) {
      if (!/Unknown device type|not supported/i.test(String(error))) throw error;
      console.warn(`skipped: this kernel has no ${kind}`);
      skip(`this kernel has no ${kind}`);
    }
    await net.ip('address delete 192.168.144.1/24 dev eth0');
    await net.ip(`address add 192.168.144.1/24 brd + dev ${nic}`);
    const lines = await capture(
      `ether src ${await macOf(nic)}`,
      async () => expect((await net.tsha('start', { ip, arp_count: '1' })).code).toBe(0),
      800,
      (seen) => !onWire.has(kind) || count(seen).every((sent) => sent > 0),
    );
    expect(await net.added()).toEqual([`${nic} ${ip}/24 brd 192.168.144.255`]);
    if (onWire.has(kind)) expect(count(lines)).toEqual([1, 1]);
    const recurring = { ip, CRM_meta_interval: '10000' };
    expect((await net.tsha('monitor', recurring)).code).toBe(0);
    if (kind === 'macvlan') {
      await net.ipPeer('link set p0 down');
      await expect
        .poll(async () => (await net.tsha('monitor', recurring)).code, { timeout: 100_000 })
        .toBe(7);
    }
    expect((await net.tsha('stop', { ip })).code).toBe(0);
    expect(await net.added()).toEqual([]);
  });
});
