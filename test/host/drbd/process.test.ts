import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { agentUnderTest } from '../agent-under-test.ts';

// The whole agent as a process, with tools that play DRBD 9: a mount namespace of its own shows it a module, and a state that
// the test changes while the agent waits.

const folder = mkdtempSync(join(tmpdir(), 'tsha-drbd-process-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string) => join(folder, name);

const tool = (name: string, body: string) =>
  writeFileSync(file(name), `#!/bin/sh\ncd ${folder}\necho "${name} $*" >> calls\n${body}\n`, {
    mode: 0o755,
  });
tool(
  'drbdsetup',
  `case "$*" in
  "events2 --now data") cat state ;;
  *secondary*) if [ -e hangs ]; then sleep 871; fi; exit 1 ;;
  "events2 data") cat state; exec tail -n 0 -f events ;;
  *) exit 20 ;;
esac`,
);
tool(
  'drbdadm',
  `case "$*" in
  *primary*)
    if grep -q 'role:Primary' state; then echo 'State change failed: (-1) Multiple primaries not allowed' >&2; exit 11; fi
    sed 's/role:Secondary suspended/role:Primary suspended/' state > new; mv new state ;;
  *secondary*)
    if [ -e hangs ]; then sleep 871; exit 0; fi
    echo 'State change failed: (-12) Device is held open by someone' >&2; exit 11 ;;
esac`,
);
for (const name of ['crm_attribute', 'attrd_updater', 'dmesg']) tool(name, '');

const state = (role: string, peerRole: string) =>
  [
    `exists resource name:data role:${role} suspended:no force-io-failures:no`,
    `exists connection name:data peer-node-id:1 conn-name:beta connection:Connected role:${peerRole}`,
    'exists device name:data volume:0 minor:977 disk:UpToDate client:no quorum:yes',
    'exists peer-device name:data peer-node-id:1 conn-name:beta volume:0 replication:Established peer-disk:UpToDate peer-client:no',
    'exists -',
    '',
  ].join('\n');

beforeEach(() => {
  for (const name of ['calls', 'events']) writeFileSync(file(name), '');
});
const calls = (): readonly string[] => readFileSync(file('calls'), 'utf8').split('\n').filter(Boolean);

const call = async (action: string, env: Record<string, string> = {}) => {
  const inPlace = 'mount -t tmpfs tsha /sys/module; mkdir /sys/module/drbd; exec "$@"';
  const argv = ['-m', 'sh', '-ec', inPlace, 'sh', 'node', await agentUnderTest('drbd'), action];
  return execa('unshare', argv, {
    env: {
      PATH: `${folder}:${process.env['PATH']}`,
      HA_RSCTMP: file('memory'),
      OCF_RESOURCE_INSTANCE: 'Data',
      OCF_RESKEY_drbd_resource: 'data',
      OCF_RESKEY_crm_feature_set: '3.16.2',
      OCF_RESKEY_CRM_meta_timeout: '30000',
      OCF_RESKEY_CRM_meta_interval: '10000',
      OCF_RESKEY_CRM_meta_clone_max: '2',
      OCF_RESKEY_CRM_meta_notify: 'true',
      ...env,
    },
    extendEnv: false,
    reject: false,
  });
};

/** For a machine that has much else to do, in milliseconds. */
const patience = 180_000;

/** Command lines of what was started for these calls and still runs: `PATH` of their environment is the mark. */
const leftBehind = (): readonly string[] =>
  readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid) => {
      try {
        const isOurs = readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`PATH=${folder}:`);
        return isOurs ? [readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim()] : [];
      } catch {
        return []; // ended
      }
    })
    .filter(Boolean);

describe('one process from beginning to end', () => {
  test('drbd#150 a promotion waits for the peer’s demotion by following the events, and leaves nothing behind', {
    timeout: patience,
  }, async () => {
    writeFileSync(file('state'), state('Secondary', 'Primary'));
    const promotion = call('promote', { OCF_RESKEY_CRM_meta_timeout: String(20 * patience) });
    for (let tries = 0; !calls().includes('drbdsetup events2 data') && tries < 1000; tries++) await sleep(50);
    await sleep(3000);
    const attempts = calls().filter((line) => line.includes('primary')).length;
    writeFileSync(file('state'), state('Secondary', 'Secondary'));
    appendFileSync(
      file('events'),
      'change connection name:data peer-node-id:1 conn-name:beta role:Secondary\n',
    );
    const { exitCode, stderr } = await promotion;
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toMatch(/INFO: promoting data took \d+ s: .*Multiple primaries not allowed/);
    expect(calls().filter((line) => line === 'drbdsetup events2 data')).toHaveLength(1);
    expect(calls().filter((line) => line.includes('primary')).length - attempts).toBe(1);
    expect(leftBehind()).toEqual([]);
  });

  test('drbd#159 a demotion in vain ends before its timeout, says why and leaves nothing behind', {
    timeout: patience,
  }, async () => {
    writeFileSync(file('state'), state('Primary', 'Secondary'));
    const { exitCode, stderr } = await call('demote', { OCF_RESKEY_CRM_meta_timeout: '40000' });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^ocf-exit-reason:demoting data failed: .*Device is held open by someone/m);
    expect(leftBehind()).toEqual([]);
  });

  test('D3 a demotion that hangs names the process that waits, not its parent, and leaves nothing behind', {
    timeout: patience,
  }, async () => {
    writeFileSync(file('state'), state('Primary', 'Secondary'));
    writeFileSync(file('hangs'), '');
    const { exitCode, stderr } = await call('demote', { OCF_RESKEY_CRM_meta_timeout: '40000' });
    rmSync(file('hangs'));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^ocf-exit-reason:demoting data failed: .*hung \(pid \d+ \(sleep 871\) in state S, waiting in \w*nanosleep\w*/m,
    );
    expect(stderr).toMatch(/drbdadm secondary data: hung \(.*\): using drbdsetup/);
    expect(leftBehind()).toEqual([]);
  });

  test('a steady monitor runs one command, and one more at most once a minute', async () => {
    writeFileSync(file('state'), state('Primary', 'Secondary'));
    expect((await call('monitor')).exitCode).toBe(8);
    expect(calls().toSorted()).toEqual([
      'attrd_updater -n tsha-drbd-data -U connected',
      'crm_attribute --promotion -v 10000',
      'drbdsetup events2 --now data',
    ]);
    writeFileSync(file('calls'), '');
    const steady = await call('monitor');
    expect(steady).toMatchObject({ exitCode: 8, stdout: '', stderr: '' });
    expect(calls()).toEqual(['drbdsetup events2 --now data']);
  });
});
