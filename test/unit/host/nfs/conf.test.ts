import { expect, test } from 'vitest';
import { hostOn } from '../../../../lib/host/host.ts';
import { nfsConf, speaksV3 } from '../../../../lib/host/nfs/conf.ts';
import { FakeMachine } from '../../../fake/machine.ts';
import { type ConfCase, confCases, filesOf } from './conf-cases.ts';

function confOf(files: ConfCase['files'], env: NodeJS.ProcessEnv = {}, except?: string) {
  const machine = new FakeMachine(env);
  for (const [path, text] of filesOf({ what: '', files, values: {} })) machine.files.set(path, text);
  const isDirectory = (path: string) => [...machine.files.keys()].some((file) => file.startsWith(`${path}/`));
  machine.read = async (path) => {
    const text = machine.files.get(path);
    if (text !== undefined) return text;
    throw Object.assign(new Error(path), { code: isDirectory(path) ? 'EISDIR' : 'ENOENT' });
  };
  return nfsConf(hostOn(machine, 1000), except);
}

// test/host/exportfs/nfsconf.test.ts asks nfs-utils the same
test.each(confCases.map((row) => [row.what, row] as const))('%s', async (_what, { files, values, env }) => {
  const conf = await confOf(files, env);
  for (const [name, value] of Object.entries(values)) {
    const [section = '', key = ''] = name.split(' ');
    expect([name, conf.get(section, key) ?? null]).toEqual([name, value]);
  }
});

test.each([
  ['', true],
  ['[nfsd]\nvers3=n\n', false],
  ["[nfsd]\nvers3='n'\n", false],
  ['[environment]\nV3=no\n[nfsd]\nvers3=$V3\n', false],
  ['[nfsd]\nvers3=y\n', true],
  ['[nfsd]\nvers3=$V3\n', true],
])('NFSv3 by %j', async (text, is) => {
  expect(speaksV3(await confOf(text))).toBe(is);
});

test('a fragment of ours is left out', async () => {
  const files = { '/etc/nfs.conf.d/a.conf': '[a]\nb=1\n', '/etc/nfs.conf.d/b.conf': '[a]\nb=2\n' };
  expect((await confOf(files, {}, '/etc/nfs.conf.d/b.conf')).get('a', 'b')).toBe('1');
});

test('files and variables in a circle, where nfs-utils never ends', async () => {
  await expect(confOf('[a]\ninclude=nfs.conf\n')).rejects.toThrow('/etc/nfs.conf includes too many files');
  const twice = '[a]\ninclude=x\ninclude=x\n';
  await expect(confOf({ '/etc/nfs.conf': twice, '/etc/x': twice })).rejects.toThrow('too many files');
  const conf = await confOf('[environment]\nA=$B\nB=$A\n[a]\nb=$A\n');
  expect(conf.get('a', 'b')).toBeUndefined();
});
