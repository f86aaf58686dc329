import { describe, expect, test } from 'vitest';
import { FakeDrbd, resource, volumes } from '../../../fake/drbd.ts';
import {
  act,
  away,
  heldOpen,
  isPrimary,
  isSecondary,
  type Setup,
  timeout,
  undefinedHere,
} from '../../../fake/drbd-actions.ts';
import { hangs } from '../../../fake/machine.ts';

const waits = '--wfc-timeout=5 --degr-wfc-timeout=5 --outdated-wfc-timeout=5';
const fresh = ['check-resize r0', 'new-resource r0', 'new-minor r0', 'adjust --skip-net r0'].map(
  (words) => `drbdadm ${words}`,
);
const connected = ['drbdadm adjust r0', `drbdsetup wait-connect-resource r0 ${waits}`];

describe('start', () => {
  const starts: readonly (readonly [string, Setup, readonly string[], string?])[] = [
    ['drbd#130 fresh', {}, [...fresh, ...connected]],
    [
      'drbd#132 without the module',
      { module: false },
      ['modprobe -s drbd minor_count=32', ...fresh, ...connected],
    ],
    [
      'drbd#134 connect only after promotion',
      { env: { OCF_RESKEY_connect_only_after_promote: 'yes' } },
      fresh,
    ],
    ['drbd#135 wfc_timeout empty', { env: { OCF_RESKEY_wfc_timeout: '' } }, [...fresh, 'drbdadm adjust r0']],
    [
      'drbd#136 wfc_timeout=none',
      { env: { OCF_RESKEY_wfc_timeout: 'none' } },
      [...fresh, 'drbdadm adjust r0'],
    ],
    [
      'drbd#136 wfc_timeout=30',
      { env: { OCF_RESKEY_wfc_timeout: '30', ...timeout(60_000) } },
      [...fresh, ...connected].map((line) => line.replaceAll('=5', '=30')),
    ],
    [
      'drbd#136 wfc_timeout=0, which drbdsetup takes for ever',
      { env: { OCF_RESKEY_wfc_timeout: '0' } },
      [...fresh, 'drbdadm adjust r0'],
    ],
    [
      'drbd#136 wfc_timeout=3600, more than is left of 60 s',
      { env: { OCF_RESKEY_wfc_timeout: '3600', ...timeout(60_000) } },
      [...fresh, ...connected].map((line) => line.replaceAll('=5', '=50')),
    ],
    ['drbd#139 already Secondary', { state: isSecondary }, connected],
    ['drbd#140 already Primary', { state: isPrimary }, ['drbdadm secondary r0', ...connected]],
    [
      'drbd#145 Inconsistent, alone',
      { configured: resource('Secondary', volumes('Inconsistent'), [away]) },
      [...fresh, ...connected],
      '-',
    ],
    [
      'drbd#143 DRBD 8.4',
      { generation: 8, env: { OCF_RESKEY_CRM_meta_notify_slave_uname: 'me beta' } },
      [
        ...fresh.slice(0, 3),
        'drbdadm attach r0',
        'drbdadm --peer beta adjust r0',
        `drbdsetup wait-connect /dev/drbd0 ${waits}`,
      ],
    ],
    [
      'DRBD 8.4, left created only',
      {
        generation: 8,
        state: resource('Secondary', volumes('Diskless'), ['peer StandAlone Unknown DUnknown']),
      },
      ['drbdadm attach r0', 'drbdadm adjust r0', `drbdsetup wait-connect /dev/drbd0 ${waits}`],
    ],
  ];
  test.each(starts.map(([what, setup, did, score = '10000']) => [what, setup, did, score] as const))(
    '%s',
    async (_what, setup, did, score) => {
      const drbd = new FakeDrbd(setup);
      expect(await act('start', drbd)).toMatchObject({ code: 0, reason: '', did, score });
      expect(drbd.state?.role).toBe('Secondary');
    },
  );

  test('drbd#131 the Primary that the cluster knows is connected first', async () => {
    const drbd = new FakeDrbd({});
    drbd.promotedNodes = ['beta'];
    expect((await act('start', drbd)).did).toEqual([
      ...fresh,
      'drbdadm -d connect r0:beta',
      'drbdadm adjust r0:beta',
      `drbdsetup wait-connect-connection r0 1 ${waits}`,
      ...connected,
    ]);
  });

  test.each([
    ['the configuration does not have it', undefinedHere, 'beta is not a peer in the DRBD configuration'],
    [
      'the dry run hung',
      { code: 124, hung: 'pid 77 in state D' },
      'drbdadm -d connect r0:beta: hung (pid 77',
    ],
    [
      'the dry run failed',
      { code: 10, stderr: 'a.res:1: Parse error\n' },
      'connect r0:beta: a.res:1: Parse error',
    ],
  ])('the Primary cannot be connected first, %s: told as what it is', async (_what, answer, words) => {
    const drbd = new FakeDrbd({}).answer('drbdadm connect', answer);
    drbd.promotedNodes = ['beta'];
    const { code, lines } = await act('start', drbd);
    expect(code).toBe(0);
    expect(lines).toEqual([expect.stringContaining(words)]);
  });

  const failures: readonly (readonly [string, (drbd: FakeDrbd) => unknown, number, string, Setup?])[] = [
    [
      'drbd#133 modprobe fails',
      (drbd) => drbd.answer('modprobe', { code: 1, stderr: 'modprobe: FATAL: Module drbd not found\n' }),
      5,
      'Module drbd not found',
      { module: false },
    ],
    [
      'drbd#105 no module at all',
      (drbd) => drbd.answer('modinfo', { code: 1 }),
      5,
      'neither loaded nor installed',
      { module: false },
    ],
    [
      'drbd#123 not in the configuration',
      (drbd) => drbd.answer('drbdadm sh-dev', undefinedHere),
      5,
      "'r0' not defined in your config",
    ],
    [
      'drbd#122 no configuration file',
      (drbd) => drbd.answer('drbdadm sh-dev', { code: 20, stderr: "Can not open '/etc/drbd.conf'.\n.\n" }),
      5,
      "Can not open '/etc/drbd.conf'",
    ],
    [
      'drbd#138 new-minor fails',
      (drbd) => drbd.answer('drbdadm new-minor', { code: 10, stderr: '0: Failure: (161) Minor exists\n' }),
      1,
      'drbdadm new-minor r0: 0: Failure: (161) Minor exists',
    ],
    [
      'drbd#138 new-resource fails',
      (drbd) =>
        drbd.answer('drbdadm new-resource', { code: 10, stderr: 'r0: Failure: (161) out of memory\n' }),
      1,
      'r0: Failure: (161) out of memory',
    ],
    [
      'drbd#137 attach fails twice',
      (drbd) => drbd.answer('drbdadm adjust --skip-net', { code: 1, stderr: 'No valid meta data found\n' }),
      1,
      'r0 failed to attach: No valid meta data found',
    ],
    [
      'drbd#142 the device node does not come',
      () => {},
      1,
      'device node /dev/drbd0 does not appear',
      { nodes: false },
    ],
  ];
  test.each(
    failures.map(([what, spoil, code, reason, setup = {}]) => [what, spoil, code, reason, setup] as const),
  )('%s', async (_what, spoil, code, reason, setup) => {
    const drbd = new FakeDrbd({ ...setup, env: timeout(240_000) });
    spoil(drbd);
    const result = await act('start', drbd);
    expect(result).toMatchObject({ code, reason: expect.stringContaining(reason) });
    expect(drbd.machine.clock).toBeLessThan(230_000);
  });

  test('attach works the second time', async () => {
    const drbd = new FakeDrbd({});
    drbd.answer('drbdadm adjust --skip-net', (times) => (times === 0 ? { code: 1 } : undefined));
    expect((await act('start', drbd)).code).toBe(0);
  });

  test.each([
    ['adjust fails', 'drbdadm adjust r0', { code: 1, stderr: 'r0: Failure: (102) Local address in use\n' }],
    ['drbd#144 nobody connects', 'drbdsetup wait-connect', { code: 5 }],
  ])('%s: started all the same', async (_what, command, answer) => {
    const drbd = new FakeDrbd({}).answer(command, answer);
    expect((await act('start', drbd)).code).toBe(0);
  });

  test('attach fails because it is attached: another start came before', async () => {
    const state = resource('Secondary', volumes('Diskless'), ['peer StandAlone Unknown DUnknown']);
    const drbd = new FakeDrbd({ generation: 8, state });
    drbd.answer('drbdadm attach', () => {
      drbd.state = isSecondary;
      return { code: 10, stderr: '0: Failure: (124) Device is attached to a disk (use detach first)\n' };
    });
    expect((await act('start', drbd)).code).toBe(0);
  });

  test('waiting for a connection ends before the timeout', async () => {
    const drbd = new FakeDrbd({ env: { ...timeout(60_000), OCF_RESKEY_wfc_timeout: '3600' } });
    const { machine } = drbd;
    machine.on('drbdsetup', (args, command) =>
      args[0] === 'events2'
        ? `exists resource name:r0 role:Secondary suspended:no\nexists device name:r0 volume:0 minor:0 disk:Inconsistent\nexists -\n`
        : hangs(command, machine),
    );
    expect(await act('start', drbd)).toMatchObject({ code: 0, score: '-' });
    expect(machine.clock).toBeLessThan(60_000);
  });

  test('drbd#141 Primary and held open: ends with who does it', async () => {
    const drbd = heldOpen(new FakeDrbd({ state: isPrimary, env: timeout(20_000) }));
    const result = await act('start', drbd);
    expect(result).toMatchObject({
      code: 1,
      reason: expect.stringContaining('/dev/drbd0 mounted on /srv/nfs'),
    });
  });
});
