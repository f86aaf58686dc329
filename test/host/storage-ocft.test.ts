import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleScript, declareCommonJs } from '../../build/bundle.ts';
import { products } from '../../build/products.ts';

// The cases that the stock agents' authors test them with (ocft of resource-agents), pointed at ours.

const configs = '/usr/share/resource-agents/ocft/configs';

/** What the installed release's cases expect that its successors do not: fsid is optional since 4.13, and its case is gone. */
const stale: Readonly<Record<string, readonly [name: string, was: string, is: string] | undefined>> = {
  exportfs: ["no 'OCF_RESKEY_fsid'", 'start OCF_ERR_CONFIGURED', 'start OCF_SUCCESS'],
  'exportfs-multidir': ["no 'OCF_RESKEY_fsid'", 'start OCF_ERR_CONFIGURED', 'start OCF_SUCCESS'],
};

/** ocft's scripts and logs, an agent's state and the exports of this machine: all private to the run, and in memory. */
const privately = `
mount -t tmpfs none /run/resource-agents
mkdir -p /var/lib/resource-agents /run/resource-agents/lib
mount --bind /run/resource-agents/lib /var/lib/resource-agents
mount -t tmpfs state /var/lib/nfs
touch /var/lib/nfs/etab /var/lib/nfs/rmtab
if [ -d /proc/fs/nfsd ]; then
  mount -t tmpfs nfsd /proc/fs/nfsd
  echo 8 > /proc/fs/nfsd/threads
  : > /proc/fs/nfsd/unlock_filesystem
fi
ocft make -d "$1" "$2" >&2
exec ocft test -v "$2"
`;

let dir: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tsha-ocft-'));
  await declareCommonJs(dir);
  for (const name of ['Filesystem', 'exportfs']) {
    const product = products.find((one) => one.name === name);
    if (!product) throw new Error(`${name} is not among the products`);
    await bundleScript(product, dir);
  }
});
afterAll(() => rmSync(dir, { recursive: true }));

test.concurrent.each(['Filesystem', 'exportfs', 'exportfs-multidir'])(
  'ocft %s',
  { timeout: 120_000 },
  async (suite) => {
    const text = readFileSync(join(configs, suite), 'utf8');
    const cases = join(dir, `${suite}.cases`);
    mkdirSync(cases);
    writeFileSync(join(cases, suite), upToDate(suite, pointedAt(dir, text)));
    const argv = ['-m', '--propagation', 'private', 'sh', '-ec', privately, 'sh', cases, suite];
    const { all, exitCode } = await execa('unshare', argv, { reject: false, all: true });
    expect({ exitCode, failed: all.split('\n').filter((line) => /FAILED|ERROR/.test(line)) }, all).toEqual({
      exitCode: 0,
      failed: [],
    });
    const passed = all.split('\n').filter((line) => /^Checking return value: .*OK/.test(line)).length;
    expect(passed).toBe(text.match(/^CASE "/gm)?.length);
    console.log(
      `ocft ${suite}: ${passed} cases pass${stale[suite] ? `, one of them brought up to date` : ''}`,
    );
  },
);

/** The package is installed: ocft would ask the distribution's installer. */
const pointedAt = (folder: string, text: string): string =>
  text.replace(/^(\s*AgentRoot).*/m, `$1 ${folder}`).replace(/^\s*InstallPackage.*\n/m, '');

function upToDate(suite: string, text: string): string {
  const [name, was, is] = stale[suite] ?? [];
  if (!name || !was || !is) return text;
  return text
    .split(/^(?=CASE ")/m)
    .map((piece) => (piece.split('\n')[0]?.includes(name) ? piece.replace(was, is) : piece))
    .join('');
}
