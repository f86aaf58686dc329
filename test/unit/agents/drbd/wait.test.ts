import { describe, expect, test } from 'vitest';
import { FakeDrbd } from '../../../fake/drbd.ts';
import {
  act,
  away,
  betaPrimary,
  busy,
  good,
  isPrimary,
  isSecondary,
  noData,
  primary,
  secondary,
  timeout,
} from '../../../fake/drbd-actions.ts';

// Actions wait for what DRBD tells, not for the next second.

const refused = {
  code: 11,
  stderr: '0: State change failed: (-1) Multiple primaries not allowed by config\n',
};

/** What becomes of the resource after that many milliseconds. */
const later = (drbd: FakeDrbd, after: number, happen: () => void) => {
  let done = false;
  drbd.machine.onTick = (clock) => {
    if (done || clock < after) return;
    done = true;
    happen();
  };
  return drbd;
};

const attempts = (drbd: FakeDrbd, command: string) => drbd.did.filter((line) => line === command).length;

describe('promote', () => {
  test.each([
    ['DRBD 9', 9, 'beta'],
    ['DRBD 8.4', 8, 'peer'],
  ] as const)(
    '%s: tried again within milliseconds of the peer’s demotion',
    async (_what, generation, peer) => {
      const state = secondary([good], betaPrimary.replace('beta', peer));
      const drbd = new FakeDrbd({ generation, state, env: timeout(90_000) });
      drbd.answer('drbdadm primary', () => (drbd.state === state ? refused : undefined));
      later(drbd, 7310, () => {
        drbd.state = secondary([good], `${peer} Connected Secondary UpToDate`);
      });
      const { code, lines } = await act('promote', drbd);
      expect(code).toBe(0);
      expect(drbd.machine.clock - 7310).toBeLessThan(50);
      expect(lines).toEqual([expect.stringMatching(/^promoting r0 took 7 s: .*Multiple primaries/)]);
    },
  );

  test('a peer that stays Primary is told of while there is still time to do something', async () => {
    const drbd = new FakeDrbd({ state: secondary([good], betaPrimary), env: timeout(90_000) });
    drbd.answer('drbdadm primary', () => refused);
    const { code, lines } = await act('promote', drbd);
    expect(code).toBe(1);
    expect(lines.filter((line) => line.includes('yet'))).toEqual([
      expect.stringMatching(/^r0 is not promoted yet, after 10 s: .*Multiple primaries/),
    ]);
  });

  test('for want of data: not tried again before something has changed', async () => {
    const state = secondary(['Consistent'], away);
    const drbd = new FakeDrbd({ state, env: timeout(90_000) });
    drbd.answer('drbdadm primary', () => (drbd.state === state ? noData : undefined));
    later(drbd, 9000, () => {
      drbd.state = isSecondary;
    });
    expect((await act('promote', drbd)).code).toBe(0);
    expect(drbd.machine.clock).toBeLessThan(9050);
    expect(attempts(drbd, 'drbdadm primary r0')).toBe(2);
  });

  test('for want of data, after a fence-peer handler that took its time: not another 15 seconds', async () => {
    const drbd = new FakeDrbd({ state: secondary(['Consistent'], away), env: timeout(120_000) });
    drbd.answer('drbdadm primary', () => {
      drbd.machine.clock += 90_000;
      return noData;
    });
    expect((await act('promote', drbd)).code).toBe(1);
    expect(drbd.machine.clock).toBeLessThan(92_000);
  });
});

describe('without anything to wait for there is no pause and nothing is followed', () => {
  test.each([
    ['promote', isSecondary],
    ['demote', isPrimary],
    ['stop', isPrimary],
    ['start', isSecondary],
  ] as const)('%s', async (action, state) => {
    const drbd = new FakeDrbd({ state });
    expect((await act(action, drbd)).code).toBe(0);
    expect(drbd.machine.clock).toBe(0);
    expect(drbd.machine.journal.filter((line) => line.startsWith('follow'))).toEqual([]);
  });
});

test('start: a disk that is negotiating is given the time to say what it is', async () => {
  const negotiating = secondary(['Negotiating'], 'beta Connected Secondary Consistent');
  const drbd = new FakeDrbd({ configured: negotiating });
  later(drbd, 700, () => {
    drbd.state = isSecondary;
  });
  expect(await act('start', drbd)).toMatchObject({ code: 0, score: '10000' });
  expect(drbd.machine.clock).toBeLessThan(750);
});

test('start, DRBD 8.4: two volumes do not wait twice for a peer that is away', async () => {
  const configured = secondary([good, good], 'peer Connecting Unknown DUnknown DUnknown');
  const drbd = new FakeDrbd({ generation: 8, configured }).answer('drbdsetup wait-connect', { code: 5 });
  const { code, did } = await act('start', drbd);
  expect(code).toBe(0);
  expect(did.filter((line) => line.includes('wait-connect'))).toHaveLength(1);
});

describe('a device that is held open for a moment', () => {
  test.each(['demote', 'stop'])('%s: tried again soon, then once a second', async (action) => {
    const drbd = new FakeDrbd({ state: isPrimary, env: timeout(90_000) });
    drbd.answer('drbdadm secondary', (times) => (times < 2 ? busy : undefined));
    expect((await act(action, drbd)).code).toBe(0);
    expect(drbd.machine.clock).toBeLessThan(250);

    const stuck = new FakeDrbd({ state: isPrimary, env: timeout(90_000) }).answer('drbdadm secondary', busy);
    expect((await act(action, stuck)).code).toBe(1);
    expect(attempts(stuck, 'drbdadm secondary r0')).toBeLessThan(95);
  });
  test('the follower is ended with the action', async () => {
    const drbd = new FakeDrbd({ state: isPrimary });
    drbd.answer('drbdadm secondary', (times) => (times < 2 ? busy : undefined));
    await act('demote', drbd);
    expect(drbd.machine.journal.filter((line) => line.includes('follow'))).toEqual([
      'follow drbdsetup events2 r0',
      'unfollow drbdsetup events2 r0',
    ]);
  });
});

test('progress of a resync and promotion numbers are no reason to look', async () => {
  const state = primary([good], 'beta Connected Secondary UpToDate');
  const drbd = new FakeDrbd({ state, env: timeout(20_000) }).answer('drbdadm secondary', busy);
  let last = 0;
  drbd.machine.onTick = (clock) => {
    if (clock === last) return;
    last = clock;
    drbd.machine.events.push('change peer-device name:r0 peer-node-id:1 volume:0 done:12.5\n');
    drbd.machine.events.push('change resource name:r0 may_promote:no promotion_score:10101\n');
  };
  await act('demote', drbd);
  expect(attempts(drbd, 'drbdadm secondary r0')).toBeLessThan(25);
});
