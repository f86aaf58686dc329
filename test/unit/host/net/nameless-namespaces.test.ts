import { expect, test } from 'vitest';
import { hostOn } from '../../../../lib/host/host.ts';
import { keeperOf } from '../../../../lib/host/net/nameless-namespaces.ts';
import { FakeMachine } from '../../../fake/machine.ts';

const ours = 40;

/** Processes by pid: the namespace each is in, and whether one may ask. */
function machineWith(processes: readonly { readonly ino: number; readonly isClosed?: boolean }[]) {
  const machine = new FakeMachine();
  machine.files.set('/proc/self/mountinfo', '');
  machine.factsOf.set('/proc/self/net/dev', { ino: 1000 + ours });
  const closed = new Set<string>();
  for (const [at, { ino, isClosed }] of processes.entries()) {
    const pid = at + 1;
    machine.process(pid, { comm: 'x' }, { 'ns/net': `net:[${ino}]` });
    machine.factsOf.set(`/proc/${pid}/net/dev`, { ino: 1000 + ino });
    if (isClosed) closed.add(`/proc/${pid}/ns/net`);
  }
  const target = machine.target.bind(machine);
  machine.target = (link) =>
    closed.has(link) ? Promise.reject(Object.assign(new Error('EACCES'), { code: 'EACCES' })) : target(link);
  return keeperOf(hostOn(machine, 1000), 7);
}

test.each([
  ['nobody is in it', [{ ino: ours }], undefined],
  ['a process is', [{ ino: ours }, { ino: 7 }], { file: '/proc/2/ns/net', who: 'pid 2 (x)' }],
  ['one that may not be asked is in our own', [{ ino: ours, isClosed: true }], undefined],
  [
    'one that may not be asked is not, another is in it',
    [{ ino: 8, isClosed: true }, { ino: 7 }],
    { who: 'pid 2 (x)' },
  ],
])('%s', async (_what, processes, keeper) => {
  const found = await machineWith(processes);
  if (keeper) expect(found).toMatchObject(keeper);
  else expect(found).toBeUndefined();
});

test('one that may not be asked, and is not in our own, may be in it', async () => {
  await expect(machineWith([{ ino: 8, isClosed: true }])).rejects.toThrow(
    /cannot see which network namespace pid 1 is in: .*EACCES/,
  );
});
