import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleScript, declareCommonJs } from '../../../packaging/bundle.ts';
import { products } from '../../../packaging/products.ts';
import { type Call, callOf, makeNetwork, type Params } from './network.ts';

// How long actions take among a thousand addresses, ours beside the stock agent's. Figures to read: only exit codes are asserted.

const others = Array.from({ length: 1000 }, (_, index) => `${(index >> 8) + 1}.${index & 255}`);
const rounds = 5;

/** The agent as it is installed where Node.js is: its launcher starts faster than a bare `node`. */
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tsha-scale-'));
  const product = products.find(({ name }) => name === 'IPaddr2');
  if (!product) throw new Error('IPaddr2 is not among the products');
  await declareCommonJs(dir);
  await bundleScript(product, dir);
});
afterAll(() => rm(dir, { recursive: true }));

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

test.each<readonly [string, Params, string]>([
  ['IPv4', { ip: '10.9.0.2' }, 'address add 10.9.0.1/16 brd + dev eth0'],
  ['IPv6', { ip: '2001:db8:9::2', nodad: 'true' }, 'address add 2001:db8:9::1/64 dev eth0 nodad'],
])('1,000 addresses, %s', { timeout: 300_000 }, async (family, params, base) => {
  const net = await makeNetwork([join(dir, 'IPaddr2')]);
  try {
    await net.ip(base);
    const batch = join(net.stateDir, 'thousand');
    const add = (host: string) =>
      family === 'IPv4'
        ? `address add 10.9.${host}/16 brd + dev eth0`
        : `address add 2001:db8:9::${host.replace('.', ':')}/64 dev eth0 nodad`;
    await writeFile(batch, others.map((host) => `${add(host)}\n`).join(''));
    await net.ip(`-batch ${batch}`);

    const took = new Map<string, number[]>();
    const measure = async (who: string, step: string, expected: number, call: Promise<Call>) => {
      const { code, ms, stderr } = await call;
      expect({ who, step, code }, stderr).toEqual({ who, step, code: expected });
      took.set(`${step}, ${who}`, [...(took.get(`${step}, ${who}`) ?? []), ms]);
    };
    for (let round = 0; round < rounds; round += 1)
      for (const [who, agent] of Object.entries({ tsha: net.tsha, stock: net.stock })) {
        await measure(who, 'probe', 7, agent(...callOf('probe', params)));
        await measure(who, 'start', 0, agent('start', params));
        await measure(who, 'monitor', 0, agent(...callOf('monitor', params)));
        await measure(who, 'stop', 0, agent('stop', params));
      }
    expect((await net.added()).length).toBeGreaterThanOrEqual(others.length);
    const lines = [...took].sort().map(([what, values]) => `  ${what}: ${median(values).toFixed(0)} ms`);
    console.info(`1,000 ${family} addresses, median of ${rounds}:\n${lines.join('\n')}`);
  } finally {
    await net.destroy();
  }
});
