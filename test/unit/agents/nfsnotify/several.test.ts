import { describe, expect, test } from 'vitest';
import { nfsnotify } from '../../../../agents/nfsnotify/agent.ts';
import { nfsserver } from '../../../../agents/nfsserver/agent.ts';
import { runAction } from '../../../../lib/ocf/run.ts';
import { clientsOn, record } from '../../../fake/nfs-clients.ts';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { recurring, silentLog, wordsTo } from '../../../fake/story.ts';

// N15: several resources tell the clients of one list, each from addresses of its own. A client that mounted from one of them has its
// locks there alone.

const addresses = { a: '10.0.0.20', b: '10.0.1.20' } as const;
type Name = keyof typeof addresses;

function server() {
  const machine = new NfsMachine({ OCF_RESOURCE_INSTANCE: 'a' });
  machine.files.set('/etc/passwd', 'statd:x:105:65534::/:/bin/false\n');
  machine.bindBySomeone('/').startUnit('rpcbind.service').startUnit('nfs-server.service');
  machine.disk.set('/nfsdata/sm/', '').set('/nfsdata/sm.bak/', '');
  machine.disk.set('/nfsdata/state', new Uint8Array(new Int32Array([7]).buffer));
  for (const one of [...Object.values(addresses), '0.0.0.0', '::']) machine.local.add(one);
  const clients = clientsOn(machine);
  const call = (name: Name, action: string, said: string[] = [], env: NodeJS.ProcessEnv = {}) => {
    machine.clock = 0;
    Object.assign(machine.env, {
      OCF_RESOURCE_INSTANCE: name,
      OCF_RESKEY_source_host: addresses[name],
      OCF_RESKEY_CRM_meta_timeout: '60000',
      ...env,
    });
    return runAction(nfsnotify, action, machine, said.length > 0 ? wordsTo(said) : silentLog);
  };
  return Object.assign(machine, clients, {
    call,
    waits: (client: string) => void machine.disk.set(`/nfsdata/sm.bak/${client}`, record(client)),
    left: () =>
      [...machine.disk.keys()].filter((path) => /sm\.bak\/./.test(path)).map((path) => path.slice(16)),
    noted: () =>
      [...machine.disk.keys()].filter((path) => /sm\.told\/./.test(path)).map((path) => path.slice(17)),
    /** The service goes to a node that knows nothing of it. */
    failsOver() {
      machine.stopUnit('nfs-server.service');
      machine.startUnit('nfs-server.service').startUnit('rpc-statd.service');
      for (const path of [...machine.files.keys()])
        if (path.startsWith('/run/resource-agents')) machine.files.delete(path);
      clients.told.length = 0;
    },
  });
}

/** Both have been started once, without clients, and the service moves. */
async function moved() {
  const machine = server();
  for (const name of ['a', 'b'] as const) expect((await machine.call(name, 'start')).code).toBe(0);
  machine.failsOver();
  return machine;
}

describe('N15: two resources', () => {
  test('a client is told from both before it is struck off, under one number', async () => {
    const machine = await moved();
    machine.waits('10.0.0.51');
    const said = ['a'];
    expect((await machine.call('a', 'start', said)).code).toBe(0);
    expect(machine.left()).toEqual(['10.0.0.51']);
    expect(said.join('\n')).toContain('clients stay on record until nfsnotify-b has told them, too');
    expect((await machine.call('b', 'start')).code).toBe(0);
    expect(machine.left()).toEqual([]);
    expect(machine.told.map(({ from }) => from)).toEqual(['10.0.0.20', '10.0.1.20']);
    expect(new Set(machine.told.map(({ state }) => state)).size).toBe(1);
  });

  test('what was confirmed to one at an earlier move does not count at the next', async () => {
    const machine = await moved();
    machine.waits('10.0.0.51');
    await machine.call('a', 'start');
    await machine.call('a', 'stop');
    machine.failsOver();
    expect((await machine.call('b', 'start')).code).toBe(0);
    expect(machine.left()).toEqual(['10.0.0.51']);
    expect((await machine.call('a', 'start')).code).toBe(0);
    expect(machine.left()).toEqual([]);
    expect(machine.told.map(({ from }) => from)).toEqual(['10.0.1.20', '10.0.0.20']);
  });

  test('the sender of the one goes on where the other has still to come', async () => {
    const machine = await moved();
    machine.waits('10.0.0.51');
    machine.deaf.add('10.0.0.51');
    await machine.call('a', 'start');
    await machine.call('b', 'start');
    machine.deaf.clear();
    for (const name of ['a', 'b'] as const)
      await machine.call(name, 'reload', [], { OCF_RESKEY_CRM_meta_timeout: '100000' });
    expect(machine.left()).toEqual([]);
  });

  test('one that never comes is waited for until the time is up, and then no more', async () => {
    const machine = await moved();
    machine.waits('10.0.0.51');
    await machine.call('a', 'start');
    await machine.call('a', 'reload', [], { OCF_RESKEY_CRM_meta_timeout: '100000' });
    expect(machine.left()).toEqual([]);
    expect(machine.noted()).toEqual(['nfsnotify-a']);
    machine.failsOver();
    machine.waits('10.0.0.51');
    await machine.call('a', 'start');
    expect(machine.left()).toEqual([]);
  });

  test('a client that only one of them reaches goes when the time of both is up', async () => {
    const machine = await moved();
    machine.waits('10.0.0.51');
    machine.apart.add('10.0.0.51 10.0.1.20');
    for (const name of ['a', 'b'] as const) await machine.call(name, 'start');
    for (const name of ['a', 'b'] as const)
      await machine.call(name, 'reload', [], { OCF_RESKEY_CRM_meta_timeout: '100000' });
    expect(machine.left()).toEqual([]);
  });

  test.each([
    ['has long stopped telling: it is waited for no more when the time of the other is up', ['a'], []],
    ['still tells: it is waited for', ['a', 'b'], ['10.0.0.51']],
  ] as const)('one that has begun and %s', async (_what, lately, left) => {
    const machine = await moved();
    machine.waits('10.0.0.51');
    machine.apart.add('10.0.0.51 10.0.1.20');
    for (const name of ['a', 'b'] as const) await machine.call(name, 'start');
    for (const name of lately) machine.young.add(`/nfsdata/sm.told/nfsnotify-${name}`);
    await machine.call('a', 'reload', [], { OCF_RESKEY_CRM_meta_timeout: '100000' });
    expect(machine.left()).toEqual(left);
  });

  test('one that never comes is waited for a quarter of an hour, by one that tells for longer', async () => {
    const machine = await moved();
    for (const client of ['10.0.0.51', '10.0.0.52']) machine.waits(client);
    machine.deaf.add('10.0.0.52');
    await machine.call('a', 'start');
    const left = new Map<number, readonly string[]>();
    machine.onTick = (clock) => void left.set(Math.floor(clock / 60_000), machine.left());
    await machine.call('a', 'reload', [], { OCF_RESKEY_CRM_meta_timeout: String(20 * 60_000) });
    expect(left.get(14)).toEqual(['10.0.0.51', '10.0.0.52']);
    expect(left.get(16)).toEqual(['10.0.0.52']);
  });

  test('clients of the other family are told by whom they can be', async () => {
    const machine = server();
    machine.local.add('2001:db8::20');
    const v6 = { OCF_RESKEY_source_host: '2001:db8::20' };
    await machine.call('a', 'start');
    await machine.call('b', 'start', [], v6);
    machine.failsOver();
    machine.waits('10.0.0.51');
    await machine.call('a', 'start');
    expect(machine.left()).toEqual(['10.0.0.51']);
    await machine.call('b', 'start', [], v6);
    expect(machine.left()).toEqual([]);
  });

  test.each([
    ['no JSON', '{'],
    ['of another shape', '{"state":99,"told":"10.0.0.51","passed":[]}'],
  ])('a note that is %s strikes nobody off', async (_what, text) => {
    const machine = await moved();
    machine.waits('10.0.0.51');
    machine.disk.set('/nfsdata/sm.told/nfsnotify-b', text);
    expect((await machine.call('a', 'start')).code).toBe(0);
    expect(machine.left()).toEqual(['10.0.0.51']);
  });

  test('a full filesystem is told, and keeps nobody from being told', async () => {
    const machine = server();
    machine.isFull = true;
    machine.waits('10.0.0.51');
    const said = ['a'];
    expect((await machine.call('a', 'start', said)).code).toBe(0);
    expect(said.join('\n')).toContain('other resources do not know who has been notified: no space left');
    expect(machine.left()).toEqual([]);
  });
});

test('N15: the round of nfsserver strikes nobody off whom an nfsnotify is still to tell', async () => {
  const machine = await moved();
  machine.waits('10.0.0.51');
  machine.stopUnit('nfs-server.service');
  for (const name of Object.keys(machine.env)) if (name.startsWith('OCF_RESKEY_')) delete machine.env[name];
  Object.assign(machine.env, {
    ...recurring,
    OCF_RESOURCE_INSTANCE: 'nfs',
    OCF_RESKEY_nfs_shared_infodir: '/nfsdata',
    OCF_RESKEY_CRM_meta_timeout: '60000',
  });
  const { code, reason } = await runAction(nfsserver, 'start', machine, silentLog);
  expect({ code, reason }).toMatchObject({ code: 0 });
  expect(machine.told.map(({ from }) => from)).toEqual(['0.0.0.0']);
  expect(machine.left()).toEqual(['10.0.0.51']);
  for (const name of ['a', 'b'] as const) expect((await machine.call(name, 'start')).code).toBe(0);
  expect(machine.told.map(({ from }) => from)).toEqual(['0.0.0.0', '10.0.0.20', '10.0.1.20']);
  expect(new Set(machine.told.map(({ state }) => state)).size).toBe(1);
  expect(machine.left()).toEqual([]);
});
