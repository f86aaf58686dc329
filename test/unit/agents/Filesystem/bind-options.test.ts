import { expect, test } from 'vitest';
import { stepsAfterBind } from '../../../../agents/Filesystem/bind-options.ts';

const safe = ['rw', 'nosuid', 'nodev', 'noexec', 'relatime'];

test.each<[options: string, shown: readonly string[], steps: readonly string[]]>([
  ['bind', safe, []],
  ['bind,defaults', safe, []],
  ['bind,_netdev,nofail,x-systemd.requires=a', safe, []],
  ['bind,rw', safe, []],
  ['bind,nosuid', safe, []],
  ['rbind,private', safe, ['--make-private']],
  ['bind,ro', safe, ['-o remount,bind,ro,nosuid,nodev,noexec,relatime']],
  ['bind,ro', ['rw', 'relatime'], ['-o remount,bind,ro,relatime']],
  ['bind,ro,nosuid', ['rw', 'noatime', 'nodiratime'], ['-o remount,bind,ro,nosuid,nodiratime,noatime']],
  ['bind,rw', ['ro', 'nosuid', 'relatime'], ['-o remount,bind,rw,nosuid,relatime']],
  ['bind,suid,exec', safe, ['-o remount,bind,rw,nodev,relatime']],
  ['bind,ro,rw', safe, []],
  ['bind,noatime,rslave', ['rw', 'nosuid'], ['-o remount,bind,rw,nosuid,noatime', '--make-rslave']],
  ['bind,nodiratime', ['rw'], ['-o remount,bind,rw,nodiratime,strictatime']],
  ['bind,atime', ['rw', 'noatime'], ['-o remount,bind,rw,relatime']],
  ['bind,ro=recursive', safe, ['-o remount,bind,nosuid,nodev,noexec,relatime,ro=recursive']],
  ['bind,nosuid=recursive', ['rw'], ['-o remount,bind,rw,strictatime,nosuid=recursive']],
  ['bind,user', ['rw', 'relatime'], ['-o remount,bind,rw,relatime,user']],
  ['bind,X-mount.owner=1', safe, ['-o remount,bind,rw,nosuid,nodev,noexec,relatime,X-mount.owner=1']],
])('%s of %j', (options, shown, steps) => {
  expect(stepsAfterBind(options, shown).map((step) => step.join(' '))).toEqual(steps);
});
