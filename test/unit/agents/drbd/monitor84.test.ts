import { describe, expect, test } from 'vitest';
import type { Resource } from '../../../../lib/host/drbd/state.ts';
import { FakeDrbd } from '../../../fake/drbd.ts';
import { act, good, look, meta, primary, type Row, secondary } from '../../../fake/drbd-actions.ts';

describe('monitor, DRBD 8.4', () => {
  const lone = 'peer Connecting Unknown DUnknown';
  const peer = 'peer Connected Secondary UpToDate';
  const rows: readonly Row[] = [
    [83, 'only created', secondary(['Diskless'], 'peer StandAlone Unknown DUnknown'), 7, '-', '='],
    [84, 'nothing', undefined, 7, '-', '='],
    [85, 'connected', secondary([good], peer), 0, '10000', 'connected'],
    [86, 'Primary', primary([good], peer), 8, '10000', 'connected'],
    [88, 'Secondary, alone', secondary([good], lone), 0, '1000', 'connecting'],
    [89, 'Primary, alone', primary([good], lone), 8, '10000', 'connecting'],
    [
      91,
      'peer known outdated',
      secondary([good], 'peer Connecting Unknown Outdated'),
      0,
      '10000',
      'connecting',
    ],
    [92, 'Consistent, alone', secondary(['Consistent'], lone), 0, '-', 'consistent'],
    [92, 'Inconsistent, alone', secondary(['Inconsistent'], lone), 0, '-', 'inconsistent'],
    [92, 'Outdated, alone', secondary(['Outdated'], lone), 0, '-', 'outdated'],
    [
      93,
      'sync target',
      secondary(['Inconsistent'], 'peer Connected Primary UpToDate+SyncTarget'),
      0,
      '10',
      'synctarget',
    ],
    [94, 'disk lost, Primary', primary(['Diskless'], peer), 8, '10', 'diskless'],
    [95, 'disk lost, Primary, alone', primary(['Diskless'], lone), 8, '-', 'diskless'],
    [96, 'Attaching, peer good', secondary(['Attaching'], peer), 0, '10', 'attaching'],
    [97, 'Attaching, alone', secondary(['Attaching'], lone), 0, '=', 'attaching'],
    [97, 'Negotiating, alone', secondary(['Negotiating'], lone), 0, '=', 'negotiating'],
    [
      98,
      'one of two volumes only created',
      secondary([good, 'Diskless'], 'peer Connected Secondary UpToDate DUnknown'),
      0,
      '-',
      'diskless',
    ],
  ];
  test.each(rows)('drbd#%i %s', async (_number, _situation, state, code, score, attribute) => {
    expect(await look({ generation: 8, ...(state && { state }) })).toEqual({ code, score, state: attribute });
  });

  const halfway = primary(
    [`${good} Primary`, `${good} Secondary`],
    'peer Connected Secondary UpToDate UpToDate',
  );
  test.each([
    [
      'drbd#90 split brain',
      primary([good], 'peer StandAlone Unknown DUnknown'),
      'StandAlone: split brain, or',
    ],
    ['drbd#99 promoted halfway', halfway, 'volume 1 is still Secondary although the resource is Primary'],
  ])('%s: the answer of a Primary, and a line for its operator', async (_what, state, line) => {
    const { code, score, lines } = await act('monitor', { generation: 8, state });
    expect({ code, score }).toEqual({ code: 8, score: '10000' });
    expect(lines).toEqual([expect.stringContaining(line)]);
  });
  test('drbd#87 two Primaries, as the cluster wants it', async () => {
    const state = primary([good], 'peer Connected Primary UpToDate');
    const env = meta('promoted_max', '2');
    expect(await look({ generation: 8, state, env })).toMatchObject({ code: 8, score: '10000' });
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
  test.each(rows.filter(([, , state]) => state))(
    'drbd#%i %s: no command where debugfs names the minors',
    async (_number, _what, state, code, score, attribute) => {
      const drbd = new FakeDrbd({ generation: 8, ...(state && { state }) });
      mapped(drbd, ...(state?.devices ?? []).map(() => 'r0'));
      expect(await look(drbd)).toEqual({ code, score, state: attribute });
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
    expect(await look(drbd)).toMatchObject({ code: 8, score: '10000' });
  });
  test('drbd#84,100 neither answers: unknown is not stopped', async () => {
    const drbd = new FakeDrbd({ generation: 8 }).answer('drbdsetup', { code: 20 });
    expect(await look(drbd)).toEqual({ code: 1, score: '=', state: '=' });
  });
});

test('drbd#101 three nodes are too many for 8.4', async () => {
  const { code, reason } = await act('start', { generation: 8, env: meta('clone_max', '3') });
  expect(code).toBe(6);
  expect(reason).toContain('for two nodes only: clone-max=3 needs DRBD 9');
});
