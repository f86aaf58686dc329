import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { confCases, filesOf } from '../../unit/host/nfs/conf-cases.ts';

// What nfs-utils itself makes of the files that test/unit/host/nfs/conf.test.ts has ours read.

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tsha-nfsconf-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** In a mount namespace of its own: a root with nothing of this machine's but its programs. */
const ask = `
for dir in usr lib lib64 bin sbin; do
  [ ! -e /$dir ] || { mkdir -p "$1/$dir"; mount --rbind /$dir "$1/$dir"; }
done
[ ! -d /usr/etc ] || mount --bind "$1/usr-etc" "$1/usr/etc"
root=$1
shift
for name; do
  value=$(chroot "$root" nfsconf --get $name) && echo "=$value" || echo none
done
`;

const { stdout: version } = await execa('/sbin/mount.nfs', ['-V']);
const number = (parts: readonly unknown[]) =>
  parts.reduce<number>((sum, part) => sum * 1000 + Number(part), 0);
const release = number(/nfs-utils (\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1) ?? []);

const rows = confCases
  .filter(({ since }) => since === undefined || number(since) <= release)
  .map((row, index) => [row.what, row, index] as const);

test.each(rows)('%s', async (_what, row, index) => {
  const root = join(folder, String(index));
  for (const name of ['etc', 'usr-etc']) mkdirSync(join(root, name), { recursive: true });
  for (const [path, text] of filesOf(row)) {
    const file = join(root, path.replace('/usr/etc', '/usr-etc'));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const { stdout } = await execa(
    'unshare',
    ['-m', '--propagation', 'private', 'sh', '-ec', ask, 'ask', root, ...Object.keys(row.values)],
    { env: row.env ?? {}, stdin: 'ignore' },
  );
  const values = stdout.split('\n').map((line) => (line === 'none' ? null : line.slice(1)));
  expect(values).toEqual(Object.values(row.values));
});
