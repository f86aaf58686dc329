import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { nativeProgram } from '../../packaging/launcher.ts';
import { bunParts } from '../../packaging/notices/bun-parts.ts';
import { projectFolder } from '../../packaging/products.ts';
import { agents } from '../contract/agents.ts';
import { agentOf, run, sandbox } from '../contract/call.ts';
import { env, expectModes, must } from './machine.ts';

// What `build.sh package` makes. The packages are built once for all, and again only when something that goes into them is newer.

const dir = join(projectFolder, 'dist/packages');
const built = (pattern: RegExp): string => {
  const found = readdirSync(dir).filter((name) => pattern.test(name));
  if (found.length !== 1) throw new Error(`${found.length} packages for ${pattern}`);
  return join(dir, found[0] ?? '');
};
const foreign = process.arch === 'x64' ? { deb: 'arm64', rpm: 'aarch64' } : { deb: 'amd64', rpm: 'x86_64' };
const here = process.arch === 'x64' ? { deb: 'amd64', rpm: 'x86_64' } : { deb: 'arm64', rpm: 'aarch64' };
const debs = {
  native: () => built(new RegExp(`agents_.*_${here.deb}\\.deb$`)),
  script: () => built(/nodejs_.*_all\.deb$/),
  foreign: () => built(new RegExp(`agents_.*_${foreign.deb}\\.deb$`)),
};
const rpms = {
  native: () => built(new RegExp(`agents-\\d.*\\.${here.rpm}\\.rpm$`)),
  script: () => built(/nodejs-\d.*\.noarch\.rpm$/),
  foreign: () => built(new RegExp(`agents-\\d.*\\.${foreign.rpm}\\.rpm$`)),
};
const kinds = ['native', 'script', 'foreign'] as const;
const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
const program = `usr/lib/ocf/lib/tsha/${nativeProgram}`;

const unpackDeb = async (file: string): Promise<string> => {
  const root = sandbox();
  await must('dpkg-deb', '-R', file, root);
  return root;
};
/** Installed by rpm itself, below a root that has nothing else. */
const installRpm = async (file: string, ...more: readonly string[]): Promise<string> => {
  const root = sandbox();
  await must('rpm', '--root', root, '--nodeps', '--ignorearch', '--noscripts', ...more, '-i', file);
  return root;
};

describe('.deb', () => {
  test('of the other architecture: everything is root’s', () => expectModes(debs.foreign()));

  test('copyright and bill of materials name the parts of Bun', async () => {
    const root = await unpackDeb(debs.native());
    const doc = join(root, 'usr/share/doc/tsha-resource-agents');
    const copyright = readFileSync(join(doc, 'copyright'), 'utf8');
    const { components } = JSON.parse(readFileSync(join(doc, 'sbom.cdx.json'), 'utf8')) as {
      components: { name: string; version: string }[];
    };
    for (const { name } of bunParts) {
      expect(copyright).toContain(name);
      expect(components.map((one) => one.name)).toContain(name);
    }
    expect(components.every(({ version }) => version.length > 0)).toBe(true);
    expect(components.map(({ name }) => name)).toEqual(expect.arrayContaining(['bun', 'yargs']));
    expect(copyright).toContain('/usr/share/common-licenses/LGPL-2.1');
    expect(copyright).not.toContain('TERMS AND CONDITIONS FOR');
  });

  test.each(['native', 'script'] as const)('%s: lintian has nothing to say', async (kind) => {
    const { code, stdout, stderr } = await run(['lintian', '--allow-root', debs[kind]()], env);
    expect([code, stdout, stderr.replace(/^.*running with root privileges.*\n/gm, '')]).toEqual([0, '', '']);
  });
});

describe('.rpm', () => {
  test('rpmlint has nothing to say', async () => {
    const config = join(projectFolder, 'packaging/package/rpmlint.toml');
    const files = kinds.map((kind) => rpms[kind]());
    const { code, stdout } = await run(['rpmlint', '-c', config, ...files], env);
    expect([code, /\d+ errors, \d+ warnings/.exec(stdout)?.[0]]).toEqual([0, '0 errors, 0 warnings']);
  });

  test('native: rpm installs it into a root, it runs there, and goes without a rest', async () => {
    const root = await installRpm(rpms.native());
    expect(sha256(join(root, program))).toBe(sha256(agentOf('native', nativeProgram)));
    expect((await must('rpm', '--root', root, '-Va', '--nodeps')).trim()).toBe('');
    // with the libraries and the shell of this machine beside it
    for (const name of [
      'bin',
      'lib',
      'lib64',
      'etc',
      'dev',
      'proc',
      'sys',
      'run',
      'usr/bin',
      'usr/lib/locale',
    ])
      mkdirSync(join(root, name), { recursive: true });
    const inRoot = `
      for d in bin lib lib64 etc dev sys usr/bin; do [ ! -d /$d ] || mount --rbind /$d "$ROOT/$d"; done
      for d in /usr/lib/*-linux-gnu; do mkdir -p "$ROOT$d"; mount --bind $d "$ROOT$d"; done
      mount -t proc proc "$ROOT/proc"
      exec chroot "$ROOT" "$@"`;
    const there = (...argv: readonly string[]) =>
      run(['unshare', '-m', 'sh', '-ec', inRoot, 'sh', ...argv], { ...env, ROOT: root });
    expect(await there('/usr/sbin/tsha', '--help')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/tsha/),
    });
    const agent = '/usr/lib/ocf/resource.d/tsha/exportfs';
    expect(await there(agent, 'meta-data')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^<\?xml/),
    });
    expect((await there(agent, 'validate-all')).code).toBe(6);
    await must('rpm', '--root', root, '--noscripts', '-e', 'tsha-resource-agents');
    expect((await must('find', root, '-mindepth', '1', '-name', '*tsha*')).trim()).toBe('');
  });

  test.each(kinds)('%s: nothing below a directory of the architecture', async (kind) => {
    const files = (await must('rpm', '-qpl', rpms[kind]())).trim().split('\n');
    expect(files.filter((path) => path.startsWith('/usr/lib64'))).toEqual([]);
    expect(files).toContain('/usr/lib/ocf/resource.d/tsha/drbd');
  });
});

describe('the other architecture, which nobody has tried on its own hardware', () => {
  const emulator = process.arch === 'x64' ? 'qemu-aarch64' : 'qemu-x86_64';
  test('its program answers under qemu', async () => {
    const root = await unpackDeb(debs.foreign());
    const sysroot = process.arch === 'x64' ? '/usr/aarch64-linux-gnu' : '/usr/x86_64-linux-gnu';
    const emulated = (...argv: readonly string[]) =>
      run([emulator, '-L', sysroot, join(root, program), ...argv], { ...env, BUN_JSC_useJIT: '0' });
    const { code, stderr } = await emulated('exportfs', 'validate-all');
    expect([code, stderr]).toEqual([6, expect.stringContaining('required parameter')]);
    expect((await emulated('tsha', '--help')).stdout).toMatch(/tsha/);
  });
});

describe('manual pages', () => {
  test('mandoc has nothing to say but that lines without blanks are long', async () => {
    const root = await unpackDeb(debs.script());
    const pages = readdirSync(join(root, 'usr/share/man'), { recursive: true, encoding: 'utf8' }).filter(
      (path) => path.endsWith('.gz'),
    );
    expect(pages).toHaveLength(2 * (agents.length + 1));
    for (const path of pages) {
      const { stdout } = await run(['mandoc', '-T', 'lint'], env, {
        input: gunzipSync(readFileSync(join(root, 'usr/share/man', path))),
      });
      expect(stdout.split('\n').filter((line) => line && !line.includes('longer than 80 bytes'))).toEqual([]);
    }
  });
});

test('SHA256SUMS is of these files', async () => {
  const sums = readFileSync(join(dir, 'SHA256SUMS'), 'utf8').trim().split('\n');
  expect(sums).toHaveLength(6);
  for (const line of sums) {
    const [sum, name = ''] = line.split('  ');
    expect(sha256(join(dir, name))).toBe(sum);
  }
});

test('the completions are in order, and the command answers them', async () => {
  const root = await unpackDeb(debs.script());
  const completion = join(root, 'usr/share/bash-completion/completions/tsha');
  const command = agentOf('script', 'tsha');
  const line = `. ${completion}; COMP_WORDS=(${command} pl) COMP_CWORD=1; compopt() { :; }; _tsha; echo "\${COMPREPLY[@]}"`;
  expect((await run(['bash', '-c', line], env)).stdout.trim()).toBe('plan');
  expect(existsSync(join(root, 'usr/share/zsh/vendor-completions/_tsha'))).toBe(true);
  expect(lstatSync(completion).mode & 0o111).toBe(0);
});
