import { describe, expect, test } from 'vitest';
import { detectionTable } from '../../../bench/detection.ts';
import {
  type Failover,
  failoverTable,
  verdicts as failoverVerdicts,
  type Pair,
} from '../../../bench/failover.ts';
import { gantt } from '../../../bench/gantt.ts';
import { readOptions } from '../../../bench/options.ts';
import { pauseText } from '../../../bench/pause.ts';
import { picture } from '../../../bench/picture.ts';
import {
  type Contestant,
  contestants,
  countProcesses,
  figuresOf,
  median,
  type Round,
  sumOf,
} from '../../../bench/statistics.ts';
import { cells, headings, markdown, verdictLines } from '../../../bench/table.ts';
import { allMetadata, type Measured, verdicts, wholeStack } from '../../../bench/targets.ts';
import type { Granted, Pause } from '../../lab/scenarios/pause/pause.ts';
import { wishes } from '../../lab/workload/wishes.ts';

const round = (stock: number, native: number, script: number): Round => ({
  stock: { wall: stock, cpu: stock * 2 },
  native: { wall: native, cpu: native * 2 },
  script: { wall: script, cpu: script * 2 },
});

test.each([
  [[3], 3],
  [[5, 1, 3], 3],
  [[4, 1, 3, 2], 2.5],
])('the median of %j is %d', (values, middle) => {
  expect(median(values)).toBe(middle);
});

test('a ratio is that of the rounds: one in which the machine was busy does not count more', () => {
  const rounds = [round(10, 2, 10), round(100, 20, 100), round(10, 3, 10)];
  expect(figuresOf(rounds, 'native')).toEqual({ wall: 3, cpu: 6, wallRatio: 0.2, cpuRatio: 0.2 });
  expect(figuresOf(rounds, 'stock')).toMatchObject({ wall: 10, wallRatio: 1 });
});

test('a sum adds up what belongs to the same round', () => {
  const sum = sumOf([[round(1, 2, 3), round(4, 5, 6)], [round(10, 20, 30)]]);
  expect(sum).toEqual([round(11, 22, 33)]);
});

test('strace: programs beyond the agent itself, and processes without threads', () => {
  const trace = `1 execve("/agent", ["agent"], 0x7f /* 9 vars */) = 0
1 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f) = 2
2 execve("/no/where", ["x"], 0x7f) = -1 ENOENT (No such file or directory)
2 execve("/bin/x", ["x"], 0x7f <unfinished ...>
1 vfork( <unfinished ...>
2 <... execve resumed>) = 0
2 execve("/bin/x84", ["x"], 0x7f) = 0
1 execve("/program", ["program"], 0x7f) = 0
1 clone3({flags=CLONE_VM|CLONE_THREAD, child_tid=0x7f}, 88) = 3
1 <... vfork resumed>) = 4
1 fork() = -1 EAGAIN (Resource temporarily unavailable)
`;
  expect(countProcesses(trace)).toEqual({ commands: 1, processes: 3 });
  expect(countProcesses('')).toEqual({ commands: 0, processes: 1 });
});

const footprint = { peakKib: 20 * 1024, commands: 0, processes: 1 };
const row = (agent: string, action: string, ratio: number, more: Partial<Measured> = {}): Measured => {
  const figures = { wall: 1, cpu: 1, wallRatio: ratio, cpuRatio: ratio };
  const each = Object.fromEntries(contestants.map((who) => [who, figures]));
  return { agent, action, state: '', figures: each as Record<Contestant, typeof figures>, ...more };
};
const met = (measured: Measured) => verdicts(measured).map((verdict) => verdict.met);

describe('targets', () => {
  test.each([
    ['nfsserver', 0.25],
    ['Filesystem', 0.3],
    ['drbd', 0.3],
    ['IPaddr2', 0.35],
    ['exportfs', 0.6],
    ['nfsnotify', 1.3],
  ])('the monitor of %s costs at most %d of the stock agent', (agent, limit) => {
    expect(met(row(agent, 'monitor', limit))).toEqual([true, true]);
    expect(met(row(agent, 'monitor', limit + 0.01))).toEqual([false, false]);
  });

  test('a monitor executes nothing, drbd at most one command; a peak of 30 MiB; 1.25 bare Nodes', () => {
    const foot = (commands: number, mib: number) => {
      const native = { ...footprint, commands, peakKib: mib * 1024 };
      return { footprint: { stock: footprint, native, script: footprint } };
    };
    expect(met(row('exportfs', 'monitor', 0.1, foot(0, 30)))).toEqual([true, true, true, true]);
    expect(met(row('exportfs', 'monitor', 0.1, foot(1, 31)))).toEqual([true, true, false, false]);
    expect(met(row('drbd', 'monitor', 0.1, foot(1, 30)))).toEqual([true, true, true, true]);
    expect(met(row('drbd', 'monitor', 0.1, { bareNode: 0.8 }))).toEqual([true, true, true]);
    expect(met(row('drbd', 'monitor', 0.1, { bareNode: 0.79 }))).toEqual([true, true, false]);
  });

  test('sums', () => {
    expect(met(row(allMetadata, 'meta-data', 0.35))).toEqual([true, true]);
    expect(met(row(wholeStack, 'start', 0.41))).toEqual([false, false]);
  });
});

test('the table has a cell for every heading, and one mark for every promise', () => {
  const measured = row('drbd', 'monitor', 0.5, { bareNode: 1 });
  expect(cells(measured)).toHaveLength(headings.length);
  expect(cells(measured).at(-1)).toBe('✗✗✓');
  expect(markdown([measured]).split('\n')).toHaveLength(4);
  expect(verdictLines([measured])[0]).toBe('✗ drbd, monitor: wall, native / stock is 0.50, at most 0.3');
});

test('the picture is a document of its own with a bar for each contestant', () => {
  const svg = picture('a < b', [row('drbd', 'monitor', 0.5), row('IPaddr2', 'monitor', 0.5)]);
  expect(svg).toMatch(/^<svg xmlns=/);
  expect(svg).toContain('a &lt; b');
  expect(svg.match(/<rect /g)).toHaveLength(1 + contestants.length * 3);
  expect(svg).not.toContain('NaN');
});

const failover = (stalls: readonly number[], more: Partial<Failover> = {}): Failover => ({
  back: 10,
  stalls,
  errors: 0,
  lost: 0,
  locksKept: true,
  timeline: {
    since: 100,
    until: 110,
    actions: [
      { node: 'node2', action: 'notify', resource: 'Data', from: 99, to: 100.5 },
      { node: 'node1', action: 'stop', resource: 'nfs_ip', from: 101, to: 102 },
      { node: 'node2', action: 'start', resource: 'nfs_ip', from: 108, to: 109 },
      { node: 'node2', action: 'monitor', resource: 'later', from: 111, to: 112 },
    ],
  },
  ...more,
});
const pair = (native: Failover): Pair => ({
  event: 'standby',
  'stock-helped': failover([20, 28], { errors: 7, locksKept: false }),
  native,
});

describe('a failover', () => {
  test.each<[string, Failover, readonly boolean[]]>([
    ['half the pause and no error', failover([10, 14]), [true, true, true]],
    ['too long under one protocol', failover([10.1, 14]), [false, true, true]],
    ['an error', failover([5, 5], { errors: 1 }), [true, true, false]],
    ['a protocol that was not measured', failover([5]), [true, false, true]],
  ])('%s', (_, native, met) => {
    expect(failoverVerdicts(pair(native))).toEqual(met);
  });

  test('the table compares both', () => {
    const [, , line] = failoverTable([pair(failover([8, 7], { back: 5.5 }))]).split('\n');
    expect(line).toBe(
      '| standby | 1.0 s / 1.0 s | 10.0 s / 5.5 s | 0.55 | 9.0 s / 4.5 s | 0.50 | 20.0 s / 8.0 s | 0.40 | 28.0 s / 7.0 s | 0.25 | 7 / 0 | 0 / 0 | lost / kept | ✓✓✓ |',
    );
  });

  test('the chart has a bar for each action of its time, on one scale', () => {
    const long = { ...failover([]).timeline, until: 120 };
    const svg = gantt('a < b', [
      { title: 'short', timeline: failover([]).timeline },
      { title: 'long', timeline: long },
    ]);
    expect(svg).toContain('a &lt; b');
    const bars = [
      ...svg.matchAll(
        /<rect x="([\d.]+)" y="\d+" width="([\d.]+)" height="10" fill="#(7f8fa6|1f77b4|d0d4da)"/g,
      ),
    ];
    expect(bars).toHaveLength(2 + 3 + 3); // the legend's are as high; a notification has another colour
    expect(svg.match(/node1 stop nfs_ip/g)).toHaveLength(2);
    expect(svg).not.toContain('NaN');
  });
});

test.each([
  ['', undefined, undefined],
  ['--lab', true, undefined],
  ['--failover --out /tmp/x', undefined, true],
])('./build.sh bench %s', (words, lab, failover) => {
  const options = readOptions(words.split(' ').filter(Boolean));
  expect([options.lab, options.failover, options.rounds, options.scale]).toEqual([lab, failover, 7, true]);
});

describe('the pause of everything new', () => {
  const granted = { write: 5, open: 6, create: 6, lock: 17.5, mount: 7 };
  const pause = (factor: number): Pause => ({
    ...{ clients: 'NFSv3 only', event: 'move', acted: 0.2, address: 4, claimed: 5 },
    granted: { NFSv3: Object.fromEntries(wishes.map((wish) => [wish, granted[wish] * factor])) as Granted },
    ...{ nfsdGrace: undefined, lockdGrace: { from: 3, to: 13 } },
    ...{ resync: 2, resyncedKb: 8, errors: 0, lost: [] },
  });
  const text = pauseText([
    { clients: 'NFSv3 only', event: 'move', 'stock-helped': pause(2), native: pause(1) },
    { clients: 'NFSv3 only', event: 'kill -9', native: pause(1) },
  ]);
  const row = (start: string) => text.split('\n').find((line) => line.startsWith(start));

  test('is compared wish by wish', () => {
    expect(row('| NFSv3 only | NFSv3 | move')).toContain('| 35.0 / 17.5 | 0.50 |');
  });
  test('where the stock agents gave up there is nothing to compare with', () => {
    expect(row('| NFSv3 only | NFSv3 | kill -9')).toContain('| – / 17.5 |  |');
  });
  test('what a new lock waited for after both graces is the client itself', () => {
    expect(row('| NFSv3 only | move | 0.2 | 4.0 |')).toContain('| none | 3.0 to 13.0 | 17.5 | 4.5 |');
  });
});

test('what a token costs and gives', () => {
  const text = detectionTable([
    { token: 1000, load: 'loaded', noticed: [2.3, 2.2, Number.NaN, 2.6], falseAlarms: 1, watched: 120 },
  ]);
  expect(text).toContain('| 1000 ms | loaded | 2.3 s | 2.2 s | 2.6 s | 1 of 4 | 1 | 120 s |');
});
