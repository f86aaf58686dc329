import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freshDirectory, isAlive, isFree, openSandbox, type Sandbox, startedOn } from './sandbox.ts';

// What a user without rights does to make a stop fail, and the node be fenced for it: he is ended like any user.

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

const way = join(import.meta.dirname, 'hostile.py');
const python = '/usr/bin/python3';

/** A resource with a directory that everybody may write to. */
async function started(more: { readonly [name: string]: string } = {}) {
  const resource = await startedOn(sandbox, 'ext4', { meta_timeout: '60000', ...more });
  const place = `${resource.directory}/public`;
  mkdirSync(`/proc/${sandbox.pid}/root${place}`);
  await sandbox.run('chmod', '777', place);
  return { resource, place };
}

describe('S10: a user without rights', () => {
  test.each<[string, (place: string) => string]>([
    [
      'calls his process corosync and sits there',
      (place) => `cp /bin/sleep ${place}/corosync; cd ${place}; echo; exec ./corosync 3600`,
    ],
    [
      'has a mount namespace with a copy of it',
      () => 'exec unshare -Urm sh -c "cd /; echo; exec sleep 3600"',
    ],
    ['sits in that copy', (place) => `exec unshare -Urm sh -c "cd ${place}; echo; exec sleep 3600"`],
    [
      'has an overlay on it, in a namespace of his own, and hides it there',
      (place) =>
        `mkdir ${place}/low; exec unshare -Urm sh -c "cd /; mount -t overlay o -o lowerdir=${place}/low:/etc /mnt && mount -t tmpfs x ${place}/.. && echo; exec sleep 3600"`,
    ],
    [
      'stands on a copy that is in no table any more',
      (place) => `exec unshare -Urm ${python} ${way} detached ${place}`,
    ],
  ])('%s: ended, and the device is free', async (_what, script) => {
    const { resource, place } = await started();
    const user = await sandbox.user(script(place));
    const answer = await sandbox.ours('stop', resource);
    expect(answer).toMatchObject({ code: 0, stderr: expect.stringContaining(`[${user.pid}] (`) });
    expect([isAlive(user.pid), isFree(resource.device)]).toEqual([false, true]);
    expect(sandbox.isMounted(resource.directory)).toBe(false);
  });

  test('whose processes are born again faster than they are ended: he is ended', async () => {
    const { resource, place } = await started({ meta_timeout: '20000' });
    const user = await sandbox.user(`exec ${python} ${way} respawning ${place}`);
    const answer = await sandbox.ours('stop', resource);
    expect(answer).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(new RegExp(`\\[${user.pid}\\] \\(its processes keep coming back`)),
    });
    expect([isAlive(user.pid), isFree(resource.device)]).toEqual([false, true]);
  });

  test('the same by a program of root’s, which may be sshd: it lives, and is named', async () => {
    const { resource, place } = await started({ meta_timeout: '20000' });
    const program = await sandbox.holder(`exec ${python} ${way} respawning ${place}`);
    const answer = await sandbox.ours('stop', resource);
    expect(answer).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`[${program.pid}] starts new ones as fast as they are ended`),
    });
    expect(isAlive(program.pid)).toBe(true);
    await program.end();
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
  });

  test.each(['true', 'false'])(
    'puts a program in umount’s place in a namespace of his own: root runs nothing of it (force_unmount=%s)',
    async (force_unmount) => {
      const { resource } = await started({ force_unmount, meta_timeout: '20000' });
      const proof = join(sandbox.folder, 'run-by-root');
      const evil = `printf '#!/bin/sh\ntouch ${proof}\n' > /usr/local/sbin/umount; chmod 755 /usr/local/sbin/umount`;
      const user = await sandbox.user(
        `exec unshare -Urm bash -c "mount -t tmpfs x /usr/local/sbin; ${evil}; cp /usr/local/sbin/umount /usr/local/sbin/cat; cd /; echo; exec sleep 3600"`,
      );
      const answer = await sandbox.ours('stop', resource);
      expect(existsSync(proof)).toBe(false);
      expect(answer.code).toBe(force_unmount === 'true' ? 0 : 1);
      expect(answer.stderr).toContain(`[${user.pid}]`);
      expect(isAlive(user.pid)).toBe(force_unmount === 'false');
      await user.end();
      expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
    },
  );
});

describe('S10: a user without rights where copies go with the mount', () => {
  /** Below a shared mount, as / is where systemd runs. */
  async function startedShared() {
    const parent = freshDirectory(sandbox);
    await sandbox.run('mkdir', parent);
    await sandbox.run('mount', '-t', 'tmpfs', '-o', 'mode=755', 'x', parent);
    await sandbox.run('mount', '--make-shared', parent);
    return started({ directory: `${parent}/m` });
  }

  test.each([
    ['sits in his', (place: string) => `cd ${place}; echo; exec sleep 3600`],
    [
      'has a socket in his, and has left it',
      (place: string) =>
        `exec ${python} -c \\"import os,socket,time; s=socket.socket(1); os.chdir('${place}'); s.bind('s'); os.unlink('s'); os.chdir('/'); print(flush=True); time.sleep(3600)\\"`,
    ],
  ])('%s: ended, and the device is free', async (_what, script) => {
    const { resource, place } = await startedShared();
    const user = await sandbox.user(`exec unshare -Um --propagation unchanged sh -c "${script(place)}"`);
    const answer = await sandbox.ours('stop', resource);
    expect(answer).toMatchObject({ code: 0, stderr: expect.stringContaining(`[${user.pid}] (`) });
    expect([isAlive(user.pid), isFree(resource.device)]).toEqual([false, true]);
  });

  test('who enters it from outside is ended as well', async () => {
    const { resource, place } = await startedShared();
    const idle = await sandbox.user(
      'exec unshare -Um --propagation unchanged sh -c "cd /; echo; exec sleep 3600"',
    );
    const user = await sandbox.holder(`cd /proc/${idle.pid}/root${place}; echo; exec sleep 3600`);
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
    expect([isAlive(idle.pid), isAlive(user.pid)]).toEqual([true, false]);
    await idle.end();
  });
});

describe('S10: nobody is ended by guess', () => {
  test("another's process, for a socket whose name reads like lines of a table", async () => {
    const { resource, place } = await started();
    const victim = await sandbox.holder(
      `exec ${python} -c "import os,socket,time; s=socket.socket(); s.listen(); print(flush=True); time.sleep(3600)"`,
    );
    const inode = `os.stat('/proc/${victim.pid}/fd/3').st_ino`;
    const lines = `'%s0: 0 0 0 0 0 %d ${place}/s' % (chr(0)+chr(10), inode)`;
    const forger = await sandbox.holder(
      `exec ${python} -c "import os,socket,time; inode=${inode}; dev=os.stat('${place}').st_dev; s=socket.socket(1); s.bind(${lines}); t=socket.socket(1); t.bind('%sx %d * 0 <-> ino:5 dev:0/%d peers:%s' % (chr(0), inode, 1792+(dev&255), chr(10))); os.chdir('${place}'); print(flush=True); time.sleep(3600)"`,
    );
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
    expect([isAlive(victim.pid), isAlive(forger.pid)]).toEqual([true, false]);
    await victim.end();
  });

  test.each([
    ['keeps a namespace by a descriptor alone', 'orphaned'],
    ['hides his copy by another root directory', 'hidden'],
  ])(
    'a user %s, where nobody can see whether it is he: the stop says that it is still active',
    async (_what, how) => {
      const { resource, place } = await started({ meta_timeout: '20000' });
      const user = await sandbox.user(
        `exec ${how === 'hidden' ? 'unshare -Urm ' : ''}${python} ${way} ${how} ${place}`,
      );
      const answer = await sandbox.ours('stop', resource);
      expect(answer).toMatchObject({ code: 1, reason: expect.stringContaining('still active') });
      expect(isAlive(user.pid)).toBe(true);
      await user.end();
      expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
    },
  );

  test('a namespace of users with a copy, which is not in the way because the unmount reached it', async () => {
    const parent = freshDirectory(sandbox);
    await sandbox.run('mkdir', parent);
    await sandbox.run('mount', '-t', 'tmpfs', 'x', parent);
    await sandbox.run('mount', '--make-shared', parent);
    const { resource } = await started({ directory: `${parent}/m` });
    const user = await sandbox.user(
      'exec unshare -Um --propagation unchanged sh -c "cd /; echo; exec sleep 3600"',
    );
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
    expect(isAlive(user.pid)).toBe(true);
    await user.end();
  });

  test('a namespace of users without it', async () => {
    const user = await sandbox.user('exec unshare -Urm sh -c "cd /; echo; exec sleep 3600"');
    const { resource, place } = await started();
    const other = await sandbox.user(`cd ${place}; echo; exec sleep 3600`);
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
    expect([isAlive(user.pid), isAlive(other.pid)]).toEqual([true, false]);
    await user.end();
  });

  test("a container of root's with it, idle: it is unmounted there, and the container lives", async () => {
    const { resource } = await started();
    const container = await sandbox.holder(
      'exec unshare -m --propagation private sh -c "cd /; echo; exec sleep 3600"',
    );
    expect(await sandbox.ours('stop', resource)).toMatchObject({ code: 0 });
    expect([isAlive(container.pid), isFree(resource.device)]).toEqual([true, true]);
    await container.end();
  });
});
