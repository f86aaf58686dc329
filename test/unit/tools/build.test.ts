import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { projectFolder } from '../../../packaging/products.ts';

// build.sh in a tree of its own, where each step writes down that it was called and may fail: what is built again, and what a failure stops.

const isRoot = process.getuid?.() === 0;
const foreign =
  process.arch === 'x64'
    ? 'bun-arm64/node_modules/@oven/bun-linux-aarch64'
    : 'bun-x64/node_modules/@oven/bun-linux-x64-baseline';

const tsx = `#!/bin/sh
mkdir -p dist/native dist/packages
echo "$*" | sed 's| --foreign-bun.*||' >>calls
case "$*" in *"$FAILS"*) [ -z "$FAILS" ] || exit 1 ;; esac
`;

function tree() {
  const root = mkdtempSync(join(tmpdir(), 'tsha-build-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const add = (name: string, text = '', mode = 0o644) => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
    chmodSync(join(root, name), mode);
  };
  cpSync(join(projectFolder, 'build.sh'), join(root, 'build.sh'));
  for (const name of [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    '.npmrc',
    'packaging/package/packages.txt',
  ])
    add(name);
  for (const dir of ['agents', 'cli', 'lib', 'metadata']) mkdirSync(join(root, dir));
  for (const tier of ['contract', 'host', 'lab', 'packages']) add(`test/${tier}/packages.txt`);
  add('node_modules/.bin/tsx', tsx, 0o755);
  add(`.cache/${foreign}/bin/bun`, '', 0o755);
  add(`.cache/${foreign.split('/', 1)[0]}/package-lock.json`);
  utimesSync(join(root, 'package-lock.json'), 1, 1);
  add('node_modules/.package-lock.json');

  /** Ends with this code; the steps since the last call. */
  const build = async (command: string, env: Readonly<Record<string, string>> = {}) => {
    rmSync(join(root, 'calls'), { force: true });
    const done = await execa(join(root, 'build.sh'), command.split(' '), {
      reject: false,
      extendEnv: false,
      env: { PATH: process.env['PATH'], HOME: root, ...env },
    });
    const calls = existsSync(join(root, 'calls')) ? readFileSync(join(root, 'calls'), 'utf8') : '';
    return { code: done.exitCode, said: done.stderr, calls: calls.trim().split('\n').filter(Boolean) };
  };
  return { root, build };
}

const bundle = 'packaging/bundle.ts';
const native = 'packaging/native.ts';
const packages = 'packaging/package/main.ts';

describe('package', () => {
  test.each([
    ['the same again', {}, {}, []],
    ['with a key', {}, { TSHA_SIGNING_KEY: 'key' }, [packages]],
    ['with another key', { TSHA_SIGNING_KEY: 'key' }, { TSHA_SIGNING_KEY: 'other' }, [packages]],
    ['without the key', { TSHA_SIGNING_KEY: 'key' }, {}, [packages]],
    ['by another maintainer', {}, { TSHA_MAINTAINER: 'A <a@b.invalid>' }, [packages]],
    ['with another date', { SOURCE_DATE_EPOCH: '1' }, { SOURCE_DATE_EPOCH: '2' }, [bundle, native, packages]],
  ])('%s', async (_what, before, after, calls) => {
    const { build } = tree();
    expect(await build('package', before)).toMatchObject({ code: 0, calls: [bundle, native, packages] });
    expect(await build('package', after)).toMatchObject({ code: 0, calls });
  });

  test('a step that failed is no step that was done', async () => {
    const { root, build } = tree();
    await build('package');
    for (const stamp of ['dist/.bundled', 'dist/native/.compiled', 'dist/packages/.packaged'])
      utimesSync(join(root, stamp), 1, 1); // all that it was made of is newer
    for (const [FAILS, calls] of [
      [bundle, [bundle]],
      [native, [bundle, native]],
      [packages, [native, packages]],
      [packages, [packages]],
    ] as const)
      expect(await build('package', { FAILS })).toMatchObject({
        code: 1,
        calls,
        said: expect.stringMatching(/build\.sh: dist\S* was not built$/),
      });
    expect(await build('package')).toMatchObject({ code: 0, calls: [packages] });
  });

  test('the key is in no file', async () => {
    const { root, build } = tree();
    await build('package', { TSHA_SIGNING_KEY: 'the key itself' });
    expect(readFileSync(join(root, 'dist/packages/.packaged'), 'utf8')).not.toContain('the key');
  });
});

describe('release', () => {
  const prepare = 'tools/release.ts prepare 0.2.0';
  const golden = 'tools/golden.ts';
  const tag = 'tools/release.ts tag';

  test.each([
    ['prepare', [prepare]],
    ['golden', [prepare, golden]],
    ['test/run.ts', [prepare, golden, 'test/run.ts types']],
    [bundle, [prepare, golden, 'test/run.ts types', bundle]],
    [native, [prepare, golden, 'test/run.ts types', bundle, native]],
    [packages, [prepare, golden, 'test/run.ts types', bundle, native, packages]],
  ])('nothing is tagged where %s fails', async (FAILS, calls) => {
    const { root, build } = tree();
    await build('package'); // by an earlier version
    writeFileSync(join(root, 'package.json'), '');
    expect(await build('release --unsigned 0.2.0 types', { FAILS })).toMatchObject({ code: 1, calls });
  });

  test('without a key only for who says so, and then without one that is there', async () => {
    const { root, build } = tree();
    expect(await build('release 0.2.0 types')).toMatchObject({
      code: 1,
      calls: [],
      said: expect.stringMatching(/TSHA_SIGNING_KEY has no key.*--unsigned/),
    });
    const steps = [prepare, golden, 'test/run.ts types', bundle, native, packages, tag];
    const stamp = () => readFileSync(join(root, 'dist/packages/.packaged'), 'utf8').replace(/^\d+/, '');
    const env = { TSHA_SIGNING_KEY: 'key' };
    expect(await build('release 0.2.0 types', env)).toMatchObject({ code: 0, calls: steps });
    const signed = stamp();
    expect((await build('release --unsigned 0.2.0 types', env)).code).toBe(0);
    expect(stamp()).not.toBe(signed);
  });

  test('every tier, and the packages that were built after them; only root can', async () => {
    const { build } = tree();
    const { code, calls, said } = await build('release --unsigned 0.2.0');
    const tiers = 'types lint unit contract host lab';
    if (isRoot)
      expect([code, calls]).toEqual([
        0,
        // the lab runs the native flavour
        [prepare, golden, native, `test/run.ts ${tiers}`, bundle, packages, 'test/run.ts packages', tag],
      ]);
    else expect([code, calls, said]).toEqual([1, [], expect.stringMatching(/only root can run every tier/)]);
  });
});
