import { describe, expect, test } from 'vitest';
import { FilesystemMachine } from '../../../fake/filesystem-machine.ts';

const ours = { source: '/dev/drbd1', target: '/nfsdata', device: '147:1' } as const;
type Params = { readonly [name: string]: string };

describe('calls that cannot be answered', () => {
  test.each<[string, Params, string, number]>([
    ['Filesystem#3: start without device', { device: '' }, 'start', 6],
    ['Filesystem#13: an unknown action', {}, 'no_cmd', 3],
    ['Filesystem#14: no action', {}, '', 3],
    ['Filesystem#21: start without directory', { directory: '' }, 'start', 6],
    ['Filesystem#23: start of an NFS mount without directory', { directory: '', fstype: 'nfs' }, 'start', 6],
    ['Filesystem#23: its stop', { directory: '', fstype: 'nfs' }, 'stop', 0],
  ])('%s', async (_what, params, action, code) => {
    const machine = new FilesystemMachine(params);
    const result = await machine.call(action);
    expect(result).toMatchObject({ code });
    expect(Boolean(result.reason)).toBe(code !== 0);
    expect(machine.ran).toEqual([]);
  });
});

describe('parameters that cannot be', () => {
  test.each<[string, Params, RegExp]>([
    ['Filesystem#30: white space', { device: '/dev/drbd1 ' }, /white space/],
    ['Filesystem#28: the root directory', { directory: '/' }, /root/],
    ['a relative directory', { directory: 'nfsdata' }, /absolute/],
    ['a signal that does not exist', { term_signals: 'BOGUS' }, /term_signals/],
    ['a delay that is no number', { signal_delay: 'soon' }, /signal_delay/],
  ])('%s', async (_what, params, reason) => {
    for (const action of ['start', 'validate-all']) {
      const result = await new FilesystemMachine(params).call(action);
      expect(result).toMatchObject({ code: 6, reason: expect.stringMatching(reason) });
    }
    const machine = new FilesystemMachine(params);
    if (!('directory' in params)) machine.mounted(ours);
    expect(await machine.call('stop')).toMatchObject({ code: 0 });
    expect(machine.targets).toEqual([]);
  });
});

test('Filesystem#110, C20: validate-all at level 10 warns of fstab, at level 0 says nothing', async () => {
  const machine = new FilesystemMachine();
  machine.files.set('/etc/fstab', '# x\n/dev/sda1 /nfsdata/ xfs defaults 0 0\n');
  machine.on('umount', () => undefined);
  expect(await machine.call('validate-all')).toMatchObject({ code: 0 });
  expect(machine.log).toEqual([]);
  expect(await machine.call('validate-all', { OCF_CHECK_LEVEL: '10' })).toMatchObject({ code: 0 });
  expect(machine.log).toHaveLength(1);
});
