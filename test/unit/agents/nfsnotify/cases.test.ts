import { describe, expect, test } from 'vitest';
import { nfsnotify } from '../../../../agents/nfsnotify/agent.ts';
import { type Result, runAction } from '../../../../lib/ocf/run.ts';
import { catalogue } from '../../../../metadata/catalogue.ts';
import { metadataXml } from '../../../../metadata/xml.ts';
import { clientsOn, record } from '../../../fake/nfs-clients.ts';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { silentLog } from '../../../fake/story.ts';

const run = (machine: NfsMachine, action: string): Promise<Result> =>
  runAction(nfsnotify, action, machine, silentLog);

type Layout = { readonly passwd: string; readonly below: string; readonly owner: string };
const redHat: Layout = { passwd: 'rpcuser:x:29:29::/:/bin/false\n', below: '/statd', owner: '29:29' };
const debian: Layout = { passwd: 'statd:x:105:65534::/:/bin/false\n', below: '', owner: '105:65534' };
const neither: Layout = { passwd: 'root:x:0:0::/:/bin/sh\n', below: '', owner: '0:0' };

/** The server runs on the shared state; its clients answer. */
function node({ passwd, below }: Layout, env: NodeJS.ProcessEnv = {}) {
  const instance = { OCF_RESOURCE_INSTANCE: 'res1', OCF_RESKEY_source_host: '10.0.0.1' };
  const machine = new NfsMachine({ ...instance, ...env });
  machine.files.set('/etc/passwd', passwd);
  machine.bindBySomeone('/').startUnit('rpcbind.service').startUnit('nfs-server.service');
  const dir = `/nfsdata${below}`;
  machine.disk.set(`${dir}/sm/`, '').set(`${dir}/sm.bak/`, '');
  machine.local.add('10.0.0.1').add('10.0.0.2');
  const clients = clientsOn(machine);
  const files = (list: string) =>
    [...machine.disk.keys()].filter((path) => path.startsWith(`${dir}/${list}/`) && !path.endsWith('/'));
  return Object.assign(machine, clients, {
    waits: (client: string) => machine.disk.set(`${dir}/sm.bak/${client}`, record(client)),
    waiting: () => files('sm.bak'),
    held: () => files('sm'),
    dir,
  });
}

describe('the state directory of Red Hat', () => {
  test('nfsnotify#2: without rpc.statd start says so', async () => {
    const machine = node(redHat);
    for (const unit of ['rpc-statd.service', 'nfs-server.service']) machine.stopUnit(unit);
    expect(await run(machine, 'start')).toMatchObject({
      code: 1,
      reason: expect.stringContaining('rpc.statd is not running'),
    });
  });

  test("nfsnotify#3,10,11,12: from start to the second stop, on statd's own directory", async () => {
    const machine = node(redHat);
    machine.waits('10.0.0.51');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told).toEqual([{ client: '10.0.0.51', from: '10.0.0.1', name: '10.0.0.1', state: 1 }]);
    expect(machine.waiting()).toEqual([]);
    const memory = machine.files.get('/run/resource-agents/tsha/nfsnotify-res1.json');
    expect(memory).toContain(`"pid":${Number(machine.files.get('/run/rpc.statd.pid'))}`);
    expect((await run(machine, 'stop')).code).toBe(0);
    expect((await run(machine, 'monitor')).code).toBe(7);
    expect((await run(machine, 'stop')).code).toBe(0);
  });

  test('nfsnotify#13,15: a start again under the same statd tells nobody twice, and no lock of this server is touched', async () => {
    const machine = node(redHat, { OCF_RESKEY_source_host: '10.0.0.1,10.0.0.2' });
    machine.waits('10.0.0.51');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told.map(({ from }) => from).sort()).toEqual(['10.0.0.1', '10.0.0.2']);
    expect((await run(machine, 'stop')).code).toBe(0);
    machine.disk.set(`${machine.dir}/sm/10.0.0.51`, record('10.0.0.51'));
    machine.young.add(`${machine.dir}/sm/10.0.0.51`);
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told).toHaveLength(2);
    expect(machine.held()).toEqual([`${machine.dir}/sm/10.0.0.51`]);
  });
});

test.each([
  ['rpcuser', redHat],
  ['statd', debian],
  ['neither account', neither],
])('nfsnotify#34: %s: what is written is of its owner', async (_who, layout) => {
  const machine = node(layout);
  machine.waits('10.0.0.51');
  expect((await run(machine, 'start')).code).toBe(0);
  expect(machine.owners.get(`${machine.dir}/state`)).toBe(layout.owner);
});

test('nfsnotify#16: -m 5 in notify_args', async () => {
  const machine = node(debian, { OCF_RESKEY_notify_args: '-m 5' });
  machine.waits('10.0.0.51');
  machine.deaf.add('10.0.0.51');
  expect((await run(machine, 'start')).code).toBe(0);
  expect(machine.journal).toContain('launch env OCF_RESKEY_CRM_meta_timeout=300000 /agent reload');
});

test.each([
  ['24', 'everything is there', undefined],
  ['25', 'sm-notify is missing: nobody needs it', 'sm-notify'],
  ['26', 'pgrep and killall are missing: nobody needs them', 'pgrep'],
])('nfsnotify#%s: validate-all and start, %s', async (_n, _what, missing) => {
  const machine = node(debian, { OCF_CHECK_LEVEL: '10' });
  machine.waits('10.0.0.51');
  if (missing) expect(await machine.has(missing)).toBe(false);
  expect(await run(machine, 'validate-all')).toEqual({ code: 0, outcome: 'ok' });
  expect((await run(machine, 'start')).code).toBe(0);
  expect(machine.told).toHaveLength(1);
});

test('nfsnotify#27: an unknown action', async () => {
  expect(await run(node(debian), 'foo')).toMatchObject({ code: 3, reason: expect.stringContaining('foo') });
});

test('nfsnotify#28: the meta-data', () => {
  const described = catalogue.find(({ agent }) => agent.name === 'nfsnotify');
  const xml = described ? metadataXml(described.agent, described.prose) : '';
  for (const name of ['source_host', 'notify_args']) expect(xml).toContain(`<parameter name="${name}"`);
  for (const [action, timeout] of [
    ['start', '90s'],
    ['stop', '90s'],
    ['monitor', '90s'],
    ['reload', '90s'],
    ['validate-all', '20s'],
  ])
    expect(xml).toMatch(new RegExp(`<action name="${action}"[^>]* ?timeout="${timeout}"`));
});

test('nfsnotify#33: an IPv6 address, with brackets or without, makes no path and is bound as it is', async () => {
  const machine = node(debian, { OCF_RESKEY_source_host: '[2001:db8::14]' });
  machine.local.add('2001:db8::14');
  machine.waits('10.0.0.51'); // an IPv4 client: nothing for this address to do
  expect((await run(machine, 'start')).code).toBe(0);
  expect(machine.journal.filter((line) => line.startsWith('udp '))).toContain('udp 2001:db8::14 1023');
  expect([...machine.disk.keys()].filter((path) => path.includes(':'))).toEqual([]);
});

test("nfsnotify#35: the clients of each start are those of today's list", async () => {
  const machine = node(debian);
  machine.waits('10.0.0.51');
  expect((await run(machine, 'start')).code).toBe(0);
  expect((await run(machine, 'stop')).code).toBe(0);
  machine.waits('10.0.0.52');
  expect((await run(machine, 'start')).code).toBe(0);
  expect(machine.told.map(({ client }) => client)).toEqual(['10.0.0.51', '10.0.0.52']);
});

test('nfsnotify#36: two addresses tell one number, and a later run another, odd and greater', async () => {
  const machine = node(debian, { OCF_RESKEY_source_host: '10.0.0.1,10.0.0.2' });
  for (const _run of [1, 2]) {
    machine.waits('10.0.0.51');
    expect((await run(machine, 'start')).code).toBe(0);
    expect((await run(machine, 'stop')).code).toBe(0);
    machine.stopUnit('nfs-server.service');
    machine.startUnit('nfs-server.service').startUnit('rpc-statd.service');
  }
  expect(machine.told.map(({ state }) => state)).toEqual([1, 1, 3, 3]);
});

describe('the address', () => {
  test('is waited for', async () => {
    const machine = node(debian, { OCF_RESKEY_source_host: '10.0.0.7' });
    machine.waits('10.0.0.51');
    machine.onTick = (clock) => clock > 3000 && machine.local.add('10.0.0.7');
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.told).toMatchObject([{ from: '10.0.0.7' }]);
    expect(machine.clock).toBeLessThan(6000);
  });

  test('nfsnotify#32: but not for ever', async () => {
    const machine = node(debian, {
      OCF_RESKEY_source_host: '10.0.0.7',
      OCF_RESKEY_CRM_meta_timeout: '90000',
    });
    machine.waits('10.0.0.51');
    const result = await run(machine, 'start');
    expect(result).toMatchObject({ code: 1, reason: expect.stringContaining('10.0.0.7 is not an address') });
    expect(machine.clock).toBeLessThan(15_000);
  });
});
