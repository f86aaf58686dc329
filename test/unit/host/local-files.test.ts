import { describe, expect, test } from 'vitest';
import { Failure } from '../../../lib/contract/outcome.ts';
import {
  factsIfThere,
  isThere,
  kindIfThere,
  listIfThere,
  readIfThere,
  targetIfThere,
} from '../../../lib/host/local-files.ts';
import { FakeMachine } from '../../fake/machine.ts';

/** A machine on which every look ends with this error. */
function failing(code: string) {
  const machine = new FakeMachine();
  const fails = () => Promise.reject(Object.assign(new Error(`${code}: no`), { code }));
  return { sys: Object.assign(machine, { read: fails, list: fails, target: fails, facts: fails }) };
}

const looks = {
  readIfThere,
  listIfThere,
  targetIfThere,
  factsIfThere,
  kindIfThere,
  isThere,
} as const;
const nothing = { listIfThere: [], isThere: false } as Readonly<Record<string, unknown>>;

describe.each(Object.entries(looks))('F8: %s', (name, look) => {
  test.each(['ENOENT', 'ENOTDIR', 'ESRCH'])('%s says that there is nothing', async (code) => {
    expect(await look(failing(code), '/some/file')).toEqual(nothing[name]);
  });

  test.each(['EIO', 'EACCES', 'EPERM', 'ELOOP', 'ESTALE', 'ENOTCONN', 'ENAMETOOLONG', 'EMFILE'])(
    '%s says that nobody knows',
    async (code) => {
      const outcome = look(failing(code), '/some/file');
      await expect(outcome).rejects.toThrow(new Failure('failed', `cannot look at /some/file: ${code}`));
    },
  );
});

test('what is there is told', async () => {
  const sys = new FakeMachine();
  sys.files.set('/etc/file', 'text');
  sys.links.set('/etc/link', '/etc/nowhere');
  expect(await readIfThere({ sys }, '/etc/file')).toBe('text');
  expect(await kindIfThere({ sys }, '/etc/file')).toBe('file');
  expect(await isThere({ sys }, '/etc/link')).toBe(true);
  expect(await kindIfThere({ sys }, '/etc/link', 'follow')).toBeUndefined();
  expect(await targetIfThere({ sys }, '/etc/link')).toBe('/etc/nowhere');
});
