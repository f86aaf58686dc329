import { expect, test } from 'vitest';
import { Failure } from '../../../../lib/contract/outcome.ts';
import { hostOn } from '../../../../lib/host/host.ts';
import { pathFacts, readManaged } from '../../../../lib/host/storage/managed-files.ts';
import { FakeMachine } from '../../../fake/machine.ts';

// F8: only ENOENT and ENOTDIR say that there is nothing. In the words of GNU coreutils 9.1 and busybox 1.35.

const hostWith = (code: number, stderr: string) => {
  const machine = new FakeMachine();
  for (const command of ['stat', 'cat']) machine.on(command, () => ({ code, stderr }));
  return hostOn(machine, 1000);
};

test.each([
  "stat: cannot statx '/x': No such file or directory\n",
  "stat: cannot statx '/x/y': Not a directory\n",
  "stat: can't stat '/x': No such file or directory\n",
])('nothing there: %s', async (stderr) => {
  expect(await pathFacts(hostWith(1, stderr), '/x')).toBeUndefined();
  expect(await readManaged(hostWith(1, stderr), '/x')).toBeUndefined();
});

test.each([
  ["stat: cannot statx '/x': Transport endpoint is not connected\n", 'Transport endpoint is not connected'],
  ["stat: cannot statx '/x': Stale file handle\n", 'Stale file handle'],
  ["stat: cannot statx '/x': Input/output error\n", 'Input/output error'],
  ["stat: cannot statx '/No such file or directory: x': Permission denied\n", 'Permission denied'],
  ['', 'exit 1'],
])('an error is no absence: %s', async (stderr, words) => {
  const told = { outcome: 'failed', message: expect.stringMatching(`/x: ${words}$`) };
  await expect(pathFacts(hostWith(1, stderr), '/x')).rejects.toMatchObject(told);
  await expect(readManaged(hostWith(1, stderr), '/x')).rejects.toBeInstanceOf(Failure);
});

test('a tool that cannot be loaded says nothing about a path', async () => {
  const host = hostWith(
    127,
    'stat: error while loading shared libraries: libselinux.so.1: cannot open shared object file: No such file or directory\n',
  );
  const told = { outcome: 'failed', message: expect.stringMatching(/\/x: .*libselinux\.so\.1/) };
  await expect(pathFacts(host, '/x')).rejects.toMatchObject(told);
  await expect(readManaged(host, '/x')).rejects.toMatchObject(told);
});

test('kind, device and inode', async () => {
  const machine = new FakeMachine().on('stat', () => '7:0 12 regular empty file\n');
  expect(await pathFacts(hostOn(machine, 1000), '/x')).toEqual({ kind: 'file', device: '7:0', ino: '12' });
});
