import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileNative } from '../../../packaging/native.ts';
import { products } from '../../../packaging/products.ts';
import { agentUnderTest } from '../agent-under-test.ts';
import { addresses, farAddress, type Sandbox, sandbox } from './sandbox.ts';

// What the network may prove: one honest client with a real rpc.statd, and others that are root on their machines. The script and the
// native flavour hear of the network in different words.

let box: Sandbox;
let native = '';
const commands = new Map<string, string>();

beforeAll(async () => {
  native = await mkdtemp(join(tmpdir(), 'tsha-liars-'));
  await compileNative(
    products.filter(({ name }) => name === 'nfsnotify'),
    native,
  );
  commands.set('native', join(native, 'nfsnotify'));
  commands.set('script', `${process.execPath} ${await agentUnderTest('nfsnotify')}`);
  box = await sandbox();
});
afterAll(async () => {
  await box.destroy();
  await rm(native, { recursive: true, force: true });
});

const source = { source_host: addresses.server };
const honest = 'honest';

/** What is left on record after a start beside these clients, and what was said. The honest one must have been told. */
async function startBeside(flavour: string, hosts: Readonly<Record<number, string>>) {
  const agent = commands.get(flavour) ?? '';
  await box.far(hosts);
  for (const host of Object.keys(hosts)) await box.waits(farAddress(Number(host)), farAddress(Number(host)));
  await box.waits(honest, addresses.client);
  const before = (await box.received(0)).length;
  const { code, stderr } = await box.call(agent, 'start', source);
  expect(await box.received(before + 1)).toHaveLength(before + 1);
  const waiting = await box.waiting();
  expect(code).toBe(0);
  expect(waiting).not.toContain(honest);
  return {
    waiting,
    stderr,
    async stop() {
      expect((await box.call(agent, 'stop', source)).code).toBe(0);
      await box.onServer('rm -f /var/lib/nfs/sm.bak/*');
    },
  };
}

describe.each(['script', 'native'])('%s', (flavour) => {
  test.each(['port:65536', 'port:0', 'port:4294967295', 'noise'])(
    'S12: a client says %s: it stays on record and is named, the others are told',
    async (what) => {
      const { waiting, stderr, stop } = await startBeside(flavour, { 60: what, 61: 'honest' });
      expect(waiting).toEqual([farAddress(60)]);
      if (what.startsWith('port'))
        expect(stderr).toMatch(/WARNING: cannot be told of the restart: 198\.51\.100\.60 has/);
      await stop();
    },
  );

  test('S13: a client answers for others: those that are silent stay on record', async () => {
    const silent = [71, 72, 73, 74, 75, 76, 77, 78];
    const hosts = Object.fromEntries(silent.map((host) => [host, 'nothing at all'] as const));
    const { waiting, stop } = await startBeside(flavour, { ...hosts, 70: 'forger' });
    expect(waiting.sort()).toEqual(silent.map(farAddress));
    await stop();
  });

  test('S14: hosts where no rpcbind is are as good as silent, and told when it is there', async () => {
    const refusing = Array.from({ length: 20 }, (_, at) => 80 + at);
    const hosts = Object.fromEntries(refusing.map((host) => [host, 'nothing at all'] as const));
    const { waiting, stop } = await startBeside(flavour, hosts);
    expect(waiting.sort()).toEqual(refusing.map(farAddress));
    await box.far({ 80: 'honest', 99: 'honest' });
    await expect
      .poll(async () => (await box.waiting()).sort(), { timeout: 100_000 })
      .toEqual(refusing.slice(1, -1).map(farAddress));
    await stop();
  });
});
