import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filesystem } from '../../../agents/Filesystem/agent.ts';
import en from '../../../metadata/en/Filesystem.ts';
import { metadataXml } from '../../../metadata/xml.ts';
import zh from '../../../metadata/zh-CN/Filesystem.ts';
import { bundleScript } from '../../../packaging/bundle.ts';
import { projectFolder } from '../../../packaging/products.ts';
import { agentUnderTest } from '../agent-under-test.ts';
import { openSandbox, recurring, type Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

let count = 0;
async function resource(type: 'ext2' | 'ext4' | 'xfs' = 'ext4') {
  return { device: await sandbox.disk(type), directory: join(sandbox.folder, `m${count++}`), fstype: type };
}

test('Filesystem#15-18: ocf-tester finds nothing to complain about', async () => {
  await bundleScript(
    {
      name: 'Filesystem',
      entry: join(projectFolder, 'agents/Filesystem/main.ts'),
      metadata: metadataXml(filesystem, { en, 'zh-CN': zh }),
    },
    sandbox.folder,
  );
  const { device, directory, fstype } = await resource();
  const params = Object.entries({ device, directory, fstype }).flatMap(([name, value]) => [
    '-o',
    `${name}=${value}`,
  ]);
  const agent = join(sandbox.folder, 'Filesystem');
  const said = await sandbox.run('ocf-tester', '-n', 'x', ...params, agent);
  expect(said).toContain(`${agent} passed all tests`);
  expect(await sandbox.mounted()).toEqual([]);
});

describe('the commands that an action executes', () => {
  let agent: string;
  beforeAll(async () => {
    agent = await agentUnderTest('Filesystem');
  });
  const commands = async (action: string, params: { readonly [name: string]: string }) => {
    const log = join(sandbox.folder, `strace${count++}`);
    const env = Object.entries({ CRM_meta_interval: '10000', CRM_meta_timeout: '20000', ...params });
    await sandbox.run(
      ...(['env', ...env.map(([name, value]) => `OCF_RESKEY_${name}=${value}`)] as [string, ...string[]]),
      `HA_RSCTMP=${sandbox.folder}/memory`,
      ...['strace', '-f', '-qq', '-e', 'trace=execve', '-e', 'status=successful', '-o', log],
      ...[process.execPath, agent, action],
    );
    const lines = readFileSync(log, 'utf8').split('\n');
    return lines.flatMap((line) => /execve\("[^"]*\/([^"/]+)"/.exec(line)?.[1] ?? []).slice(1);
  };

  test.each(['ext4', 'xfs'] as const)('%s: mount, umount, and none for the monitor', async (type) => {
    const params = await resource(type);
    expect(await commands('start', params)).toEqual(['mount']);
    expect(await commands('start', params)).toEqual([]);
    expect(await commands('monitor', params)).toEqual([]);
    expect(await commands('stop', params)).toEqual(['umount']);
    expect(await commands('stop', params)).toEqual([]);
  });

  test('bind and tmpfs: none for the monitor', async () => {
    const directory = join(sandbox.folder, `m${count++}`);
    const bind = { device: '/usr', directory, fstype: 'none', options: 'bind' };
    const tmpfs = { device: 'x', directory: `${directory}-tmpfs`, fstype: 'tmpfs' };
    // a directory that is bound is known again by its inode, whatever it is called by then
    for (const [params, started] of [
      [bind, ['mount', 'stat']],
      [tmpfs, ['mount']],
    ] as const) {
      expect(await commands('start', params)).toEqual(started);
      expect(await commands('monitor', params)).toEqual([]);
      expect(await commands('stop', params)).toEqual(['umount']);
    }
  });
});

describe('bind mounts', () => {
  test.each([
    ['bind,ro', 'ro'],
    ['bind,noexec', 'noexec'],
    ['ro,bind,nosuid', 'ro'],
  ])('Filesystem#57,58,60, D7: options %s change the bind, not its source', async (options, word) => {
    const source = await resource();
    await sandbox.ours('start', source);
    await sandbox.run('mkdir', `${source.directory}/d`);
    const bind = {
      device: `${source.directory}/d`,
      directory: `${source.directory}-bind`,
      fstype: 'none',
      options,
    };
    expect(await sandbox.ours('start', bind)).toMatchObject({ code: 0 });
    const optionsOf = (directory: string) =>
      sandbox.run('findmnt', '-no', 'VFS-OPTIONS,FS-OPTIONS', directory);
    expect((await optionsOf(bind.directory)).split(/[ ,]+/)).toContain(word);
    expect((await optionsOf(source.directory)).split(/[ ,]+/)).not.toContain(word);
    await sandbox.run('touch', `${bind.device}/still-writable`);
    expect(await sandbox.ours('monitor', { ...bind, ...recurring })).toMatchObject({ code: 0 });
    expect(await sandbox.ours('monitor', { ...bind, ...recurring, OCF_CHECK_LEVEL: 20 })).toMatchObject({
      code: word === 'ro' ? 1 : 0,
    });
    expect(await sandbox.ours('stop', bind)).toMatchObject({ code: 0 });
    expect(await sandbox.mounted()).toContain(`${source.directory} ${source.device}`);
    expect(await sandbox.ours('stop', source)).toMatchObject({ code: 0 });
  });
});

describe('the status file of depth 20', () => {
  test.each([
    ['', '.Filesystem_status/t1_NODE'],
    ['.st', '.stt1_NODE'],
    ['sub/dir/', 'sub/dir/t1_NODE'],
    ['x', 'xt1_NODE'],
  ])('Filesystem#77,78,80: statusfile_prefix "%s"', async (prefix, name) => {
    const params = await resource();
    await sandbox.ours('start', params);
    const deep = { ...params, ...recurring, statusfile_prefix: prefix, OCF_RESKEY_OCF_CHECK_LEVEL: 20 };
    expect(await sandbox.ours('monitor', deep), 'the level as a parameter').toMatchObject({ code: 0 });
    const node = readFileSync('/proc/sys/kernel/hostname', 'utf8').trim();
    const file = join(params.directory, name.replace('NODE', node));
    const content = await sandbox.run('cat', file);
    expect([content.slice(0, 4), content.length]).toEqual(['t1\n\0', 4096]);
    expect(
      await sandbox.ours('stop', { ...params, statusfile_prefix: prefix, OCF_CHECK_LEVEL: 20 }),
    ).toMatchObject({ code: 0 });
    await sandbox.ours('start', params);
    await expect(sandbox.run('test', '-e', file), 'removed by a stop of level 20').rejects.toThrow();
    await sandbox.ours('stop', params);
  });

  test('Filesystem#79: the clone number is part of its name', async () => {
    const params = await resource();
    await sandbox.ours('start', params);
    await sandbox.ours('monitor', { ...params, meta_clone: 0, OCF_CHECK_LEVEL: 20 });
    const node = readFileSync('/proc/sys/kernel/hostname', 'utf8').trim();
    await sandbox.run('test', '-f', `${params.directory}/.Filesystem_status/t1_0_${node}`);
    await sandbox.ours('stop', params);
  });

  test('a link in its place is not followed', async () => {
    const params = { ...(await resource()), statusfile_prefix: 'x' };
    await sandbox.ours('start', params);
    const node = readFileSync('/proc/sys/kernel/hostname', 'utf8').trim();
    const precious = join(sandbox.folder, 'precious');
    await sandbox.run('touch', precious);
    await sandbox.run('ln', '-s', precious, `${params.directory}/xt1_${node}`);
    expect(await sandbox.ours('monitor', { ...params, OCF_CHECK_LEVEL: 20 })).toMatchObject({ code: 1 });
    expect(readFileSync(precious, 'utf8')).toBe('');
    await sandbox.ours('stop', params);
  });
});

/** Nobody who asks for any free loop device gets one with such a number. */
const aloneAt = `/dev/loop${1000 + (process.pid % 4000)}`;

test('Filesystem#11,40: a disk that is detached while mounted, and gone after its stop', async () => {
  const image = await sandbox.image('ext4');
  const directory = join(sandbox.folder, `m${count++}`);
  mkdirSync(directory);
  const device = aloneAt;
  await sandbox.run('losetup', device, image);
  const params = { device, directory, fstype: 'ext4' };
  expect(await sandbox.ours('start', params)).toMatchObject({ code: 0 });
  // A loop device that is detached while mounted goes away with its last user; until then it is there.
  await sandbox.run('losetup', '-d', device);
  expect(await sandbox.ours('monitor', { ...params, ...recurring })).toMatchObject({ code: 0 });
  expect(await sandbox.ours('stop', params)).toMatchObject({ code: 0 });
  expect(await sandbox.ours('start', params), 'no medium').toMatchObject({ code: 1 });
});

test('Filesystem#108: while other mounts come and go, the answer never changes', async () => {
  const params = await resource();
  await sandbox.ours('start', params);
  const noise = join(sandbox.folder, 'noise');
  const script = `mkdir -p ${noise}; while :; do mount -t tmpfs x ${noise}; umount ${noise}; done`;
  const storm = sandbox.background(['bash', '-c', script]);
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => sandbox.ours('monitor', { ...params, ...recurring })),
  );
  storm.kill('SIGKILL');
  await storm;
  expect(answers.map(({ code }) => code)).toEqual(answers.map(() => 0));
  await sandbox.ours('stop', params);
});

test('Filesystem#31: white space behind the device does not keep it from being stopped', async () => {
  const params = await resource();
  await sandbox.ours('start', params);
  expect(await sandbox.ours('stop', { ...params, device: `${params.device} ` })).toMatchObject({ code: 0 });
  expect((await sandbox.mounted()).filter((line) => line.startsWith(`${params.directory} `))).toEqual([]);
});

test('Filesystem#110, C20: validate-all of what fstab names too: one line at level 10, none at level 0', async () => {
  const params = await resource();
  const fstab = join(sandbox.folder, 'fstab');
  writeFileSync(fstab, `${params.device} ${params.directory} ext4 defaults 0 0\n`);
  await sandbox.run('mount', '--bind', fstab, '/etc/fstab');
  expect(await sandbox.ours('validate-all', params)).toMatchObject({ code: 0, stderr: '' });
  const { code, stderr } = await sandbox.ours('validate-all', { ...params, OCF_CHECK_LEVEL: 10 });
  expect([code, stderr.trim().split('\n').length]).toEqual([0, 1]);
  await sandbox.run('umount', '/etc/fstab');
});

test('Filesystem#14: no action at all', async () => {
  const agent = await agentUnderTest('Filesystem');
  const asked = sandbox.run('sh', '-c', `"$0" "$1" 2>/dev/null; echo $?`, process.execPath, agent);
  expect(await asked).toBe('3');
});
