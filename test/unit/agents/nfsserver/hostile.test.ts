import { describe, expect, test } from 'vitest';
import { hotJournal } from '../../../fake/hot-journal.ts';
import { record } from '../../../fake/nfs-clients.ts';
import { NfsMachine } from '../../../fake/nfs-machine.ts';
import { run, shared, started } from '../../../fake/nfsserver-machine.ts';

// Whoever is root on a client of the tutorial's layout writes to the server's own directory. What he puts there never decides where root
// writes, and never ends in a failed stop, which would fence the node.

const names = [
  'sm',
  'sm.bak',
  'sm.ha',
  'state',
  'v4recovery',
  'rpc_pipefs',
  'etab',
  'rmtab',
  'reserve',
  'nfsdcld',
  'reexpdb.sqlite3',
  'reexpdb.sqlite3-journal',
  'reexpdb.sqlite3-wal',
  'reexpdb.sqlite3-shm',
] as const;

describe('planted before a start', () => {
  test.each(
    names.flatMap((name) =>
      (['symbolic link', 'device', 'FIFO'] as const).map((kind) => [name, kind] as const),
    ),
  )('S1, S2, S5, S6: %s is a %s', async (name, kind) => {
    const machine = new NfsMachine(shared);
    machine.odd.set(`/nfsdata/${name}`, kind);
    expect(await run(machine, 'start')).toMatchObject({ code: 0 });
    expect(machine.odd).toEqual(new Map([[`/nfsdata/${name}.refused-1`, kind]]));
    expect(machine.warnings).toContainEqual(expect.stringContaining(`/${name} was a ${kind}`));
    expect((await run(machine, 'stop')).code).toBe(0);
  });

  test.each([
    ['garbage', 'x', true],
    ['garbage that is longer', 'garbage in the place of a database', true],
    ['nothing', '', false],
    ['a database', 'SQLite format 3\0…', false],
  ])("fsidd's database is %s", async (_what, text, isMoved) => {
    const machine = new NfsMachine(shared);
    machine.disk.set('/nfsdata/reexpdb.sqlite3', text);
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.disk.get('/nfsdata/reexpdb.sqlite3')).toBe(isMoved ? undefined : text);
    expect(machine.disk.get('/nfsdata/reexpdb.sqlite3.refused-1')).toBe(isMoved ? text : undefined);
    const said = machine.warnings.filter((line) => line.includes('reexpdb.sqlite3 was no database'));
    expect(said).toHaveLength(isMoved ? 1 : 0);
  });

  test.each(
    ['nfsdcld/main.sqlite', 'nfsdcltrack/main.sqlite', 'reexpdb.sqlite3'].flatMap((database) => [
      [database, 'has SQLite remove a file', hotJournal(1, '/etc/passwd'), true] as const,
      [database, 'is one of a writer that died', hotJournal(1, '').subarray(0, -8), false] as const,
      [database, 'is empty', Buffer.of(), false] as const,
    ]),
  )('S26: the journal of %s %s', async (database, _what, journal, isMoved) => {
    const machine = new NfsMachine(shared);
    const path = `/nfsdata/${database}-journal`;
    machine.disk.set(path, journal);
    expect((await run(machine, 'start')).code).toBe(0);
    expect([machine.disk.has(path), machine.disk.has(`${path}.refused-1`)]).toEqual([!isMoved, isMoved]);
    const said = machine.warnings.filter((line) => line.includes(`${database}-journal named a file`));
    expect(said).toHaveLength(isMoved ? 1 : 0);
  });

  test.each(['symbolic link', 'device', 'FIFO'] as const)('S3: server-scope is a %s', async (kind) => {
    const machine = new NfsMachine(shared);
    machine.odd.set('/nfsdata/server-scope', kind);
    expect((await run(machine, 'start')).code).toBe(0);
    expect(machine.warnings).toContainEqual(expect.stringContaining(`server-scope is a ${kind}`));
    expect(machine.disk.get('/nfsdata/server-scope')).toMatch(/^tsha-[0-9a-f]{16}\n$/);
  });
});

test.each(names.flatMap((name) => (['symbolic link', 'FIFO'] as const).map((kind) => [name, kind] as const)))(
  'S1: %s becomes a %s while the server runs: the stop goes on, and forgets no client in silence',
  async (name, kind) => {
    const machine = await started();
    const inSm = name === 'sm' ? [] : ['/nfsdata/sm/10.0.0.51'];
    for (const file of inSm) machine.disk.set(file, record('10.0.0.51'));
    for (const path of [...machine.disk.keys()])
      if (path === `/nfsdata/${name}` || path.startsWith(`/nfsdata/${name}/`)) machine.disk.delete(path);
    machine.odd.set(`/nfsdata/${name}`, kind);
    expect((await run(machine, 'stop')).code).toBe(0);
    const isAsked = ['sm', 'sm.bak', 'reserve'].includes(name);
    if (isAsked) expect(machine.warnings).toContainEqual(expect.stringContaining(`is a ${kind}`));
  },
);

test('S5: a link on the way to nfs_shared_infodir is refused, by name', async () => {
  const machine = new NfsMachine({ ...shared, OCF_RESKEY_nfs_shared_infodir: '/nfsdata/state' });
  machine.odd.set('/nfsdata/state', 'symbolic link');
  expect(await run(machine, 'start')).toMatchObject({
    code: 1,
    reason: expect.stringContaining('/nfsdata/state is a symbolic link'),
  });
});

describe('validate-all at level 10 tells where clients reach the state directory', () => {
  const table =
    '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 147:1 / /nfsdata rw - xfs /dev/drbd1 rw\n3 1 147:2 / /state rw - xfs /dev/drbd2 rw\n';
  test.each([
    ['in the export', '/nfsdata/nfs', '/nfsdata', /lies in the export \/nfsdata/],
    ['the export itself', '/nfsdata', '/nfsdata', /lies in the export \/nfsdata/],
    ['beside the export', '/nfsdata/nfs', '/nfsdata/data', /on the filesystem of the export \/nfsdata\/data/],
    ['a filesystem of its own', '/state', '/nfsdata', undefined],
    ['nothing is exported here', '/nfsdata', undefined, undefined],
  ])('%s', async (_what, infodir, exported, words) => {
    const machine = new NfsMachine({
      OCF_RESKEY_nfs_shared_infodir: infodir,
      OCF_CHECK_LEVEL: '10',
    });
    machine.files.set('/proc/self/mountinfo', table);
    if (exported) machine.files.set('/var/lib/nfs/etab', `${exported}\t*(rw,no_subtree_check)\n`);
    expect((await run(machine, 'validate-all')).code).toBe(0);
    const told = machine.warnings.filter((warning) => warning.includes('nfs_shared_infodir'));
    if (words) expect(told).toEqual([expect.stringMatching(words)]);
    else expect(told).toEqual([]);
  });

  test('what is exported cannot be read: said, and the parameters are no worse for it', async () => {
    const machine = new NfsMachine({ OCF_RESKEY_nfs_shared_infodir: '/nfsdata', OCF_CHECK_LEVEL: '10' });
    machine.files.set('/proc/self/mountinfo', table);
    const read = machine.read.bind(machine);
    machine.read = async (path) => {
      if (path.endsWith('/etab')) throw Object.assign(new Error('EIO'), { code: 'EIO' });
      return read(path);
    };
    expect((await run(machine, 'validate-all')).code).toBe(0);
    expect(machine.warnings).toContainEqual(expect.stringMatching(/was not looked at: .*etab/));
  });
});
