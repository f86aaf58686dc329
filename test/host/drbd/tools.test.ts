import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { drbdadm } from '../../../lib/host/drbd/admin.ts';
import { configurationOf } from '../../../lib/host/drbd/configuration.ts';
import { parseToolVersion } from '../../../lib/host/drbd/version.ts';
import { hostOn } from '../../../lib/host/host.ts';
import { nodeSys } from '../../../lib/host/sys/node-sys.ts';
import { agentUnderTest } from '../agent-under-test.ts';

// drbd-utils' own tools on a kernel without DRBD: they can be told which version to pretend, and read configurations.

const folder = mkdtempSync(join(tmpdir(), 'tsha-drbd-tools-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'drbd.conf');

beforeAll(() => {
  if (!existsSync('/usr/sbin/drbdadm') && !existsSync('/sbin/drbdadm'))
    throw new Error('drbdadm is not installed: apt-get install drbd-utils');
  writeFileSync(
    file,
    `global { usage-count no; }
resource plain {
  protocol C; device /dev/drbd1; disk /dev/sdx1; meta-disk internal;
  # net { allow-two-primaries yes; }
  on node1 { address 10.77.1.11:7789; }
  on node2 { address 10.77.1.12:7789; }
}
resource both {
  protocol C; device /dev/drbd2; disk /dev/sdx2; meta-disk internal;
  net { allow-two-primaries; }
  on node1 { address 10.77.1.11:7790; }
  on node2 { address 10.77.1.12:7790; }
}
resource upper {
  stacked-on-top-of plain { device /dev/drbd10; address 10.77.1.100:7791; }
  on node3 { device /dev/drbd10; disk /dev/sdb; meta-disk internal; address 10.77.1.13:7791; }
}
`,
  );
});

function pretending(version: string) {
  const sys = nodeSys({
    PATH: process.env['PATH'],
    DRBD_DRIVER_VERSION_OVERRIDE: version,
    __DRBD_NODE__: 'node1',
  });
  return hostOn(sys, sys.now() + 50_000); // the clock began with this process, which other tests may have kept busy
}

describe.each(['9.1.4', '8.4.11'])('drbdadm for DRBD %s', (version) => {
  test.each([
    ['plain', '/dev/drbd1', false],
    ['both', '/dev/drbd2', true],
    ['upper', '/dev/drbd10', false],
  ])('%s', async (name, device, two) => {
    const admin = drbdadm(pretending(version), name, file);
    expect(await admin.devices()).toEqual([device]);
    expect((await configurationOf(admin)).twoPrimaries).toBe(two);
  });
  test('a resource that is not defined', async () => {
    await expect(drbdadm(pretending(version), 'none', file).devices()).rejects.toMatchObject({
      outcome: 'notInstalled',
      message: expect.stringContaining("'none' not defined in your config"),
    });
  });
  test('a file that does not exist', async () => {
    await expect(drbdadm(pretending(version), 'plain', `${file}.no`).devices()).rejects.toThrow(
      'Can not open',
    );
  });
});

test('the version of the module, as drbdadm tells it', async () => {
  const { stdout } = await pretending('9.1.4').tryRun(['drbdadm', '--version']);
  expect(parseToolVersion(stdout)).toEqual([9, 1, 4]);
});

describe('on this host, whose kernel has no DRBD', () => {
  test.each([
    ['monitor', { OCF_RESKEY_CRM_meta_interval: '0' }, 7],
    ['monitor', { OCF_RESKEY_CRM_meta_interval: '10000' }, 7],
    ['stop', {}, 0],
    ['validate-all', {}, 0],
    ['promote', { OCF_RESKEY_CRM_meta_clone_max: '2', OCF_RESKEY_CRM_meta_notify: 'true' }, 1],
    ['demote', {}, 7],
    ['notify', { OCF_RESKEY_CRM_meta_notify_type: 'post', OCF_RESKEY_CRM_meta_notify_operation: 'start' }, 0],
    ['start', { OCF_RESKEY_CRM_meta_clone_max: '2', OCF_RESKEY_CRM_meta_notify: 'true' }, 5],
  ])('%s with %j', async (action, env, code) => {
    expect(existsSync('/proc/drbd'), 'this kernel has DRBD: the test is for one that has not').toBe(false);
    const result = await execa('node', [await agentUnderTest('drbd'), action], {
      env: { PATH: process.env['PATH'] ?? '', HA_RSCTMP: folder, OCF_RESKEY_drbd_resource: 'plain', ...env },
      extendEnv: false,
      reject: false,
    });
    expect(result.exitCode).toBe(code);
    if (code === 0) expect(result.stderr).toBe('');
  });
});
