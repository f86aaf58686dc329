import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Call } from '../../../../cli/command.ts';
import { history, historyData, historyScreen } from '../../../../cli/history/command.ts';
import { type Event, merged } from '../../../../cli/history/event.ts';
import { gatherHistory } from '../../../../cli/history/gather.ts';
import { type Incident, incidentsIn, mainIncident, serviceParts } from '../../../../cli/history/incidents.ts';
import { incidentSentence } from '../../../../cli/history/sentence.ts';
import { readSince } from '../../../../cli/history/since.ts';
import { historyWords } from '../../../../cli/history/words.ts';
import { envelope } from '../../../../cli/output/json.ts';
import { envelopeShape } from '../../../../cli/output/schema.ts';
import { terminalFor } from '../../../../cli/output/terminal.ts';
import { hostOn } from '../../../../lib/host/host.ts';
import { acted, actedWith, fencedBy, nodeIs, second, startsOn, stopsOn } from '../../../fake/alerts.ts';
import { type Captured, captured } from '../../../fake/captured.ts';

process.env['TZ'] = 'UTC';
const terminal = terminalFor({ LANG: 'C.UTF-8' }, { isTTY: false });
const now = second('14:30:00') * 1000;
const hourAgo = now - 3_600_000;

/** What a node of the captured pair tells when its alert log says this. */
async function told(log: string | null, change: (one: Captured) => void = () => {}) {
  const one = captured('healthy.node2');
  if (log !== null) one.machine.files.set('/var/lib/tsha/events.jsonl', log);
  one.machine.on('ssh', () => ({ code: 255, stderr: 'Permission denied (publickey).' }));
  one.machine.on('find', () => '');
  change(one);
  const found = await gatherHistory(hostOn(one.machine, 60_000), hourAgo);
  const incidents = incidentsIn(found.events, serviceParts(found.cib));
  const data = envelope({
    ...{ kind: 'history', time: now, node: found.node, findings: [] },
    data: historyData(found, incidents),
  });
  expect(envelopeShape.parse(data)).toEqual(data);
  for (const language of ['en', 'zh'] as const)
    expect(historyScreen(found, incidents, { ...terminal, language }, now).join('\n')).not.toMatch(
      /\{\w+\}|undefined|NaN/,
    );
  return { ...found, incidents, screen: historyScreen(found, incidents, terminal, now) };
}
const sentences = (incidents: readonly Incident[]) =>
  incidents.map((one) => incidentSentence(one, historyWords('en')));

describe('stories', () => {
  test.each([
    [
      'a move in order',
      stopsOn('node1') + startsOn('node2'),
      '10.77.0.20 moved from node1 to node2; away for 12.9 s',
      { cause: 'move' },
    ],
    [
      'a node that dies, and is not fenced',
      nodeIs('13:58:05.000', 'node1', 'lost') + startsOn('node2'),
      'node1 was lost; 10.77.0.20 went from node1 to node2, away for at least 10.0 s',
      { cause: 'node-lost', node: 'node1' },
    ],
    [
      'a node that dies, and is fenced',
      nodeIs('13:58:05.000', 'node1', 'lost') +
        fencedBy('13:58:07.000', 'node1', 'node2') +
        startsOn('node2'),
      'node1 was lost; 10.77.0.20 went from node1 to node2, away for at least 10.0 s',
      { cause: 'node-lost' },
    ],
    [
      'a node that is shut down',
      stopsOn('node1') + nodeIs('13:58:08.700', 'node1', 'lost') + startsOn('node2'),
      '10.77.0.20 moved from node1 to node2; away for 12.9 s',
      { cause: 'move' },
    ],
    [
      'a standby node that dies',
      nodeIs('13:58:05.000', 'node1', 'lost'),
      'node1 was lost',
      { cause: 'node-lost', pauses: [] },
    ],
    [
      'a monitor fails, and the resource comes back',
      actedWith('13:58:00.000', 'node2', 'nfs_ip', 'monitor', 7, '10.77.0.20 is not configured') +
        acted('13:58:00.500', 'node2', 'nfs_ip', 'stop', 100) +
        acted('13:58:01.500', 'node2', 'nfs_ip', 'start', 300),
      'nfs_ip failed on node2: 10.77.0.20 is not configured; 10.77.0.20 came back on node2, away for at least 1.5 s',
      { cause: 'failure', resource: 'nfs_ip', reason: '10.77.0.20 is not configured' },
    ],
    [
      'a stop fails, and the node is fenced',
      actedWith('13:58:00.000', 'node1', 'NFS', 'stop', 1, '/nfsdata is busy: tar (4711)') +
        nodeIs('13:58:05.000', 'node1', 'lost') +
        fencedBy('13:58:06.000', 'node1', 'node2') +
        startsOn('node2'),
      'NFS failed on node1: /nfsdata is busy: tar (4711); 10.77.0.20 went from node1 to node2, away for at least 15.0 s',
      { cause: 'failure' },
    ],
    [
      'what does not come back',
      stopsOn('node1') + actedWith('13:58:09.000', 'node2', 'Data', 'promote', 1, 'data has no peer'),
      'Data failed on node2: data has no peer; not seen to come back by 13:58:09',
      { cause: 'failure' },
    ],
    ['a start', startsOn('node2'), '10.77.0.20 came up on node2', { cause: 'start' }],
    [
      'a split brain',
      JSON.stringify({
        v: 1,
        at: second('13:58:00'),
        seq: 1,
        kind: 'split-brain',
        node: 'node2',
        resource: 'data',
      }),
      'split brain of data, found by node2',
      { cause: 'split-brain' },
    ],
  ] as const)('%s', async (_, log, sentence, facts) => {
    const { incidents } = await told(log);
    expect(incidents).toMatchObject([facts]);
    expect(sentences(incidents)).toEqual([sentence]);
  });

  test('what lies a minute apart are two; the report is about the last one that matters', async () => {
    const log = stopsOn('node1') + startsOn('node2') + acted('14:10:00', 'node1', 'Data', 'start', 900);
    const { incidents } = await told(log);
    expect(incidents.map(({ cause }) => cause)).toEqual(['move', 'start']);
    expect(mainIncident(incidents)?.cause).toBe('move');
  });

  test('a story that had begun before is told from its beginning', async () => {
    const log = nodeIs('13:29:50', 'node1', 'lost') + acted('13:30:20', 'node2', 'nfs_ip', 'start', 300);
    const { incidents } = await told(log);
    expect(incidents).toMatchObject([{ cause: 'node-lost', node: 'node1', pauses: [{ ms: 30_000 }] }]);
  });

  test('what was before that time is left out', async () => {
    const { events } = await told(acted('10:00:00', 'node1', 'NFS', 'stop', 10));
    expect(events).toEqual([]);
  });
});

describe('the screen', () => {
  test('what was done, in order, with its reasons', async () => {
    const log =
      actedWith('13:58:00', 'node1', 'nfs_ip', 'monitor', 7, '10.77.0.20 is not\x1b[31m there') +
      stopsOn('node1');
    const { screen } = await told(log + startsOn('node2'));
    const text = screen.join('\n');
    expect(text).toMatch(
      /Sun 13:57:59 {2}nfs_ip failed on node1: 10\.77\.0\.20 is not�\[31m there; 10\.77\.0\.20 went from node1 to node2/,
    );
    expect(text).toMatch(
      /13:58:02\.500 {2}node1 {2}nfs_ip +stop +0\.40 s\n[\s\S]*13:58:15\.000 {2}node2 {2}nfs_ip +start/,
    );
    expect(text).toMatch(/13:58:00\.000 {2}node1 {2}nfs_ip +monitor +0\.10 s {2}failed: 10\.77/);
    expect(text).toMatch(/Told by: the alert log of node2 \(\d+\)/);
    expect(text).toContain('Not told: node1: Permission denied');
  });

  test('nothing', async () => {
    const { screen } = await told('');
    expect(screen[0]).toMatch(/^Nothing has happened since 13:30:00/);
  });
});

describe('sources', () => {
  const events = (list: readonly Event[]) =>
    list.map(({ node, resource, action, source }) => [node, resource, action, source].join(' '));
  const at = (machine: Captured): number => machine.time - 7_200_000;

  test("without an alert the cluster's own record tells, in its order and whole seconds", async () => {
    const one = captured('failed.node2');
    one.machine.on('ssh', () => ({ code: 255, stderr: 'no' }));
    const found = await gatherHistory(hostOn(one.machine, 60_000), at(one));
    const list = found.events
      .filter(({ node }) => node === 'node2')
      .map(({ resource, action }) => `${resource} ${action}`);
    expect(list).toEqual([
      'Data promote',
      'NFS start',
      'nfs-daemon start',
      'nfs-root start',
      'nfs_ip monitor',
      'nfs_ip start',
      'nfs-notify start',
    ]);
    expect(found.events.find(({ failed }) => failed)).toMatchObject({
      reason: '10.77.0.20 is not configured',
      exact: false,
      code: 7,
    });
    expect(found.events.find(({ resource }) => resource === 'nfs-daemon')).toMatchObject({
      ms: 9666,
      queuedMs: 11,
    });
    expect(found.sources).toMatchObject([
      { what: 'alert-log', why: expect.stringMatching(/no alert log/) },
      { what: 'other-node', node: 'node1', why: 'no' },
      { what: 'cib', why: null },
      { what: 'transitions', why: expect.stringMatching(/find/) },
    ]);
  });

  test('the other node tells its own, and what both know is told once', async () => {
    const own = stopsOn('node1') + startsOn('node2');
    const there = captured('healthy.node1');
    there.machine.files.set('/var/lib/tsha/events.jsonl', stopsOn('node1'));
    const { events: all, sources } = await told(startsOn('node2'), ({ machine }) => {
      machine.on('ssh', async (args) => {
        expect(args.join(' ')).toContain(`tsha node events ${hourAgo - 600_000}`);
        const theirs = await gatherHistory(hostOn(there.machine, 60_000), hourAgo);
        return JSON.stringify({ events: theirs.events });
      });
    });
    expect(all.filter(({ source }) => source === 'alert')).toHaveLength(own.trim().split('\n').length);
    expect(sources.find(({ what }) => what === 'other-node')).toMatchObject({
      node: 'node1',
      why: null,
      events: 6,
    });
  });

  test("what Pacemaker's decisions were made on tells of a node that is dead", async () => {
    const cib = (await captured('failed.node2').machine.run({ argv: ['cibadmin', '--query'], timeoutMs: 1 }))
      .stdout;
    const { events: all } = await told('', ({ machine }) => {
      machine.on(
        'find',
        () => `${(now - 60_000) / 1000}.5 pe-input-7.bz2\n${(hourAgo - 3_600_000) / 1000} pe-input-1.bz2\n`,
      );
      machine.on('crm_simulate', (args) => {
        expect(args.join(' ')).toContain('pe-input-7.bz2');
        const file =
          args.find((word) => word.startsWith('--save-input='))?.slice('--save-input='.length) ?? '';
        writeFileSync(file, cib.replace(/last-rc-change="(\d+)"/g, `last-rc-change="${now / 1000 - 600}"`));
        return '';
      });
    });
    expect(events(all)).toContain('node1 Data start transition');
    expect(events(all)).toContain('node2 nfs_ip monitor transition');
  });

  const event: Event = {
    ...{ at: 1000, beganAt: 900, exact: true, kind: 'action', node: 'a', resource: 'r', action: 'start' },
    ...{
      failed: false,
      code: 0,
      ms: 100,
      queuedMs: null,
      what: 'ok',
      reason: '',
      source: 'alert',
      call: null,
    },
  };
  test.each<readonly [string, Partial<Event>, number]>([
    ['the CIB has the reason', { at: 2000, exact: false, source: 'cib', reason: 'why', call: 7 }, 1],
    [
      'a monitor that hung, of which the CIB has a moment between',
      { at: 500, beganAt: 500, exact: false, source: 'cib' },
      1,
    ],
    ['another action', { action: 'stop' }, 2],
    ['another node', { node: 'b' }, 2],
    ['another end', { code: 1 }, 2],
    ['later', { at: 60_000, beganAt: 59_900, exact: false, source: 'cib' }, 2],
    ['once more, told by the same log', { at: 1500 }, 2],
  ])('%s', (_, other, count) => {
    const all = merged([event], [{ ...event, ...other }]);
    expect(all).toHaveLength(count);
    if (other.reason) expect(all[0]).toMatchObject({ at: 1000, exact: true, reason: 'why', call: 7 });
  });

  test('a node that both logs tell of was lost once', () => {
    const gone: Event = { ...event, kind: 'node', action: 'lost', resource: null, code: null };
    expect(merged([gone], [{ ...gone, at: 1700 }])).toHaveLength(1);
  });

  test('nobody tells anything: 3, and why', async () => {
    const one = captured('healthy.node2');
    for (const program of ['cibadmin', 'find', 'ssh'])
      one.machine.on(program, () => ({ code: 127, missing: true }));
    const call = { host: hostOn(one.machine, 60_000), terminal, json: false, quiet: false } as Call;
    await expect(history(call, { since: '1h' })).rejects.toThrow(
      /nobody could tell what happened: .*cibadmin/,
    );
    await expect(history(call, { since: 'yesterday' })).rejects.toThrow(/--since takes/);
  });
});

test.each<readonly [string, string | null]>([
  ['90s', '14:28:30'],
  ['10m', '14:20:00'],
  ['2h', '12:30:00'],
  ['14:00', '14:00:00'],
  ['2026-11-29', '00:00:00'],
  ['2026-11-29 13:00', '13:00:00'],
  ['2026-11-29T13:00:05', '13:00:05'],
  ['', null],
  ['1', null],
  ['1y', null],
  ['25:00', null],
  ['2026-13-01', null],
  ['-1h', null],
  [`${'9'.repeat(50)}s`, null],
])('--since=%s', (text, expected) => {
  expect(readSince(text, now)).toBe(expected === null ? null : second(expected) * 1000);
});
test('a time of day that is to come was yesterday', () => {
  expect(readSince('23:00', now)).toBe(second('23:00:00') * 1000 - 86_400_000);
});
