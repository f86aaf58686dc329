import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { bundleScript, declareCommonJs } from '../../../packaging/bundle.ts';
import { products } from '../../../packaging/products.ts';
import { callOf, type Network, networkOfEachTest, type Params, v4, v6 } from './network.ts';

// The distribution's agent beside ours, on the same machine state.

const net = networkOfEachTest();

const full = { ...v4, nic: 'eth0', cidr_netmask: '24' };
const lives: readonly (readonly [string, Params])[] = [
  ['ip', v4],
  ['ip and prefix', { ...v4, cidr_netmask: '24' }],
  ['everything', full],
  ['label', { ...full, iflabel: 'web' }],
  ['narrow', { ...v4, cidr_netmask: '28' }],
  ['another interface', { ...v4, nic: 'eth1', cidr_netmask: '16' }],
  ['broadcast -', { ...v4, broadcast: '-' }],
  ['no prefix route', { ...full, noprefixroute: 'true' }],
  ['IPv6', v6],
  ['IPv6 odd spelling', { ip: '2001:DB8:1234:0:0::2', nic: 'eth0', cidr_netmask: '64' }],
  ['loopback', { ip: '127.0.0.3' }],
];
const steps = ['probe', 'start', 'probe', 'monitor', 'status', 'start', 'stop', 'probe', 'monitor', 'stop'];

/** Exit code and addresses after every step. */
async function diary(agent: Network['tsha'] | Network['stock'], params: Params): Promise<readonly unknown[]> {
  const pages = [];
  for (const step of steps) {
    const { code } = await agent(...callOf(step, params));
    pages.push([step, code, await net.added()]);
  }
  return pages;
}

test.each(lives)('the same codes and addresses: %s', async (_name, params) => {
  expect(await diary(net.tsha, params)).toEqual(await diary(net.stock, params));
});

const takenOver = lives.filter(([name]) => ['ip', 'label', 'another interface', 'IPv6'].includes(name));

test.each(takenOver)('each takes over what the other started: %s', async (_name, params) => {
  for (const [starts, ends] of [
    [net.stock, net.tsha],
    [net.tsha, net.stock],
  ] as const) {
    expect((await starts('start', params)).code).toBe(0);
    const monitored = await ends(...callOf('monitor', params));
    const stopped = await ends('stop', params);
    expect([monitored.code, stopped.code, await net.added()]).toEqual([0, 0, []]);
  }
});

describe('what goes wrong alike', () => {
  test.each([
    ['no route', { ip: '192.168.120.1' }],
    ['interface not in the network', { ...v4, nic: 'eth1' }],
    ['wide prefix', { ...v4, cidr_netmask: '16' }],
    ['unknown interface', { ...v4, nic: 'nope' }],
    ['arp_sender', { ...v4, arp_sender: 'foo' }],
  ])('%s: neither start adds anything, stop is content', async (_name, params) => {
    const start = [await net.tsha('start', params), await net.stock('start', params)];
    for (const { code } of start) expect(code).toBeGreaterThan(0);
    expect(await net.added()).toEqual([]);
    expect((await net.tsha('stop', params)).code).toBe(0);
  });
});

test('ocf-tester', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tsha-ocf-'));
  try {
    await chmod(dir, 0o755); // ocf-tester asks for meta-data as nobody
    const product = products.find(({ name }) => name === 'IPaddr2');
    if (!product) throw new Error('IPaddr2 is not among the products');
    await declareCommonJs(dir);
    await bundleScript(product, dir);
    const { exitCode, stdout } = await execa(
      'ip',
      ['netns', 'exec', net.node, 'ocf-tester', '-n', 'vip', '-o', `ip=${v4.ip}`, join(dir, 'IPaddr2')],
      { reject: false, all: true, env: { HA_RSCTMP: net.stateDir } },
    );
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('passed all tests')]);
  } finally {
    await rm(dir, { recursive: true });
  }
});
