import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleScript, declareCommonJs } from '../../../packaging/bundle.ts';
import { products } from '../../../packaging/products.ts';

// What is asked about an agent, not about a resource: answered whatever the parameters, the tools and the user.

const [nobody, nogroup] = [65534, 65534];
const anOrdinaryUser = process.getuid?.() === 0 ? { uid: nobody, gid: nogroup } : {};
const run = promisify(execFile);

let dir: string;
const metadata = new Map(products.map((product) => [product.name, product.metadata]));
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tsha-metadata-'));
  chmodSync(dir, 0o755);
  await declareCommonJs(dir);
  for (const product of products)
    if (['Filesystem', 'exportfs'].includes(product.name)) await bundleScript(product, dir);
}, 30_000);
afterAll(() => rmSync(dir, { recursive: true }));

describe('Filesystem#15,16,18: the meta-data of Filesystem', () => {
  test.each([
    ['without any parameter', {}, {}],
    ['on a host without tools', { OCF_TESTER_FAIL_HAVE_BINARY: '1', PATH: '/nonexistent' }, {}],
    ['for an ordinary user', {}, anOrdinaryUser],
  ])('%s', async (_what, env, user) => {
    const file = join(dir, 'Filesystem');
    expect(statSync(file).mode & 0o777).toBe(0o755);
    const expected = { stdout: metadata.get('Filesystem'), stderr: '' };
    expect(await run(file, ['meta-data'], { env, ...user })).toEqual(expected);
  });
});

test('exportfs#19,20,75, E10: exportfs answers without its directory', async () => {
  const file = join(dir, 'exportfs');
  for (const env of [{}, { OCF_RESKEY_directory: '/nosuch' }]) {
    const ask = (action: string) => run(file, [action], { env: { PATH: process.env['PATH'], ...env } });
    expect(await ask('meta-data')).toEqual({ stdout: metadata.get('exportfs'), stderr: '' });
    for (const action of ['usage', 'methods'])
      expect((await ask(action)).stdout).toContain('start|stop|monitor');
  }
});
