import { describe, expect, test } from 'vitest';
import type { Resource } from '../../lib/host/drbd/state.ts';
import { FakeDrbd } from '../fake/drbd.ts';
import { good, look, primary, type Row, secondary } from '../fake/drbd-actions.ts';

describe('monitor, DRBD 8.4', () => {
  const rows: readonly Row[] = [
    ['only created', secondary(['Diskless'], 'peer StandAlone Unknown DUnknown'), 7, '-'],
    ['nothing', undefined, 7, '-'],
    ['connected', secondary([good], 'peer Connected Secondary UpToDate'), 0, '10000'],
    ['Primary', primary([good], 'peer Connected Secondary UpToDate'), 8, '10000'],
    ['two Primaries', primary([good], 'peer Connected Primary UpToDate'), 8, '10000'],
    ['Secondary, alone', secondary([good], 'peer Connecting Unknown DUnknown'), 0, '1000'],
    ['Primary, alone', primary([good], 'peer Connecting Unknown DUnknown'), 8, '10000'],
    ['split brain', primary([good], 'peer StandAlone Unknown DUnknown'), 8, '10000'],
    ['peer known outdated', secondary([good], 'peer Connecting Unknown Outdated'), 0, '10000'],
    ['Outdated, alone', secondary(['Outdated'], 'peer Connecting Unknown DUnknown'), 0, '-'],
    ['sync target', secondary(['Inconsistent'], 'peer Connected Primary UpToDate'), 0, '10'],
    ['disk lost, Primary', primary(['Diskless'], 'peer Connected Secondary UpToDate'), 8, '10'],
    ['disk lost, Primary, alone', primary(['Diskless'], 'peer Connecting Unknown DUnknown'), 8, '-'],
    ['Attaching, peer good', secondary(['Attaching'], 'peer Connected Secondary UpToDate'), 0, '10'],
    ['Negotiating, alone', secondary(['Negotiating'], 'peer Connecting Unknown DUnknown'), 0, '='],
    [
      'one of two volumes only created',
      secondary([good, 'Diskless'], 'peer Connected Secondary UpToDate DUnknown'),
      0,
      '-',
    ],
    [
      'promoted halfway',
      primary([`${good} Primary`, `${good} Secondary`], 'peer Connected Secondary UpToDate UpToDate'),
      8,
      '10000',
    ],
  ];
  test.each(rows)('%s', async (_situation, state, code, score) => {
    const drbd = new FakeDrbd({ generation: 8, ...(state && { state }) });
    expect(await look(drbd)).toEqual({ code, score });
  });

  const mapped = (drbd: FakeDrbd, ...resources: readonly string[]) => {
    for (const [minor, name] of resources.entries()) {
      const folder = `/sys/kernel/debug/drbd/resources/${name}/volumes`;
      const volume = [...drbd.machine.factsOf.keys()].filter((path) => path.startsWith(folder)).length;
      drbd.machine.factsOf.set(`${folder}/${volume}`, { kind: 'directory' });
      drbd.machine.links.set(
        `/sys/kernel/debug/drbd/minors/${minor}`,
        `../resources/${name}/volumes/${volume}`,
      );
    }
    return drbd;
  };
  test.each(rows.filter(([, state]) => state))(
    '%s: no command where debugfs names the minors',
    async (_what, state, code, score) => {
      const drbd = new FakeDrbd({ generation: 8, ...(state && { state }) });
      mapped(drbd, ...(state?.devices ?? []).map(() => 'r0'));
      expect(await look(drbd)).toEqual({ code, score });
      expect(drbd.machine.ran.filter((line) => line.startsWith('drbd'))).toEqual([]);
    },
  );
  const one = primary([good], 'peer Connected Secondary UpToDate');
  test.each<readonly [string, Resource | undefined, readonly string[]]>([
    ['the minor belongs to another resource', one, ['r1']],
    ['a volume has no line', one, ['r0', 'r0']],
    ['nothing is there', undefined, []],
    ['I/O is suspended', { ...one, suspended: ['user'] }, ['r0']],
  ])('drbdsetup is asked when %s', async (_what, state, resources) => {
    const drbd = mapped(new FakeDrbd({ generation: 8, ...(state && { state }) }), ...resources);
    expect((await look(drbd)).code).toBe(state ? 8 : 7);
    expect(drbd.machine.ran).toContain('drbdsetup events2 --now r0');
  });

  test('kernels without events2: sh-status', async () => {
    const status =
      '_minor=0\n_res_name=r0\n_volume=0\n_known=Configured\n_cstate=Connected\n_role=Primary\n_peer=Secondary\n_disk=UpToDate\n_pdsk=UpToDate\n_sh_status_process\n';
    const drbd = new FakeDrbd({ generation: 8 })
      .answer('drbdsetup events2', { code: 20 })
      .answer('drbdsetup sh-status', status);
    expect(await look(drbd)).toEqual({ code: 8, score: '10000' });
  });
  test('neither answers', async () => {
    const drbd = new FakeDrbd({ generation: 8 }).answer('drbdsetup', { code: 20 });
    expect(await look(drbd)).toEqual({ code: 1, score: '=' });
  });
});
