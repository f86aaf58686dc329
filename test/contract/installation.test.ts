import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cachedRunner, cacheOf } from '../../packaging/code-cache.ts';
import { nativeProgram } from '../../packaging/launcher.ts';
import { commandName, projectFolder } from '../../packaging/products.ts';
import { agents, validParams } from './agents.ts';
import { agentOf, call, callAlone, cluster, dummyLife, dummyOf, probing, run, sandbox } from './call.ts';

// ocf-contract cases 83-85, and what build.sh puts where.

const plan = ['plan', '--ip', '192.0.2.77'];
const path = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' };
const build = (...args: readonly string[]) => run([join(projectFolder, 'build.sh'), ...args], path);

const filesBelow = (dir: string): readonly string[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
    .sort();

const pages = ['', 'zh_CN/'].flatMap((language) => [
  ...agents.map((name) => `usr/share/man/${language}man7/ocf_tsha_${name}.7.gz`),
  `usr/share/man/${language}man8/tsha.8.gz`,
]);
const doc = [
  ...pages,
  ...['LICENSE', 'THIRD-PARTY-NOTICES', 'sbom.cdx.json'].map((name) => `usr/share/doc/tsha/${name}`),
  'usr/share/bash-completion/completions/tsha',
  'usr/share/zsh/site-functions/_tsha',
  'usr/lib/tmpfiles.d/tsha.conf',
  'usr/lib/systemd/system/tsha-metrics.service',
  'usr/lib/systemd/system/tsha-metrics.timer',
  'usr/share/doc/tsha/tsha-alerts.yml',
  ...agents.map((name) => `usr/share/resource-agents/ocft/configs/tsha-${name}`),
];
const executables = [
  ...agents.map((name) => `usr/lib/ocf/resource.d/tsha/${name}`),
  `usr/lib/ocf/lib/tsha/${nativeProgram}`,
  `usr/sbin/${commandName}`,
  'usr/share/pacemaker/alerts/alert_tsha.sh',
];
const expectedFiles = {
  script: [...executables, ...doc].filter((path) => !path.endsWith(nativeProgram)).sort(),
  native: [...executables, ...doc].sort(),
};

describe('build.sh', () => {
  test('install lays the files, twice the same, one flavour over the other; uninstall takes exactly them', async () => {
    const root = sandbox();
    for (const flavour of ['native', 'native', 'script', 'native'] as const) {
      expect(await build('install', `--${flavour}`, '--root', root)).toMatchObject({ code: 0, stderr: '' });
      expect(filesBelow(root)).toEqual(expectedFiles[flavour]);
      for (const file of filesBelow(root)) {
        const { mode, uid, gid } = lstatSync(join(root, file));
        const expected = executables.includes(file) ? 0o755 : 0o644;
        expect([file, mode & 0o7777, uid, gid]).toEqual([file, expected, 0, 0]);
      }
    }
    const foreign = join(root, 'usr/lib/ocf/resource.d/tsha/Other');
    writeFileSync(foreign, '');
    expect(await build('uninstall', '--root', root)).toMatchObject({ code: 0, stderr: '' });
    expect(filesBelow(root)).toEqual([relative(root, foreign)]);
    expect(await build('uninstall', '--root', root)).toMatchObject({ code: 0 });
  });

  test.each(['script', 'native'])(
    'S21: with umask 077 %s is laid with the same modes, folders and compiled code, too',
    async (flavour) => {
      const root = join(sandbox(), 'root');
      mkdirSync(join(root, 'usr/bin'), { recursive: true });
      symlinkSync(process.execPath, join(root, 'usr/bin/node'));
      const install = [join(projectFolder, 'build.sh'), 'install', `--${flavour}`, '--root', root];
      const answer = await run(['sh', '-c', 'umask 077; exec "$@"', 'sh', ...install], path);
      expect(answer).toMatchObject({ code: 0, stderr: '' });
      const entries = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
      const found = entries.map((entry) => [entry, lstatSync(join(root, entry)).mode & 0o7777]);
      const isRunnable = (entry: string) =>
        executables.includes(entry) || lstatSync(join(root, entry)).isDirectory();
      expect(found).toEqual(
        entries.map((entry) => [entry, entry === 'usr/bin/node' ? 0o777 : isRunnable(entry) ? 0o755 : 0o644]),
      );
      expect(found.length).toBeGreaterThan(40);
    },
  );

  test('an installed agent runs what was installed with it', async () => {
    const root = sandbox();
    await build('install', '--native', '--root', root);
    for (const name of agents) {
      const text = readFileSync(join(root, 'usr/lib/ocf/resource.d/tsha', name), 'utf8');
      expect(text).toMatch(/^runtime='\/usr\/lib\/ocf\/lib\/tsha\/tsha-agents'$/m);
    }
  });

  test('only root installs to /', async () => {
    const user = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    for (const command of ['install', 'uninstall']) {
      const answer = await run([...user, join(projectFolder, 'build.sh'), command], path);
      expect(answer.code).toBe(1);
      expect(answer.stderr).toMatch(/needs root/);
    }
  });

  test.each([
    [['--help'], 0, /^usage: /],
    [['no_such_command'], 1, /no such command: no_such_command/],
    [['install', '--no-such-flag'], 1, /unknown argument: --no-such-flag/],
    [['test', 'no_such_tier'], 1, /no such tier: no_such_tier/],
  ])('%j', async (args, code, words) => {
    const answer = await build(...args);
    expect(answer.code).toBe(code);
    expect(answer.stdout + answer.stderr).toMatch(words);
  });
});

describe('what Node has compiled of a script at its installation', () => {
  /** A system with a Node of its own, and the script flavour installed into it. */
  async function installed() {
    const root = sandbox();
    mkdirSync(join(root, 'usr/bin'), { recursive: true });
    symlinkSync(process.execPath, join(root, 'usr/bin/node'));
    expect(await build('install', '--script', '--root', root)).toMatchObject({ code: 0, stderr: '' });
    const dir = join(root, 'usr/lib/ocf/lib/tsha');
    const agent = join(root, 'usr/lib/ocf/resource.d/tsha/exportfs');
    const runner = join(dir, cachedRunner);
    return { root, dir, agent, runner, cache: join(dir, cacheOf('exportfs')) };
  }
  const refused = async (runner: string, agent: string) =>
    (await run([process.execPath, runner, agent, 'no_cmd'], cluster(sandbox()))).reason;
  const said = /^no_cmd: action not supported/;

  test('lies beside it, and goes with it', async () => {
    const { root, dir, agent } = await installed();
    const files = [cachedRunner, ...agents.map(cacheOf)].sort();
    expect(readdirSync(dir).sort()).toEqual(files);
    expect(readFileSync(agent, 'utf8')).toMatch(/^runner='\/usr\/lib\/ocf\/lib\/tsha\/cached\.cjs'$/m);
    await build('install', '--native', '--root', root);
    expect(readdirSync(dir)).toEqual([nativeProgram]);
    await build('install', '--script', '--root', root);
    expect(readdirSync(dir).sort()).toEqual(files);
    await build('uninstall', '--root', root);
    expect(existsSync(dir)).toBe(false);
  });

  test('is used for the very file it was made of, and for no other', async () => {
    const { agent, runner, cache } = await installed();
    const { mtime } = statSync(agent);
    const text = readFileSync(agent, 'utf8');
    const other = text.replaceAll(': action not supported', ': ACTION NOT SUPPORTED');
    writeFileSync(agent, other);
    utimesSync(agent, mtime, mtime);
    expect((await run([process.execPath, runner, '--make', agent])).code).toBe(0);
    writeFileSync(agent, text);
    utimesSync(agent, mtime, mtime);
    // of the same length and date as the one it was made of: so it is the cache that speaks
    expect(await refused(runner, agent)).toMatch(/^no_cmd: ACTION NOT SUPPORTED/);
    utimesSync(agent, mtime, new Date(mtime.getTime() + 1));
    expect(await refused(runner, agent)).toMatch(said);
    rmSync(cache);
    expect(await refused(runner, agent)).toMatch(said);
  });

  test('of a full disk nothing is left of it', async () => {
    const { agent, dir, runner } = await installed();
    const small = `mount -t tmpfs -o size=64k tmpfs "$0"; cp "$1" "$0"; "$2" "$0/\${1##*/}" --make "$3" || echo "code $?"; ls "$0"`;
    const copy = join(sandbox(), cachedRunner);
    copyFileSync(runner, copy);
    const answer = await run(['unshare', '-m', 'sh', '-ec', small, dir, copy, process.execPath, agent], path);
    expect(answer.stderr).toMatch(/ENOSPC/);
    expect(answer.stdout).toBe(`code 1\n${cachedRunner}\n`);
  });

  test.each([
    ['empty', () => Buffer.alloc(0)],
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ['of another version of Node', (bytes: Buffer) => bytes.fill(0xff, 64, 80)],
  ])('%s: the agent is compiled anew', async (_what, spoil) => {
    const { agent, runner, cache } = await installed();
    writeFileSync(cache, spoil(readFileSync(cache)));
    expect(await refused(runner, agent)).toMatch(said);
  });
});

describe('one script-flavour file, copied alone', () => {
  /** Node reads the nearest package.json of a file that it is told to run. */
  const folders = [
    ['to an empty folder', undefined],
    ['C3: below a package.json that declares modules', '{ "type": "module" }'],
    ['C3: below a package.json that is none', '{'],
  ] as const;

  function copyOf(built: string, packageJson: string | undefined): string {
    const name = basename(built);
    const above = sandbox();
    if (packageJson !== undefined) writeFileSync(join(above, 'package.json'), packageJson);
    const dir = join(above, 'bin');
    mkdirSync(dir);
    copyFileSync(built, join(dir, name));
    chmodSync(join(dir, name), 0o755);
    return join(dir, name);
  }

  describe.each(folders)('%s', (_where, packageJson) => {
    test.each(agents)('%s', async (name) => {
      const file = copyOf(agentOf('script', name), packageJson);
      const env = { ...validParams[name], ...probing };
      expect(await run([file, 'meta-data'])).toMatchObject({ code: 0, stderr: '' });
      expect(await callAlone(file, 'monitor', env)).toMatchObject({ code: 7 });
      expect(await callAlone(file, 'validate-all', env)).toMatchObject({ code: 0, stdout: '', stderr: '' });
      expect(await callAlone(file, 'no_cmd', env)).toMatchObject({ code: 3 });
      expect(await callAlone(file, 'monitor', { ...env, PATH: '/bin:/usr/bin' })).toMatchObject({ code: 7 });
      expect(readdirSync(dirname(file))).toEqual([name]);
    });

    test(commandName, async () => {
      const file = copyOf(agentOf('script', commandName), packageJson);
      for (const place of [file, `./${commandName}`])
        expect(await run([place, ...plan], path, { cwd: dirname(file) })).toMatchObject({
          code: 0,
          stdout: expect.stringMatching(/^pcs /),
          stderr: '',
        });
    });
  });

  test('C3: called by a link of another name, one that Node takes for a module', async () => {
    const link = join(sandbox(), 'command.mjs');
    symlinkSync(copyOf(agentOf('script', commandName), '{ "type": "module" }'), link);
    expect(await run([link, ...plan], path)).toMatchObject({ code: 0, stderr: '' });
  });

  test.each(folders)('%s, an agent runs itself again', async (_where, packageJson) => {
    const dir = sandbox();
    const file = copyOf(dummyOf('script'), packageJson);
    expect(await call(file, 'monitor', { OCF_RESKEY_mischief: 'again' }, dir)).toMatchObject({ code: 0 });
  });
});

describe('without the runtime', () => {
  const withoutRuntime = [
    ['meta-data', 0],
    ['start', 5],
    ['monitor', 5],
    ['validate-all', 5],
    ['stop', 1],
  ] as const;

  /** A mount namespace in which every Node of this machine is replaced by `substitute`. */
  async function withNode(substitute: string, action: string) {
    const dir = sandbox();
    const fake = join(dir, 'node');
    writeFileSync(fake, substitute);
    chmodSync(fake, substitute === '' ? 0o644 : 0o755);
    const cover = `
      for node in /usr/local/bin/node /usr/bin/node /usr/bin/nodejs /usr/lib/tsha/bin/node /usr/bin/node-2? /usr/bin/node2?; do
        [ ! -e "$node" ] || mount --bind "$FAKE" "$(readlink -f "$node")"
      done
      exec "$@"`;
    return run(['unshare', '-m', 'sh', '-ec', cover, 'sh', dummyOf('script'), action], {
      ...cluster(dir),
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      FAKE: fake,
    });
  }

  test.each(withoutRuntime)(
    'script: %s is %i without Node, and with one that is too old',
    async (action, code) => {
      const without = await withNode('', action);
      expect(without.code).toBe(code);
      if (code !== 0) expect(without.reason).toBe('Node.js 20 or newer is not installed');
      const old = await withNode('#!/bin/sh\necho v18.20.4\n', action);
      expect(old.code).toBe(code);
      if (code !== 0) expect(old.reason).toMatch(/^Node\.js 20 or newer is not installed, \/.+ is too old$/);
    },
  );

  test.each(withoutRuntime)('native: %s is %i without the program', async (action, code) => {
    const dir = sandbox();
    copyFileSync(dummyOf('native'), join(dir, 'Dummy'));
    const answer = await call(join(dir, 'Dummy'), action, {}, dir);
    expect(answer.code).toBe(code);
    if (code !== 0) expect(answer.reason).toBe(`${dir}/${nativeProgram} is not installed`);
  });

  test('native: a program that does not hold the agent', async () => {
    const dir = sandbox();
    const program = join(projectFolder, 'dist/native', nativeProgram);
    const { code, stderr } = await run([program, 'NoSuchAgent', 'monitor'], cluster(dir));
    expect(code).toBe(1);
    expect(stderr).toContain('holds no NoSuchAgent');
  });
});

describe('other Nodes', () => {
  const fetched = join(projectFolder, '.cache/node/bin/node');

  test('build.sh fetches a newer Node where the machine’s own is too old', async () => {
    // with all that the caller's environment says of proxies and certificates
    const fetching = await run([join(projectFolder, 'build.sh'), 'fetch-node'], process.env);
    expect(fetching).toMatchObject({ code: 0 });
    expect(existsSync(fetched)).toBe(true);
  }, 300_000);

  test('C3: the fetched one runs a script below a package.json that declares modules', async () => {
    const dir = sandbox();
    writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
    const file = join(dir, 'Dummy');
    copyFileSync(dummyOf('script'), file);
    chmodSync(file, 0o755);
    const env = { PATH: `${dirname(fetched)}:/usr/bin:/bin` };
    expect(await call(file, 'monitor', env)).toMatchObject({ code: 7 });
    expect(await call(file, 'monitor', { ...env, OCF_RESKEY_mischief: 'again' })).toMatchObject({ code: 0 });
  });

  test.each([
    ['the fetched one', [fetched]],
    ['no just-in-time compiler, as under SELinux’ deny_execmem', [process.execPath, '--jitless']],
  ])('%s', async (_what, node) => {
    const dir = sandbox();
    for (const [action, code] of dummyLife)
      expect((await run([...node, dummyOf('script'), action], cluster(dir))).code, action).toBe(code);
    for (const mischief of ['throw', 'throw-odd', 'reject', 'never'])
      expect(
        (await run([...node, dummyOf('script'), 'start'], { ...cluster(dir), OCF_RESKEY_mischief: mischief }))
          .code,
        mischief,
      ).toBe(1);
  });
});
