import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, describe, expect, test } from 'vitest';
import { FakeDrbd } from '../../fake/drbd.ts';
import {
  act,
  busy,
  client,
  good,
  heldOpen,
  isPrimary,
  isSecondary,
  meta,
  param,
  primary,
  secondary,
  timeout,
  undefinedHere,
} from '../../fake/drbd-actions.ts';
import { hangs } from '../../fake/machine.ts';
import { StockDrbd } from './stock.ts';

// Every known defect of the stock agent: the installed one shows it, ours does not.

const stock = new StockDrbd();
afterAll(() => stock.remove());

const resource = (role: string, more = '') =>
  `exists resource name:data role:${role} suspended:no force-io-failures:no${more}`;
const connection = (state: string, role: string, disk: string) => [
  `exists connection name:data peer-node-id:1 conn-name:beta connection:${state} role:${role}`,
  `exists peer-device name:data peer-node-id:1 conn-name:beta volume:0 replication:Off peer-disk:${disk} peer-client:no`,
];
const device = (disk: string, more = 'client:no quorum:yes', volume = 0) =>
  `exists device name:data volume:${volume} minor:${volume} disk:${disk} ${more}`;
const events = (...lines: readonly string[]) => [...lines, 'exists -', ''].join('\n');
const isTheirPrimary = events(
  resource('Primary'),
  device(good),
  ...connection('Connected', 'Secondary', good),
);
const isTheirSecondary = isTheirPrimary.replace('role:Primary', 'role:Secondary');
const downFails = '*down*) echo "Device is held open" >&2; exit 11 ;;';
const queryFails = 'events2*) exit 20 ;;';
const unknownResource = `*sh-dev*) echo "'data' not defined in your config" >&2; exit 1 ;;`;

describe('state', () => {
  test('B1 drbd#62,165 a query that fails is taken for "not running": stop of a Primary says 0', async () => {
    const given = { state: isTheirPrimary, drbdsetup: queryFails, drbdadm: downFails };
    expect((await stock.run('monitor', given)).code).toBe(7);
    expect((await stock.run('stop', given)).code).toBe(0);

    const node = () =>
      new FakeDrbd({ state: isPrimary })
        .answer('drbdsetup', { code: 20, stderr: 'netlink\n' })
        .answer('drbdadm down', busy);
    expect(await act('monitor', node())).toMatchObject({ code: 1, score: '=' });
    expect(await act('stop', node())).toMatchObject({ code: 1, reason: expect.stringContaining('netlink') });
  });

  test('B2 drbd#5,164 without its device node a Primary counts as stopped', async () => {
    const given = { state: isTheirPrimary, drbdadm: `*sh-dev*) echo /dev/drbd77 ;;\n${downFails}` };
    expect((await stock.run('monitor', given)).code).toBe(7);
    expect((await stock.run('stop', given)).code).toBe(0);

    const node = () => new FakeDrbd({ state: isPrimary, nodes: false }).answer('drbdadm', busy);
    expect((await act('monitor', node())).code).toBe(8);
    expect((await act('stop', node())).code).toBe(1);
  });

  test('B18 what the kernel’s tool prints is evaluated by a shell', async () => {
    const marker = join(stock.folder, 'evaluated');
    const text = (disk: string) =>
      `_minor=0\n_res_name=data\n_volume=0\n_known=Configured\n_cstate=Connected\n_role=Secondary\n_peer=Secondary\n_disk=${disk}\n_pdsk=UpToDate\n_sh_status_process\n`;
    await stock.run('monitor', { kernel: '0x08040b', state: text(`$(touch ${marker})`) });
    expect(existsSync(marker)).toBe(true);
    rmSync(marker);

    const drbd = new FakeDrbd({ generation: 8 })
      .answer('drbdsetup events2', { code: 20 })
      .answer('drbdsetup sh-status', text('$(touch)').replaceAll('=data', '=r0'));
    expect(await act('monitor', drbd)).toMatchObject({ code: 0, score: '10' });
    expect(drbd.machine.ran.some((line) => line.startsWith('touch'))).toBe(false);
  });

  test('B15 drbd#65 frozen I/O is nothing to talk about', async () => {
    const state = isTheirPrimary.replace('suspended:no', 'suspended:user');
    expect(await stock.run('monitor', { state })).toMatchObject({ code: 8, score: '10000', reason: '' });

    const frozen = { ...isPrimary, suspended: ['user' as const] };
    expect(await act('monitor', { state: frozen })).toMatchObject({
      code: 8,
      state: 'suspended user',
      lines: [expect.stringContaining('I/O is suspended')],
    });
  });
});

describe('promotion score', () => {
  test('B3 drbd#3 a node whose module is gone looks like the best one', async () => {
    expect(await stock.run('monitor', { module: false })).toMatchObject({ code: 7, score: '9999' });
    expect(await act('monitor', { module: false })).toMatchObject({ code: 7, score: '-' });
  });

  test('B4 drbd#31 a disk that is only being attached counts as UpToDate', async () => {
    const state = events(
      resource('Secondary'),
      device('Attaching'),
      ...connection('Connecting', 'Unknown', 'DUnknown'),
    );
    expect((await stock.run('monitor', { state })).score).toBe('1000');
    const attaching = secondary(['Attaching'], 'beta Connecting Unknown DUnknown');
    expect((await act('monitor', { state: attaching })).score).toBe('=');
  });

  test('B5 drbd#58 a diskless client without quorum is offered for promotion', async () => {
    const state = events(
      resource('Secondary'),
      device('Diskless', 'client:yes quorum:no'),
      ...connection('Connected', 'Secondary', good),
    );
    expect((await stock.run('monitor', { state })).score).toBe('9999');
    const diskless = secondary([`${client} noquorum`], 'beta Connected Secondary UpToDate');
    expect((await act('monitor', { state: diskless })).score).toBe('-');
  });

  test('B8 drbd#69 a score command that hangs outlasts the operation', async () => {
    const crmMaster = '*) sleep 3 ;;';
    const slow = await stock.run('monitor', { state: isTheirPrimary, crmMaster, env: timeout(1000) });
    expect(slow.ms).toBeGreaterThan(3000);

    const drbd = new FakeDrbd({ state: isPrimary, env: timeout(1000) });
    drbd.machine.on('crm_attribute', (_args, command) => hangs(command, drbd.machine));
    expect((await act('monitor', drbd)).code).toBe(8);
    expect(drbd.machine.clock).toBeLessThan(1000);
  });

  test('B12 drbd#123 validate-all deletes the score', async () => {
    expect((await stock.run('validate-all', { drbdadm: unknownResource })).score).toBe('-');
    const drbd = new FakeDrbd({ env: { OCF_CHECK_LEVEL: '10' } }).answer('drbdadm', undefinedHere);
    expect(await act('validate-all', drbd)).toMatchObject({ code: 5, score: '=' });
  });

  test('B13 drbd#173 after a peer’s start the score is a monitor late', async () => {
    const env = { ...meta('notify_type', 'post'), ...meta('notify_operation', 'start') };
    expect((await stock.run('notify', { state: isTheirSecondary, env })).score).toBe('=');
    expect((await act('notify', { state: isSecondary, env })).score).toBe('10000');
  });

  test('B14 drbd#39 a volume that is added costs a healthy Primary its score', async () => {
    const state = events(
      resource('Primary'),
      device(good),
      device('Inconsistent', 'client:no quorum:yes', 1),
      ...connection('Connecting', 'Unknown', 'DUnknown'),
    );
    expect((await stock.run('monitor', { state })).score).toBe('-');
    const added = primary([good, 'Inconsistent'], 'beta Connecting Unknown DUnknown DUnknown');
    const kept = await act('monitor', { state: added, env: param('keep_promoted_score', 'yes') });
    expect(kept.score).toBe('10000');
  });
});

describe('start', () => {
  test('B6 drbd#135 wfc_timeout="" waits although it means not to', async () => {
    const { calls } = await stock.run('start', { state: isTheirSecondary, env: param('wfc_timeout', '') });
    expect(calls.join('\n')).toContain('wfc-timeout=5');
    const { did } = await act('start', { state: isSecondary, env: param('wfc_timeout', '') });
    expect(did.join('\n')).not.toContain('wfc-timeout');
  });

  test('B7 drbd#110 an empty bound of the module’s version is checked', async () => {
    const env = param('require_drbd_module_version_lt', '');
    expect((await stock.run('start', { kernel: '0x0a0100', state: isTheirSecondary, env })).code).toBe(5);
    const drbd = new FakeDrbd({ state: isSecondary, env });
    drbd.machine.files.set('/proc/drbd', 'version: 10.1.0 (api:2/proto:86-122)\n');
    expect((await act('start', drbd)).code).toBe(0);
  });

  test('B16 drbd#138 new-resource fails without a word', async () => {
    const drbdadm = '*new-resource*) echo "data: Failure: (161) no memory" >&2; exit 10 ;;';
    expect(await stock.run('start', { drbdadm })).toMatchObject({ code: 1, reason: '' });
    const answer = { code: 10, stderr: 'r0: Failure: (161) no memory\n' };
    const drbd = new FakeDrbd({}).answer('drbdadm new-resource', answer);
    expect((await act('start', drbd)).reason).toContain('(161) no memory');
  });

  test('B19 drbd#127 a word for one connection allows two Primaries for all', async () => {
    const drbdadm =
      '*dump*) printf "connection {\\n net {\\n allow-two-primaries yes;\\n }\\n}\\nconnection {\\n net {\\n allow-two-primaries no;\\n }\\n}\\n" ;;';
    const env = meta('master_max', '2');
    expect((await stock.run('start', { state: isTheirSecondary, drbdadm, env })).code).toBe(0);

    const drbd = new FakeDrbd({ state: isSecondary, env });
    drbd.options = ['yes', 'no']
      .map((word) => `<connection><option name="allow-two-primaries" value="${word}"/></connection>`)
      .join('');
    expect((await act('start', drbd)).code).toBe(6);
  });
});

describe('promote, demote, notify, reload', () => {
  test('B9 drbd#148 promote of what is not started holds the executor for 15 s', async () => {
    const { code, ms } = await stock.run('promote', {});
    expect(code).toBe(1);
    expect(ms).toBeGreaterThan(14_000);
    const drbd = new FakeDrbd({});
    expect((await act('promote', drbd)).code).toBe(1);
    expect(drbd.machine.clock).toBe(0);
  });

  test('B10 drbd#159,163 held open: killed at the timeout without a reason', async () => {
    const drbdadm = '*secondary*) echo "Device is held open" >&2; exit 11 ;;';
    for (const action of ['demote', 'stop']) {
      const killed = await stock.run(action, { state: isTheirPrimary, drbdadm, killAfterMs: 4000 });
      expect(killed).toMatchObject({ code: undefined, reason: '' });
      const ended = await act(action, heldOpen(new FakeDrbd({ state: isPrimary, env: timeout(4000) })));
      expect(ended.reason).toContain('/dev/drbd0 mounted on /srv/nfs');
    }
  });

  test('B11 drbd#182 a notification fails', async () => {
    const env = { ...meta('notify_type', 'post'), ...meta('notify_operation', 'stop') };
    expect((await stock.run('notify', { drbdadm: unknownResource, env })).code).toBe(5);
    const drbd = new FakeDrbd({ env }).answer('drbdadm', undefinedHere);
    expect((await act('notify', drbd)).code).toBe(0);
  });

  test('B17 drbd#172 a reload that could not be done is a success', async () => {
    const drbdadm = '*adjust*) exit 10 ;;';
    expect((await stock.run('reload', { state: isTheirSecondary, drbdadm })).code).toBe(0);
    const drbd = new FakeDrbd({ state: isSecondary }).answer('drbdadm adjust', { code: 10 });
    expect((await act('reload', drbd)).code).toBe(1);
  });
});

test('B20 the meta-data is not valid OCF 1.1', async () => {
  const schema = join(import.meta.dirname, '../../contract/ocf-1.1.rng');
  const isValid = async (input: string) => {
    const argv = ['--nonet', '--noout', '--relaxng', schema, '-'];
    return (await execa('xmllint', argv, { input, reject: false })).exitCode === 0;
  };
  const stockXml = await execa(join(stock.folder, 'drbd'), ['meta-data'], {
    env: { OCF_ROOT: '/usr/lib/ocf', PATH: process.env['PATH'] ?? '' },
    reject: false,
  });
  expect(stockXml.stdout).toContain('</resource-agent>');
  expect(await isValid(stockXml.stdout)).toBe(false);
  const golden = join(import.meta.dirname, '../../../metadata/golden/drbd.xml');
  expect(await isValid(readFileSync(golden, 'utf8'))).toBe(true);
});
