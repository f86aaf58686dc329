import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectFolder } from '../../packaging/products.ts';
import { run, sandbox } from '../contract/call.ts';
import { env, must } from './machine.ts';

// The same sources, built again elsewhere by somebody else: the same bytes, and signed.

const packages = join(projectFolder, 'dist/packages');
const sources = ['agents', 'cli', 'lib', 'metadata', 'packaging', 'package.json', 'tsconfig.json', 'LICENSE'];

/** Somebody with other habits: another folder, time zone, language, and files that only he may read. */
const again = `
  umask 077
  cd "$COPY"
  mount --bind "$PROJECT/node_modules" node_modules
  for step in bundle native "package/main --foreign-bun $BUN"; do
    set -- $step; name=$1; shift
    "$NODE" node_modules/.bin/tsx "packaging/$name.ts" "$@"
  done`;

/** A key that is thrown away with its folder. */
async function makeKey(home: string): Promise<string> {
  const gpg = (...args: readonly string[]) => must('gpg', '--homedir', home, '--batch', '--quiet', ...args);
  try {
    await gpg(
      '--passphrase',
      '',
      '--quick-generate-key',
      'tsha test <test@tsha.invalid>',
      'ed25519',
      'sign',
      'never',
    );
    return await gpg('--armor', '--export-secret-keys');
  } finally {
    await run(['gpgconf', '--homedir', home, '--kill', 'all'], env);
  }
}

const foreignBun = (): string => {
  const [cpu, name] =
    process.arch === 'x64' ? ['arm64', 'bun-linux-aarch64'] : ['x64', 'bun-linux-x64-baseline'];
  return join(projectFolder, `.cache/bun-${cpu}/node_modules/@oven/${name}/bin/bun`);
};

test('a second build has the same bytes; its sums are signed, and a file that was touched is told', async () => {
  const copy = sandbox();
  for (const name of sources) cpSync(join(projectFolder, name), join(copy, name), { recursive: true });
  mkdirSync(join(copy, 'node_modules'));
  const rpm = readdirSync(packages).find((name) => name.endsWith('.rpm')) ?? '';
  const date = await must('rpm', '-qp', '--queryformat', '%{BUILDTIME}', join(packages, rpm));
  const built = await run(['unshare', '-m', 'sh', '-ec', again], {
    ...env,
    TZ: 'Asia/Kathmandu',
    LC_ALL: 'C',
    SOURCE_DATE_EPOCH: date,
    TSHA_SIGNING_KEY: await makeKey(sandbox()),
    COPY: copy,
    PROJECT: projectFolder,
    NODE: process.execPath,
    BUN: foreignBun(),
  });
  expect([built.code, built.stderr]).toEqual([0, '']);

  const second = join(copy, 'dist/packages');
  const sums = readFileSync(join(second, 'SHA256SUMS'), 'utf8');
  expect(sums).toBe(readFileSync(join(packages, 'SHA256SUMS'), 'utf8'));

  // as the README has it
  const home = sandbox();
  const check = async (...argv: readonly string[]) =>
    (await run(argv, { ...env, GNUPGHOME: home }, { cwd: second })).code;
  try {
    expect(await check('gpg', '--batch', '--import', 'tsha-signing-key.asc')).toBe(0);
    expect(await check('gpg', '--verify', 'SHA256SUMS.asc', 'SHA256SUMS')).toBe(0);
    expect(await check('sha256sum', '-c', '--ignore-missing', 'SHA256SUMS')).toBe(0);
    writeFileSync(join(second, rpm), 'something else');
    expect(await check('sha256sum', '-c', '--ignore-missing', 'SHA256SUMS')).toBe(1);
    writeFileSync(join(second, 'SHA256SUMS'), sums.replace('0', '1'));
    expect(await check('gpg', '--verify', 'SHA256SUMS.asc', 'SHA256SUMS')).toBe(1);
  } finally {
    await run(['gpgconf', '--homedir', home, '--kill', 'all'], env);
  }
}, 1_800_000);
