import { expect, test } from 'vitest';
import type { Order } from '../../../../lib/host/jobs.ts';
import type { Command, Output } from '../../../../lib/host/sys/sys.ts';
import { hangs } from '../../../fake/machine.ts';
import type { NfsMachine } from '../../../fake/nfs-machine.ts';
import { recurring, run, started } from '../../../fake/nfsserver-machine.ts';

// NFSv4.0 clients on nfsdcld's list: what /proc/fs/nfsd/clients says, and who is put on the list and taken off it.

const clients = '/proc/fs/nfsd/clients';
const lease = 90;

type Shown = {
  readonly name?: string;
  readonly minor?: number;
  readonly status?: string;
  readonly silent?: number | undefined;
  readonly holds?: 'open' | 'lock' | 'deleg' | undefined;
};

/** As Linux 7.2 shows one. */
function show(machine: NfsMachine, id: number, shown: Shown = {}): void {
  const { name = `Linux NFSv4.0 c${id}`, minor = 0, status = 'confirmed' } = shown;
  const silent = 'silent' in shown ? shown.silent : 3;
  const holds = 'holds' in shown ? shown.holds : 'open';
  machine.files.set(
    `${clients}/${id}/info`,
    [
      `clientid: 0x6ee0a1b2${id.toString(16).padStart(8, '0')}`,
      `address: "10.77.0.30:${800 + id}"`,
      `status: ${status}`,
      ...(silent === undefined ? [] : [`seconds from last renew: ${silent}`]),
      `name: "${name}"`,
      `minor version: ${minor}`,
      'callback state: UP',
      '',
    ].join('\n'),
  );
  machine.files.set(
    `${clients}/${id}/states`,
    holds ? `- 0x01: { type: ${holds}, access: rw, superblock: "93:01:12", filename: "f" }\n` : '',
  );
}

function vanish(machine: NfsMachine, id: number): void {
  for (const file of ['info', 'states']) machine.files.delete(`${clients}/${id}/${file}`);
}

/** `+name` and `-name`, as the child is asked; `trouble` is its answer. */
async function serving(): Promise<{ machine: NfsMachine; asked: string[]; fail: (how: boolean) => void }> {
  const machine = await started();
  const asked: string[] = [];
  let fails = false;
  const [self] = machine.self;
  const others = machine.handler(self);
  machine.on('cat', ([file]) => (file === '/proc/fs/nfsd/nfsv4leasetime' ? `${lease}\n` : { code: 1 }));
  machine.on(self, (args, command) => {
    const { job, ask } = JSON.parse(String(command.input ?? 'null')) as Order;
    if (job !== 'changeClientList') return others(args, command);
    const { add, remove } = ask as { readonly add: readonly string[]; readonly remove: readonly string[] };
    const words = (sign: string, names: readonly string[]) =>
      names.map((name) => `${sign}${Buffer.from(name, 'hex').toString('latin1')}`);
    asked.push([...words('+', add), ...words('-', remove)].join(' '));
    return JSON.stringify(fails ? { trouble: 'database is locked' } : { answer: 'changed' });
  });
  return {
    machine,
    asked,
    fail: (how) => {
      fails = how;
    },
  };
}

const monitor = (machine: NfsMachine) => {
  Object.assign(machine.env, recurring);
  return run(machine, 'monitor');
};

test.each<readonly [what: string, shown: Shown, monitored: string, stopped: string]>([
  ['holds an open file', {}, '+Linux NFSv4.0 c7', '+Linux NFSv4.0 c7'],
  ['holds a lock', { holds: 'lock' }, '+Linux NFSv4.0 c7', '+Linux NFSv4.0 c7'],
  ['holds nothing', { holds: undefined }, '', ''],
  ['is one of NFSv4.1: the kernel sees to it', { minor: 1 }, '', ''],
  ['has not come to an end of its introduction', { status: 'unconfirmed' }, '', ''],
  [
    'is silent for four fifths of its lease: only an end of the server can save it',
    { silent: 72 },
    '',
    '+Linux NFSv4.0 c7',
  ],
  [
    'has lost its lease, and nobody has taken anything yet',
    { status: 'courtesy', silent: 200 },
    '',
    '+Linux NFSv4.0 c7',
  ],
  ['is to be given up', { status: 'expirable', silent: 200 }, '', ''],
  ['a kernel that tells nothing of leases', { silent: undefined }, '', '+Linux NFSv4.0 c7'],
  ['a name of any bytes', { name: 'a\\x22b\\x5cx41\\xff' }, '+a"b\\x41\xff', '+a"b\\x41\xff'],
])('a client that %s', async (_, shown, monitored, stopped) => {
  const { machine, asked } = await serving();
  show(machine, 7, shown);
  expect((await monitor(machine)).code).toBe(0);
  expect((await monitor(machine)).code).toBe(0);
  expect(asked, 'once, not with every monitor').toEqual(monitored ? [monitored] : []);
  const before = machine.ran.length;
  expect((await monitor(machine)).code).toBe(0);
  expect(machine.ran.slice(before), 'a steady monitor starts no process').toEqual([]);
  asked.length = 0;
  expect((await run(machine, 'stop')).code).toBe(0);
  expect(asked).toEqual(stopped ? [stopped] : []);
  expect(machine.warnings).toEqual([]);
});

test('whoever was put on the list is taken off before its lease can end, and nobody else is', async () => {
  const { machine, asked } = await serving();
  show(machine, 7);
  show(machine, 8, { minor: 2 });
  show(machine, 9, { status: 'courtesy' });
  await monitor(machine);
  show(machine, 7, { silent: 71 });
  await monitor(machine);
  expect(asked).toEqual(['+Linux NFSv4.0 c7']);
  show(machine, 7, { silent: 72 });
  await monitor(machine);
  await monitor(machine);
  expect(asked).toEqual(['+Linux NFSv4.0 c7', '-Linux NFSv4.0 c7']);
  show(machine, 7, { silent: 1 });
  await monitor(machine);
  vanish(machine, 7);
  await monitor(machine);
  expect(asked.slice(2)).toEqual(['+Linux NFSv4.0 c7', '-Linux NFSv4.0 c7']);
});

test('a client that began anew between two monitors stays on the list, where the kernel may have put it', async () => {
  const { machine, asked } = await serving();
  show(machine, 7, { name: 'one' });
  await monitor(machine);
  vanish(machine, 7);
  show(machine, 12, { name: 'one', holds: undefined });
  await monitor(machine);
  expect(asked).toEqual(['+one']);
});

test('a list that cannot be written fails nothing, is told, and is written as soon as it can be', async () => {
  const { machine, asked, fail } = await serving();
  show(machine, 7, { name: 'stays' });
  show(machine, 8, { name: 'leaves' });
  await monitor(machine);
  fail(true);
  vanish(machine, 8);
  show(machine, 9, { name: 'comes' });
  expect((await monitor(machine)).code).toBe(0);
  expect(machine.warnings).toContainEqual(
    expect.stringMatching(/may lose them at the next move: .*database is locked/),
  );
  fail(false);
  await monitor(machine);
  await monitor(machine);
  expect(asked).toEqual(['+stays +leaves', '+comes -leaves', '+stays +comes -leaves']);
});

test.each<[string, (command: Command, machine: NfsMachine) => Partial<Output> | string]>([
  ['hangs', (command, machine) => hangs(command, machine)],
  ['fails', () => ({ code: 1, stderr: 'cat: Permission denied' })],
  ['says nothing', () => ''],
])('the question for the lease %s: told, and asked again', async (_what, answer) => {
  const { machine, asked } = await serving();
  const tells = machine.handler('cat');
  show(machine, 7, { name: 'one' });
  machine.on('cat', (_args, command) => answer(command, machine));
  expect((await monitor(machine)).code).toBe(0);
  expect(machine.warnings).toEqual([
    expect.stringMatching(/may lose them at the next move: nfsd does not tell its lease/),
  ]);
  machine.on('cat', tells);
  expect((await monitor(machine)).code).toBe(0);
  expect(asked).toEqual(['+one']);
});

test('a lease of 0, which an earlier version noted, is asked for anew', async () => {
  const { machine, asked } = await serving();
  show(machine, 7, { name: 'one' });
  await monitor(machine);
  asked.length = 0;
  for (const [path, text] of machine.files)
    if (path.includes('/tsha/nfsserver-'))
      machine.files.set(
        path,
        text.replace(
          '{"names":["6f6e65"],"settled":true,"lease":90}',
          '{"names":[],"settled":true,"lease":0}',
        ),
      );
  await monitor(machine);
  await monitor(machine);
  expect(asked).toEqual(['+one']);
});

test('a server that somebody else has restarted has a new list', async () => {
  const { machine, asked } = await serving();
  show(machine, 7, { name: 'one' });
  await monitor(machine);
  machine.stopUnit('nfs-server.service');
  for (const unit of ['nfs-server', 'nfs-mountd', 'nfs-idmapd']) machine.startUnit(`${unit}.service`);
  expect((await monitor(machine)).code).toBe(0);
  await monitor(machine);
  expect(asked).toEqual(['+one', '+one']);
});

test('a new start has a new list', async () => {
  const { machine, asked } = await serving();
  show(machine, 7, { name: 'one' });
  await monitor(machine);
  expect(await run(machine, 'stop')).toMatchObject({ code: 0 });
  expect(await run(machine, 'start')).toMatchObject({ code: 0 });
  await monitor(machine);
  expect(asked).toEqual(['+one', '+one', '+one']);
});
