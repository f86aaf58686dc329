import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { splitBrainIn } from '../../../../lib/host/drbd/split-brain.ts';
import { FakeDrbd } from '../../../fake/drbd.ts';
import { act, away, good, isPrimary, param, primary } from '../../../fake/drbd-actions.ts';

const degraded = param('report_degraded', 'true');
const isStandalone = primary([good], 'beta StandAlone Unknown DUnknown');

describe('split brain', () => {
  const captured = (file: string) =>
    readFileSync(join(import.meta.dirname, '../../../fixtures/drbd', file), 'utf8');
  const alone = (peer: string) => ({
    ...primary([good], `${peer} StandAlone Unknown DUnknown`),
    name: 'data',
  });
  test.each([
    ['drbd84', 'peer', 'peer'],
    ['drbd9', 'node2', 'node1'],
  ])('%s: both nodes’ kernel logs tell it', (folder, ...peers) => {
    for (const [index, peer] of peers.entries()) {
      const log = captured(`${folder}/splitbrain-node${index + 1}.dmesg.txt`);
      expect(splitBrainIn(log, alone(peer)).unresolved).toHaveLength(1);
    }
  });

  test('drbd84: the data generations that the kernel compared', () => {
    expect(
      splitBrainIn(captured('drbd84/splitbrain-two-primaries.dmesg.txt'), alone('peer')).unresolved,
    ).toEqual([{ peer: '', here: '52BC58A62686EF39', there: '075DFAAEF2AA5AC3' }]);
  });

  const prefix = 'drbd r0/0 drbd0 beta:';
  const refusal = [
    `[ 82.13] ${prefix} drbd_sync_handshake:`,
    `[ 82.13] ${prefix} self 3A8FC25629AB1D88:66049B3238942407:2FAD0D9E170E4108:1EF1D72ECA4FD86E bits:100 flags:0`,
    `[ 82.13] ${prefix} peer 1D4A6DE8ACDA22E0:66049B3238942407:2FAD0D9E170E4108:1EF1D72ECA4FD86E bits:200 flags:0`,
    `[ 82.25] ${prefix} Split-Brain detected but unresolved, dropping connection!`,
    '[ 82.29] drbd r0 beta: conn( Disconnecting -> StandAlone ) [disconnected]',
  ].join('\n');
  test('data generations of both sides', () => {
    expect(splitBrainIn(refusal, isStandalone).unresolved).toEqual([
      { peer: 'beta', here: '3A8FC25629AB1D88', there: '1D4A6DE8ACDA22E0' },
    ]);
  });
  test.each([
    ['another resource', refusal.replaceAll('r0', 'r00').replaceAll('drbd0', 'drbd7')],
    ['solved since, DRBD 9', `${refusal}\n[ 99.1] ${prefix} repl( Off -> WFBitMapS )`],
    [
      'solved since, 8.4',
      `${refusal.replaceAll(' beta:', ':')}\n[ 99.1] block drbd0: conn( WFReportParams -> WFBitMapT )`,
    ],
    [
      'solved since, by DRBD 9 after 8.4 in the same boot',
      `${refusal.replaceAll(' beta:', ':')}\n[ 99.1] ${prefix} repl( Off -> WFBitMapS )`,
    ],
    ['nothing', ''],
  ])('not for %s', (_what, log) => {
    expect(splitBrainIn(log, isStandalone).unresolved).toEqual([]);
  });

  test('a node that is called like a device is a peer like any other', () => {
    const between = (peer: string) => refusal.replaceAll(' beta:', ` ${peer}:`);
    const state = primary([good], 'drbd2 StandAlone Unknown DUnknown', 'drbd3 Connecting Unknown DUnknown');
    const log = `${between('drbd2')}\n[ 99.1] drbd r0/0 drbd0 drbd3: repl( Off -> WFBitMapS )`;
    expect(splitBrainIn(log, state).unresolved).toMatchObject([{ peer: 'drbd2' }]);
  });

  test('drbd#11 the log, the attribute and the reason say so, with what to do', async () => {
    const drbd = new FakeDrbd({ state: isStandalone, env: degraded }).answer('dmesg', refusal);
    const result = await act('monitor', drbd);
    expect(result).toMatchObject({ code: 191, state: 'split-brain', score: '10000' });
    expect(result.reason).toMatch(
      /^split brain with beta: data went two ways \(generation 3A8F\w+ here, 1D4A/,
    );
    expect(result.lines.join()).toContain('drbdadm connect --discard-my-data r0');
    await act('monitor', drbd);
    expect(drbd.machine.ran.filter((line) => line === 'dmesg')).toHaveLength(1);
    drbd.state = isPrimary;
    expect((await act('monitor', drbd)).state).toBe('connected');
  });
  const at = (drbd: FakeDrbd, second: number) => {
    drbd.machine.files.set('/proc/uptime', `${second}.00 1.00\n`);
    return act('monitor', drbd);
  };
  test('a connection that was mended and lost again between two monitors', async () => {
    const drbd = new FakeDrbd({ state: isStandalone });
    expect((await at(drbd, 100)).state).toBe('standalone');
    drbd.answer('dmesg', refusal);
    await at(drbd, 110);
    expect((await at(drbd, 160)).state).toBe('split-brain');
  });
  test('D11 the side that goes on connecting looks with its second monitor: the first has more urgent things to do', async () => {
    const drbd = new FakeDrbd({ state: primary([good], away) }).answer('dmesg', refusal);
    expect((await at(drbd, 100)).state).toBe('connecting');
    expect(await at(drbd, 160)).toMatchObject({
      state: 'split-brain',
      lines: [
        expect.stringMatching(
          /split brain with beta: .* Primary and Connecting here; .*: drbdadm disconnect r0; drbdadm connect --discard-my-data r0; .*: drbdadm connect r0$/,
        ),
      ],
    });
  });
  const gamma = (text: string) => refusal.replaceAll(' beta', ` ${text}`);
  test('D11 the nodes meet more than a minute after the link was lost: told with the next monitor', async () => {
    const drbd = new FakeDrbd({ state: primary([good], away) });
    for (let second = 100; second < 600; second += 20)
      expect((await at(drbd, second)).state).toMatch(/connecting|=/);
    drbd.answer('dmesg', refusal);
    expect((await at(drbd, 600)).state).toBe('split-brain');
    const looks = () => drbd.machine.ran.filter((line) => line === 'dmesg').length;
    const before = looks();
    await at(drbd, 620);
    expect(looks()).toBe(before);
  });
  test('D11 a notification that connects anew does not turn it back, also when the log has been overwritten', async () => {
    const drbd = new FakeDrbd({ state: isStandalone }).answer('dmesg', refusal);
    await at(drbd, 100);
    drbd.answer('dmesg', '');
    drbd.state = primary([good], away);
    const { lines } = await at(drbd, 110);
    expect(drbd.attributes.get('tsha-drbd-r0')).toBe('split-brain');
    expect(lines.join()).toContain('drbdadm disconnect r0; drbdadm connect --discard-my-data r0');
    drbd.state = isPrimary;
    expect((await at(drbd, 120)).state).toBe('connected');
    drbd.state = primary([good], away);
    for (const second of [130, 140]) expect((await at(drbd, second)).state).toBe('connecting');
  });
  test('D11 they met again since, and the peer is lost once more: no split brain', async () => {
    const drbd = new FakeDrbd({ state: isStandalone }).answer('dmesg', refusal);
    await at(drbd, 100);
    drbd.answer('dmesg', `${refusal}\n[ 105.1] ${prefix} repl( Off -> WFBitMapS )`);
    drbd.state = primary([good], away);
    expect((await at(drbd, 110)).state).toBe('connecting');
  });
  test('D11 with several peers the command names the one', async () => {
    const both = primary([good], 'beta Connected Secondary UpToDate', 'gamma StandAlone Unknown DUnknown');
    const drbd = new FakeDrbd({ state: both }).answer('dmesg', gamma('gamma'));
    expect((await at(drbd, 100)).lines.join()).toContain('drbdadm connect --discard-my-data r0:gamma');
  });

  test('three nodes: the peer that is connected does not speak for the one that is not', async () => {
    const reunion = '[ 99.1] drbd r0/0 drbd0 gamma: repl( Off -> Established )';
    expect(splitBrainIn(`${refusal}\n${reunion}`, isStandalone).unresolved).toHaveLength(1);
    const other = primary([good], 'beta Connected Secondary UpToDate', 'gamma StandAlone Unknown DUnknown');
    expect(splitBrainIn(refusal, other).unresolved).toEqual([]);
    const both = primary([good], 'beta StandAlone Unknown DUnknown', 'gamma Connecting Unknown DUnknown');
    const { lines } = await act('monitor', new FakeDrbd({ state: both }).answer('dmesg', refusal));
    expect(lines.join()).toMatch(/^r0: split brain with beta: .*; connection to gamma is Connecting$/);
  });

  const solution = refusal.replace(
    'Split-Brain detected but unresolved, dropping connection!',
    'Split-Brain detected, 1 primaries, automatically solved. Sync from this node',
  );
  test.each([
    ['this node', 'what the peer wrote'],
    ['peer node', 'what this node wrote'],
  ])(
    'solved by a policy in favour of %s: told once, when the peers are together again',
    async (node, words) => {
      const drbd = new FakeDrbd({ state: primary([good], away) });
      await at(drbd, 60);
      drbd.answer('dmesg', solution.replace('this node', node));
      drbd.state = isPrimary;
      const lines = [...(await at(drbd, 90)).lines, ...(await at(drbd, 100)).lines];
      expect(lines.filter((line) => line.includes('solved a split brain'))).toEqual([
        expect.stringContaining(words),
      ]);
    },
  );
  test('solved before the peer was lost: old news', async () => {
    const drbd = new FakeDrbd({ state: primary([good], away) }).answer('dmesg', solution);
    await at(drbd, 200);
    drbd.state = isPrimary;
    expect((await at(drbd, 210)).lines).toEqual(['r0: connected to every peer, all data UpToDate']);
  });
});
