import { describe, expect, test } from 'vitest';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { recurring, run, shared } from '../../../fake/nfsserver-machine.ts';

// fs.leases-enable through the life of a server: 0 while clients may claim what they had, what it was before and after that.

const leases = '/proc/sys/fs/leases-enable';
const now = (machine: NfsMachine) => machine.files.get(leases)?.trim();

function machineWith(value: string | undefined): NfsMachine {
  const machine = new NfsMachine(shared);
  if (value !== undefined) machine.files.set(leases, `${value}\n`);
  return machine;
}

async function started(): Promise<NfsMachine> {
  const machine = machineWith('1');
  expect((await run(machine, 'start')).code).toBe(0);
  return machine;
}

function monitored(machine: NfsMachine, grace: string | { readonly code: number }): Promise<unknown> {
  const others = machine.handler('cat');
  machine.on('cat', (args, command) =>
    args[0] === '/proc/fs/nfsd/v4_end_grace' ? grace : others(args, command),
  );
  Object.assign(machine.env, recurring);
  return run(machine, 'monitor');
}

test('nobody is given a delegation from before the first thread runs', async () => {
  const machine = await started();
  expect(now(machine)).toBe('0');
  const at = (line: string) => machine.journal.findIndex((entry) => entry.startsWith(line));
  expect(at(`poke ${leases} 0`)).toBeGreaterThan(0);
  expect(at(`poke ${leases} 0`)).toBeLessThan(at('run systemctl start'));
});

describe('a monitor', () => {
  test.each<readonly [what: string, grace: string | { readonly code: number }, then: string]>([
    ['in grace', 'N\n', '0'],
    ['after grace', 'Y\n', '1'],
    ['when nfsd does not tell', { code: 1 }, '0'],
  ])('%s', async (_what, grace, then) => {
    const machine = await started();
    expect(await monitored(machine, grace)).toMatchObject({ code: 0 });
    expect(now(machine)).toBe(then);
    expect(machine.warnings).toEqual([]);
  });

  test('asks nobody once delegations are allowed, nor where they never were', async () => {
    for (const before of ['1', '0']) {
      const machine = await started();
      await monitored(machine, 'Y\n');
      machine.files.set(leases, `${before}\n`);
      machine.journal.length = 0;
      expect(await run(machine, 'monitor')).toMatchObject({ code: 0 });
      expect(machine.journal.filter((line) => line.includes('v4_end_grace'))).toEqual([]);
      expect(now(machine)).toBe(before);
    }
  });
});

test.each<readonly [what: string, env: NodeJS.ProcessEnv, action: 'monitor' | 'stop']>([
  ['a monitor of another instance', { ...recurring, OCF_RESOURCE_INSTANCE: 'renamed' }, 'monitor'],
  [
    'a monitor by hand',
    { OCF_RESOURCE_INSTANCE: 'by-hand', OCF_RESKEY_CRM_meta_interval: undefined },
    'monitor',
  ],
  ['a stop of another instance', { OCF_RESOURCE_INSTANCE: 'renamed' }, 'stop'],
])('%s gives back what this one took', async (_what, env, action) => {
  const machine = await started();
  Object.assign(machine.env, env);
  machine.on('cat', ([file]) => (file === '/proc/fs/nfsd/v4_end_grace' ? 'Y\n' : { code: 1 }));
  expect((await run(machine, action)).code).toBe(0);
  expect(now(machine)).toBe('1');
  machine.files.set(leases, '0\n'); // the administrator's, from here on
  expect((await run(machine, 'monitor')).code).toBe(action === 'stop' ? 7 : 0);
  expect(now(machine)).toBe('0');
});

test('a stop in grace gives back what was there', async () => {
  const machine = await started();
  expect((await run(machine, 'stop')).code).toBe(0);
  expect(now(machine)).toBe('1');
});

test.each(['0', undefined])('what the administrator has is left alone: %s', async (value) => {
  const machine = machineWith(value);
  expect((await run(machine, 'start')).code).toBe(0);
  await monitored(machine, 'Y\n');
  expect((await run(machine, 'stop')).code).toBe(0);
  expect(machine.journal.filter((line) => line.startsWith(`poke ${leases}`))).toEqual([]);
});

test('a number that cannot be read is told of, and the server starts', async () => {
  const machine = machineWith('1');
  const read = machine.read.bind(machine);
  machine.read = async (path) => {
    if (path === leases) throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
    return read(path);
  };
  expect((await run(machine, 'start')).code).toBe(0);
  expect(machine.warnings).toEqual([expect.stringMatching(/lock that another has not claimed yet.*EACCES/)]);
});

test('a start that fails with the server: the stop gives back, the next start withholds again', async () => {
  const machine = machineWith('1');
  let isBroken = true;
  machine.on(
    'systemctl',
    (() => {
      const others = machine.handler('systemctl');
      return (args, command) => (isBroken && args.includes('start') ? { code: 1 } : others(args, command));
    })(),
  );
  expect((await run(machine, 'start')).code).toBe(1);
  isBroken = false;
  expect((await run(machine, 'stop')).code).toBe(0);
  expect(now(machine)).toBe('1');
  expect((await run(machine, 'start')).code).toBe(0);
  expect(now(machine)).toBe('0');
});

test('a kernel that refuses is told of, and the server starts', async () => {
  const machine = machineWith('1');
  const poke = machine.poke.bind(machine);
  machine.poke = async (path, text) => {
    if (path === leases) throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' });
    await poke(path, text);
  };
  expect((await run(machine, 'start')).code).toBe(0);
  expect(machine.warnings).toEqual([expect.stringMatching(/lock that another has not claimed yet.*EROFS/)]);
});
