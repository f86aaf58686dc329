import { existsSync, mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, isFree, openSandbox, recurring, type Sandbox } from './sandbox.ts';

// What is ours, and who is in its way, on real devices: the rows of faults found beside the specification. What the stock agent
// (resource-agents 4.12) does with the same is told where it differs.

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close(), 60_000);

type Params = { readonly [name: string]: string | number };
let count = 0;
const newDirectory = (): string => {
  const directory = join(sandbox.folder, `m${count++}`);
  mkdirSync(directory);
  return directory;
};
const sourcesOn = (directory: string) =>
  sandbox.mounts().flatMap(({ target, source }) => (target === directory ? [source] : []));

/** Exit codes of actions, one after the other; `probe` and `rec` are monitors. */
async function codes(agent: 'ours' | 'stock', params: Params, actions: string): Promise<string> {
  const said: string[] = [];
  for (const action of actions.split(' ')) {
    const isMonitor = action === 'probe' || action === 'rec';
    const answer = await sandbox[agent](isMonitor ? 'monitor' : action, {
      ...params,
      ...(action === 'rec' ? recurring : {}),
    });
    if (agent === 'ours' && answer.code !== 0 && action !== 'probe') expect(answer.reason).toBeTruthy();
    said.push(`${action} ${answer.code}`);
  }
  return said.join(', ');
}
const all = 'probe rec start stop';
const isForeign = 'probe 7, rec 1, start 1, stop 0';

describe('a foreign mount on the directory', () => {
  const sources: readonly (readonly [string, (directory: string) => Promise<Params>])[] = [
    [
      'F1: an image file',
      async () => ({ device: await sandbox.image('ext4'), options: 'loop', fstype: 'ext4' }),
    ],
    [
      'F1: a bind mount',
      async (directory) => {
        mkdirSync(`${directory}-src`);
        return { device: `${directory}-src`, options: 'bind', fstype: 'none' };
      },
    ],
    ['F1: a tmpfs', async () => ({ device: 'word', fstype: 'tmpfs' })],
    ['F1: a server', async () => ({ device: 'server:/export', fstype: 'nfs' })],
    ['F1: FUSE', async () => ({ device: 'user@server:/dir', fstype: 'fuse.sshfs' })],
  ];
  test.each(sources)('%s: somebody’s disk stays', async (_what, source) => {
    const directory = newDirectory();
    const params = { ...(await source(directory)), directory };
    const disk = await sandbox.disk('ext4');
    await sandbox.run('mount', disk, directory);
    expect(await codes('ours', params, all)).toBe(isForeign);
    expect(sourcesOn(directory)).toEqual([disk]);
  });

  test('F1: the stock agent unmounts it', async () => {
    const directory = newDirectory();
    const params = { device: await sandbox.image('ext4'), options: 'loop', fstype: 'ext4', directory };
    await sandbox.run('mount', await sandbox.disk('ext4'), directory);
    expect(await codes('stock', params, all)).toBe('probe 0, rec 0, start 0, stop 0');
    expect(sourcesOn(directory)).toEqual([]);
  });

  test.each([
    ['F2: NFS', { device: 'server:/export', fstype: 'nfs' }],
    ['F2: a disk', { device: '/dev/tsha-none', fstype: 'ext4' }],
    ['F2: a bind mount', { device: '/usr', fstype: 'none', options: 'bind' }],
  ])('%s: an automount stays, and is not woken', async (_what, params) => {
    const directory = newDirectory();
    const script = `mkfifo ${directory}.pipe; exec 3<>${directory}.pipe; mount -i -t autofs -o "fd=3,pgrp=$(cut -d' ' -f5 /proc/$$/stat),minproto=5,maxproto=5,direct" systemd-1 ${directory} && echo && exec sleep 36000`;
    const daemon = await sandbox.holder(script);
    const given = { ...params, directory, meta_timeout: 30_000 };
    expect(await codes('ours', given, all)).toBe(isForeign);
    expect(sourcesOn(directory)).toEqual(['systemd-1']);
    await sandbox.run('umount', '-c', '-i', '-l', directory);
    await daemon.end();
  });
});

describe('a name that leads nowhere any more', () => {
  const linked = async () => {
    const link = `/dev/tsha-f3-${process.pid}-${count++}`;
    symlinkSync(await sandbox.disk('ext4'), link);
    return { device: link, directory: newDirectory(), fstype: 'ext4' };
  };

  test('F3: start was refused: the foreign mount stays', async () => {
    const params = await linked();
    const disk = await sandbox.disk('ext4');
    await sandbox.run('mount', disk, params.directory);
    expect(await codes('ours', params, 'start')).toBe('start 1');
    unlinkSync(params.device);
    expect(await codes('ours', params, 'probe stop stop probe')).toBe('probe 7, stop 0, stop 0, probe 7');
    expect(sourcesOn(params.directory)).toEqual([disk]);
  });

  test('F3: a resource that the stock agent started, seen by one monitor: unmounted', async () => {
    const params = await linked();
    await sandbox.stock('start', params);
    expect(await codes('ours', params, 'rec')).toBe('rec 0');
    unlinkSync(params.device);
    expect(await codes('ours', params, 'rec stop')).toBe('rec 0, stop 0');
    expect(sourcesOn(params.directory)).toEqual([]);
  });

  test('F3: nobody has seen it: told as that, and never unmounted', async () => {
    const params = { ...(await linked()), OCF_RESOURCE_INSTANCE: 'unseen' };
    await sandbox.run('mount', params.device, params.directory);
    const [disk = ''] = sourcesOn(params.directory);
    unlinkSync(params.device);
    expect(await codes('ours', params, all)).toBe('probe 1, rec 1, start 1, stop 1');
    const { reason } = await sandbox.ours('stop', params);
    expect(reason).toContain(disk);
    expect(sourcesOn(params.directory)).toEqual([disk]);
    await sandbox.run('umount', params.directory);
  });

  test('F3: its number was given to another disk', async () => {
    const params = await linked();
    expect(await codes('ours', params, 'start stop')).toBe('start 0, stop 0');
    await sandbox.run('mount', params.device, params.directory);
    const [disk = ''] = sourcesOn(params.directory);
    expect(await codes('ours', params, 'rec')).toBe('rec 0');
    await sandbox.run('umount', params.directory);
    unlinkSync(params.device);
    // The same loop device with another file behind it: a new disk by the kernel's count.
    await sandbox.run('losetup', '-d', disk);
    await sandbox.run('losetup', disk, await sandbox.image('ext4'));
    await sandbox.run('mount', disk, params.directory);
    expect(await codes('ours', params, 'probe rec stop')).toBe('probe 7, rec 1, stop 0');
    expect(sourcesOn(params.directory)).toEqual([disk]);
  });
});

test.each(['subvol=B', 'subvolid=257', ''])(
  'F4: btrfs, options "%s", subvolume A is mounted',
  async (options) => {
    const directory = newDirectory();
    const device = await sandbox.disk('btrfs');
    await sandbox.run('mount', device, directory);
    for (const name of ['A', 'B']) await sandbox.run('btrfs', 'subvolume', 'create', `${directory}/${name}`);
    await sandbox.run('umount', directory);
    await sandbox.run('mount', '-o', 'subvol=A', device, directory);
    const params = { device, directory, fstype: 'btrfs', options };
    expect(await codes('ours', params, all)).toBe(isForeign);
    expect(sourcesOn(directory)).toEqual([device]);
    const own = { ...params, options: 'subvol=A' };
    expect(await codes('ours', own, 'probe rec start stop')).toBe('probe 0, rec 0, start 0, stop 0');
  },
);

describe('shared propagation', () => {
  /** A disk on `src`, shared as systemd has it, and a started bind mount of it. */
  const bound = async () => {
    const base = newDirectory();
    await sandbox.run('mount', '-t', 'tmpfs', 'base', base);
    await sandbox.run('mount', '--make-shared', base);
    const src = `${base}/src`;
    await sandbox.run('mkdir', src);
    await sandbox.run('mount', await sandbox.disk('ext4'), src);
    await sandbox.run('mkdir', `${src}/vol2`);
    const params = {
      device: src,
      directory: `${base}/m`,
      fstype: 'none',
      options: 'bind',
      meta_timeout: 30_000,
    };
    expect(await codes('ours', params, 'start')).toBe('start 0');
    await sandbox.run('mount', await sandbox.disk('ext4'), `${src}/vol2`);
    expect(sourcesOn(`${params.directory}/vol2`), 'the copy').toHaveLength(1);
    return { src, params };
  };

  test('F5: a second disk below the source stays when the bind mount goes', async () => {
    const { src, params } = await bound();
    expect(await codes('ours', params, 'stop')).toBe('stop 0');
    expect(sandbox.mounts(params.directory)).toEqual([]);
    expect([
      sourcesOn(src).length,
      sourcesOn(`${src}/vol2`).length,
      sourcesOn(params.directory).length,
    ]).toEqual([1, 1, 0]);
  });

  test('F5: the stock agent takes it along', async () => {
    const { src, params } = await bound();
    expect(await codes('stock', params, 'stop')).toBe('stop 0');
    expect(sourcesOn(`${src}/vol2`)).toEqual([]);
  });

  test('F5: a disk over the bind mount covers the source, too, and is not the source', async () => {
    const { src, params } = await bound();
    const [ours = ''] = sourcesOn(src);
    const disk = await sandbox.disk('ext4');
    await sandbox.run('mount', disk, params.directory);
    expect([sourcesOn(src), sourcesOn(params.directory)]).toEqual([
      [ours, disk],
      [ours, disk],
    ]);
    expect(await codes('ours', params, all)).toBe('probe 1, rec 1, start 1, stop 1');
    expect(await codes('ours', { ...params, OCF_RESOURCE_INSTANCE: 'unseen' }, all)).toBe(
      'probe 1, rec 1, start 1, stop 1',
    );
    expect([sourcesOn(src), sourcesOn(params.directory)]).toEqual([
      [ours, disk],
      [ours, disk],
    ]);
    await sandbox.run('umount', params.directory);
    expect(await codes('ours', params, 'rec stop')).toBe('rec 0, stop 0');
    expect([sourcesOn(src), sourcesOn(params.directory)]).toEqual([[ours], []]);
  });

  test('F5: who keeps the copy busy is named, not ended', async () => {
    const { src, params } = await bound();
    const user = await sandbox.holder(`cd ${params.directory}/vol2; echo; exec sleep 3600`);
    const answer = await sandbox.ours('stop', params);
    expect(answer).toMatchObject({ code: 1, reason: expect.stringContaining(`[${user.pid}]`) });
    expect([existsSync(`/proc/${user.pid}/exe`), sourcesOn(`${src}/vol2`).length]).toEqual([true, 1]);
    await user.end();
    expect(await codes('ours', params, 'stop')).toBe('stop 0');
    expect(sourcesOn(`${src}/vol2`)).toHaveLength(1);
  });
});

describe('who is in the way', () => {
  const started = async (more: Params = {}) => {
    const params = {
      device: await sandbox.disk('ext4'),
      directory: newDirectory(),
      fstype: 'ext4',
      meta_timeout: 30_000,
      ...more,
    };
    return params;
  };
  const isAlive = (pid: number | undefined) => existsSync(`/proc/${pid}/exe`);

  test.each([
    ['a working directory', (m: string) => `cd ${m}; echo; exec sleep 3600`],
    ['a program', (m: string) => `cp /bin/sleep ${m}/s; echo; exec ${m}/s 3600`],
    [
      'a mapped file',
      (m: string) =>
        `cp /bin/sleep ${m}/s; exec python3 -c "import mmap,os,time; f=os.open('${m}/s',0); a=mmap.mmap(f,4096,prot=1); os.close(f); print(flush=True); time.sleep(3600)"`,
    ],
  ])('F6: %s below the mount point, from before the mount, is no user', async (_what, script) => {
    const params = await started();
    const below = await sandbox.holder(script(params.directory));
    expect(await codes('ours', params, 'start')).toBe('start 0');
    const user = await sandbox.holder(`cd ${params.directory}; echo; exec sleep 3600`);
    expect(await codes('ours', params, 'stop')).toBe('stop 0');
    expect([isAlive(below.pid), isAlive(user.pid)]).toEqual([true, false]);
    await below.end();
  });

  test('F7: a FUSE filesystem on a disk whose driver is silent: never 0 before the disk is free', async () => {
    const directory = newDirectory();
    const device = await sandbox.disk();
    const driver = sandbox.background([
      'node',
      join(import.meta.dirname, 'silent-fuse.mjs'),
      directory,
      device,
    ]);
    await new Promise((resolve) => driver.stdout?.once('data', resolve));
    const params = { device, directory, fstype: 'fuse', meta_timeout: 30_000 };
    expect(await codes('ours', params, 'rec')).toBe('rec 0');
    const answer: Answer = await sandbox.ours('stop', params);
    expect(answer).toMatchObject({ code: 1, reason: expect.stringContaining(device) });
    expect(answer.stderr).not.toContain('lazily');
    expect(await codes('ours', params, 'probe')).toBe('probe 1');
    driver.kill('SIGKILL');
    await driver;
    expect(await codes('ours', params, 'stop probe')).toBe('stop 0, probe 7');
    expect(isFree(device)).toBe(true);
  });

  test('F8: a FUSE filesystem whose daemon died: depth 10 says so', async () => {
    const directory = newDirectory();
    const driver = sandbox.background(['node', join(import.meta.dirname, 'silent-fuse.mjs'), directory]);
    await new Promise((resolve) => driver.stdout?.once('data', resolve));
    driver.kill('SIGKILL');
    await driver;
    const params = { device: 'silent:/export', directory, fstype: 'fuse' };
    expect(await codes('ours', params, 'rec start')).toBe('rec 0, start 0');
    for (const OCF_CHECK_LEVEL of [10, 20])
      expect(await sandbox.ours('monitor', { ...params, ...recurring, OCF_CHECK_LEVEL })).toMatchObject({
        code: 1,
        reason: expect.stringContaining('Transport endpoint is not connected'),
      });
    expect(await codes('ours', params, 'stop')).toBe('stop 0');
  });

  test('F9: a nested mount whose name is no UTF-8', async () => {
    const params = await started();
    expect(await codes('ours', params, 'start')).toBe('start 0');
    const script = `d=${params.directory}/$(printf 'a\\377 b\\303'); mkdir "$d" && mount -t tmpfs x "$d" && cd "$d" && echo && exec sleep 3600`;
    const user = await sandbox.holder(script);
    expect(await codes('ours', params, 'rec stop')).toBe('rec 0, stop 0');
    expect([sandbox.mounts(params.directory), isAlive(user.pid)]).toEqual([[], false]);
  });

  const inThread = (body: string) =>
    `exec python3 -c "import ctypes,os,threading,time
def work():
  ctypes.CDLL(None,use_errno=True).unshare(0x200|0x400)
  ${body}
  print(flush=True)
  time.sleep(3600)
threading.Thread(target=work).start()"`;
  test.each([
    ['its own working directory', (m: string) => inThread(`os.chdir('${m}')`), /thread \d+: cwd/],
    [
      'its own descriptors',
      (m: string) => inThread(`os.open('${m}/f',os.O_CREAT|os.O_RDWR)`),
      /thread \d+: fd/,
    ],
  ])('F10: a thread with %s is named, and ended where that is allowed', async (_what, script, how) => {
    const params = await started();
    expect(await codes('ours', params, 'start')).toBe('start 0');
    const { pid } = await sandbox.holder(script(params.directory));
    const answer = await sandbox.ours('stop', { ...params, force_unmount: 'false' });
    expect(answer).toMatchObject({ code: 1, reason: expect.stringMatching(how) });
    expect(await codes('ours', params, 'stop')).toBe('stop 0');
    expect(isAlive(pid)).toBe(false);
  });

  test('F10: a descriptor on its way between two processes: what was looked at is said', async () => {
    const params = await started({ force_unmount: 'false' });
    expect(await codes('ours', params, 'start')).toBe('start 0');
    const flight = await sandbox.holder(
      `exec python3 -c "import socket,os,time
a,b=socket.socketpair()
f=os.open('${params.directory}/f',os.O_CREAT|os.O_RDWR)
socket.send_fds(a,[b'x'],[f])
os.close(f)
print(flush=True)
time.sleep(3600)"`,
    );
    const answer = await sandbox.ours('stop', params);
    expect(answer).toMatchObject({
      code: 1,
      reason: expect.stringContaining('target is busy; no user in cwd'),
    });
    expect(answer.stderr).toContain('a descriptor may be on its way between two processes');
    await flight.end();
    expect(await codes('ours', params, 'stop')).toBe('stop 0');
  });

  test('F11: an overlay elsewhere with its layers on ours is named', async () => {
    const params = await started();
    expect(await codes('ours', params, 'start')).toBe('start 0');
    const merged = newDirectory();
    const { directory: m } = params;
    await sandbox.run('mkdir', `${m}/l`, `${m}/u`, `${m}/w`);
    await sandbox.run(
      'mount',
      '-t',
      'overlay',
      '-o',
      `lowerdir=${m}/l,upperdir=${m}/u,workdir=${m}/w`,
      'o',
      merged,
    );
    for (const round of [1, 2])
      expect(await sandbox.ours('stop', params), `round ${round}`).toMatchObject({
        code: 1,
        reason: expect.stringContaining(`overlay on ${merged}`),
      });
    await sandbox.run('umount', merged);
    expect(await codes('ours', params, 'stop')).toBe('stop 0');
    expect(isFree(params.device)).toBe(true);
  });
});

describe('a disk whose name leads nowhere', () => {
  test.each(['ext4', 'xfs', 'btrfs'] as const)(
    '%s unmounted lazily while in use: never "stopped" before the kernel has let go',
    async (fstype) => {
      const directory = newDirectory();
      const disk = await sandbox.disk(fstype);
      const device = join(sandbox.folder, `link-${fstype}`);
      symlinkSync(disk, device);
      const params = { device, directory, fstype, force_unmount: 'false', meta_timeout: 10_000 };
      expect(await codes('ours', params, 'start')).toBe('start 0');
      const user = await sandbox.holder(`cd ${directory}; echo; exec sleep 3600`);
      await sandbox.run('umount', '-l', directory);
      unlinkSync(device);
      expect(await codes('ours', params, 'probe rec stop')).toBe('probe 1, rec 1, stop 1');
      await user.end();
      await expect.poll(() => isFree(disk), { timeout: 100_000 }).toBe(true);
      expect(await codes('ours', params, 'stop probe')).toBe('stop 0, probe 7');
    },
  );

  test('a label, and blkid waits for another disk: what was remembered decides, and stop does not wait', async () => {
    const directory = newDirectory();
    const uuid = '6b1d2c3e-7a57-4d11-9c11-0123456789ab';
    const disk = await sandbox.disk('ext4', '-U', uuid);
    const params = { device: `-U ${uuid}`, directory, fstype: 'ext4' };
    expect(await codes('ours', params, 'start')).toBe('start 0');
    expect(sourcesOn(directory)).toEqual([disk]);
    const programs = newDirectory();
    writeFileSync(`${programs}/blkid`, '#!/bin/sh\nexec sleep 3600\n', { mode: 0o755 });
    const waiting = { ...params, PATH: `${programs}:${process.env['PATH']}`, meta_timeout: 20_000 };
    expect(await codes('ours', waiting, 'probe rec stop')).toBe('probe 0, rec 0, stop 0');
    expect([sourcesOn(directory), isFree(disk)]).toEqual([[], true]);
    await sandbox.run('mount', disk, directory);
    const unseen = { ...waiting, HA_RSCTMP: newDirectory() };
    expect(await codes('ours', unseen, 'stop')).toBe('stop 1');
    expect(sourcesOn(directory)).toEqual([disk]);
    await sandbox.run('umount', directory);
  });
});
