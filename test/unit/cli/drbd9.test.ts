import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connectionsOf, discardLine } from '../../../cli/commands/reunite.ts';
import { proposal, splitsIn } from '../../../cli/commands/sides.ts';
import { gather } from '../../../cli/facts/gather.ts';
import { findingsNow } from '../../../cli/findings/now.ts';
import { statusScreen } from '../../../cli/output/status-screen.ts';
import { terminalFor } from '../../../cli/output/terminal.ts';
import { hostOn } from '../../../lib/host/host.ts';
import { captured } from '../../fake/captured.ts';

process.env['TZ'] = 'UTC';
const terminal = terminalFor({ LANG: 'C.UTF-8' }, { isTTY: false });
const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../fixtures/drbd/drbd9', name), 'utf8');

/** The lab's cluster, served by `node`, with what a DRBD 9 printed in place of its own; its peer is the other one's name there. */
async function seen(state: string, log?: string, node: 'node1' | 'node2' = 'node2') {
  const { machine, time } = captured(`healthy.${node}`);
  machine.files.set('/proc/drbd', fixture('proc-drbd.txt'));
  machine.on('drbdsetup', () => fixture(`${state}.events2.txt`));
  if (log !== undefined) machine.on('dmesg', () => fixture(log));
  const facts = await gather(hostOn(machine, 60_000), time);
  const findings = findingsNow(facts);
  const [first = ''] = statusScreen(facts, findings, terminal);
  return { facts, first, codes: [...new Set(findings.map(({ code }) => code))] };
}

const well = /^lab {2}OK .*with a second copy/;
const alone = /^lab {2}DEGRADED .*without a second copy/;
const heldUp = /^lab {2}DOWN {2}node2 has 10\.77\.0\.20, but clients wait/;

// biome-ignore format: a table
describe('status of what DRBD 9 printed', () => {
  test.each([
    ['cluster-primary',                           well,   []],
    ['cluster-secondary',                         well,   []],
    ['primary-uptodate',                          well,   []],
    ['primary-uptodate-mounted',                  well,   []],
    ['secondary-uptodate-both',                   well,   []],
    ['secondary-uptodate-peer-primary',           well,   []],
    ['v2-verify-source',                          well,   []],
    ['v2-verify-target',                          well,   []],
    ['q3-primary-all',                            well,   []],
    ['q3-primary-quorum-regained',                well,   []],
    ['q3-secondary-all',                          well,   []],
    ['q3-tiebreaker',                             well,   []],
    ['q3-secondary-link-loss-not-noticed-yet',    well,   []],
    ['down',                                      heldUp, ['DRBD_DOWN']],
    ['unconfigured',                              heldUp, ['DRBD_DOWN']],
    ['primary-connecting-peer-unknown',           alone,  ['DISCONNECTED']],
    ['primary-standalone-by-disconnect',          alone,  ['STANDALONE']],
    ['primary-diskless',                          alone,  ['DISK_LOST']],
    ['primary-peer-diskless',                     alone,  ['DISK_LOST']],
    ['primary-syncsource',                        alone,  ['SYNCING']],
    ['primary-pausedsyncs',                       alone,  ['SYNC_PAUSED']],
    ['primary-suspended-user',                    heldUp, ['WRITES_SUSPENDED']],
    ['q3-primary-node2-gone',                     alone,  ['DISCONNECTED']],
    ['q3-primary-quorum-lost-suspended',          heldUp, ['WRITES_SUSPENDED', 'DRBD_QUORUM_LOST', 'DISCONNECTED']],
    ['q3-primary-quorum-lost-io-error',           alone,  ['DRBD_QUORUM_LOST', 'DISCONNECTED']],
    ['q3-secondary-isolated-no-quorum',           alone,  ['DRBD_QUORUM_LOST', 'DISCONNECTED']],
    ['secondary-connecting-peer-down',            alone,  ['DISCONNECTED']],
    ['secondary-connecting-after-peer-disconnect', alone, ['COPY_OLD', 'DISCONNECTED']],
    ['secondary-outdated-connecting',             alone,  ['COPY_OLD', 'DISCONNECTED']],
    ['secondary-inconsistent-both',               alone,  ['COPY_OLD']],
    ['secondary-diskless',                        alone,  ['DISK_LOST']],
    ['secondary-synctarget',                      alone,  ['SYNCING']],
    ['secondary-pausedsynct',                     alone,  ['SYNC_PAUSED']],
    ['secondary-uptodate-peer-diskless-primary',  alone,  ['DISK_LOST']],
    ['v2-primary-no-data',                        heldUp, ['WRITES_SUSPENDED', 'DISK_LOST', 'DISCONNECTED']],
    ['v2-primary-one-volume-peer-diskless',       alone,  ['DISK_LOST']],
    ['v2-primary-suspended-fencing',              heldUp, ['WRITES_SUSPENDED', 'DISCONNECTED']],
    ['v2-secondary-volume0-syncsource',           alone,  ['SYNCING']],
  ] as const)('%s', async (state, first, codes) => {
    const status = await seen(state);
    expect(status.codes).toEqual(codes);
    expect(status.first).toMatch(first);
  });
});

describe('split brain on DRBD 9, of which one side may be left connecting', () => {
  test.each([
    ['node1', 'primary-standalone-splitbrain', 'splitbrain-node1.dmesg.txt'],
    ['node2', 'primary-connecting-splitbrain-other-side', 'splitbrain-node2.dmesg.txt'],
  ] as const)('%s', async (node, state, log) => {
    const { codes, facts } = await seen(state, log, node);
    expect(codes).toContain('SPLIT_BRAIN');
    const [split, ...others] = splitsIn(facts, 'data');
    expect(others).toEqual([]);
    if (!split) throw new Error('no split');
    const peer = node === 'node1' ? 'node2' : 'node1';
    expect(split.sides.map((side) => side.node)).toEqual([node, peer]);
    // connections have names, and only this one is touched
    expect(connectionsOf(split, peer)).toEqual({ ofVictim: `data:${node}`, ofSurvivor: `data:${peer}` });
    expect(proposal(split.sides)).toBeDefined();
    expect(discardLine(split, split.sides[1])).toBe(
      `tsha split-brain data:${peer} --discard=${peer} --confirm=${peer}`,
    );
    expect(splitsIn(facts, `data:${peer}`)).toEqual([split]);
    expect(() => splitsIn(facts, 'data:node7')).toThrow('no resource data:node7');
  });
});
