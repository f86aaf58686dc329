import { describe, expect, test } from 'vitest';
import { wasInTime } from '../../../lab/faults/books.ts';
import {
  areAlike,
  judgeAppends,
  judgeLock,
  judgeReplaced,
  judgeTurns,
  reclaimsFailed,
} from '../../../lab/faults/checker.ts';
import { type Attempt, parseJournal } from '../../../lab/workload/journal.ts';

const journal = (...lines: string[]): Attempt[] => parseJournal(lines.map((line) => `${line} \n`).join(''));
const oks = (...numbers: number[]): Attempt[] =>
  journal(...numbers.map((number) => `ok ${number} ${number}.0 ${number}.5`));

const clean = { lost: [], repeated: [], disordered: [], unreadable: [], unknown: [] };
test.each([
  { what: 'all there', file: '1\n2\n3\n', wrongs: {} },
  { what: 'one that nobody acknowledged as well', file: '1\n2\n3\n4\n', wrongs: {} },
  { what: 'one lost', file: '1\n3\n', wrongs: { lost: ['2'] } },
  { what: 'one twice', file: '1\n2\n2\n3\n', wrongs: { repeated: ['2'] } },
  { what: 'another order', file: '1\n3\n2\n', wrongs: { disordered: ['2 after 3'] } },
  { what: 'an empty file', file: '', wrongs: { lost: ['1', '2', '3'] } },
  {
    what: 'another order, behind a line that is none',
    file: '1\nx\n3\n2\n',
    wrongs: { disordered: ['2 after 3'], unreadable: ['"x"'] },
  },
  { what: 'one that nobody ever wrote', file: '1\n2\n3\n77\n', wrongs: { unknown: ['77'] } },
  { what: 'a hole where one was refused', file: '1\n2\n\0\0\x003\n', wrongs: {} },
  { what: 'a hole, and before it what the server had taken', file: '1\n2\n3\n4\0\0\n', wrongs: {} },
])('appended records: $what', ({ file, wrongs }) => {
  expect(judgeAppends(oks(1, 2, 3), file)).toEqual({ ...clean, ...wrongs });
});

test('what was appended between the journal and the file is known by the journal after it', () => {
  expect(judgeAppends(oks(1), '1\n2\n3\n4\n', oks(1, 2, 3))).toEqual(clean);
  expect(judgeAppends(oks(1), '1\n2\n3\n4\n', oks(1, 2))).toEqual({ ...clean, unknown: ['4'] });
});

test.each([
  { what: 'the last one', file: '3\n'.repeat(3000), says: undefined },
  { what: 'one that was not acknowledged yet', file: '4\n'.repeat(3000), says: undefined },
  { what: 'an older one', file: '2\n'.repeat(3000), says: /the 2th, the 3th/ },
  { what: 'one that nobody ever wrote', file: '7\n'.repeat(3000), says: /7th, which nobody wrote/ },
  { what: 'half of each', file: '2\n'.repeat(1500) + '3\n'.repeat(1500), says: /^torn/ },
  { what: 'a part', file: '3\n'.repeat(700), says: /^torn/ },
  { what: 'nothing', file: '', says: /^torn/ },
])('a replaced file: $what', ({ file, says }) => {
  const wrong = judgeReplaced(oks(1, 2, 3), file);
  if (says) expect(wrong).toMatch(says);
  else expect(wrong).toBeUndefined();
});

describe('turns under a lock', () => {
  const both = new Map([
    ['a', oks(1, 2)],
    ['b', oks(1)],
  ]);
  test('one after the other', () => {
    expect(judgeTurns(both, '1 a 1\n2 b 1\n3 a 2\n')).toEqual([]);
  });
  test('two at once count on from the same line', () => {
    expect(judgeTurns(both, '1 a 1\n2 b 1\n2 a 2\n')).toEqual(['a counted 2 where another had']);
  });
  test('or write over each other', () => {
    expect(judgeTurns(both, '1 a 1\n2 a 2\n')).toEqual(['b lost 1']);
  });
});

test.each([
  {
    what: 'refused',
    keeper: ['locked 1 1.0 1.1', 'ok 2 2.0 2.1'],
    rival: ['refused 1 1.5 1.6'],
    told: [],
    silently: 0,
  },
  {
    ...{ what: 'stolen while its keeper goes on', told: [], silently: 1 },
    ...{ keeper: ['ok 1 1.0 1.1', 'ok 2 2.0 2.1', 'ok 3 3.0 3.1'], rival: ['stolen 1 1.5 1.6'] },
  },
  {
    ...{ what: 'stolen before its keeper used it at all', told: [], silently: 1 },
    ...{ keeper: ['locked 1 1.0 1.1', 'ok 2 2.0 2.1', 'ok 3 3.0 3.1'], rival: ['stolen 1 1.5 1.6'] },
  },
  {
    ...{ what: 'stolen once the keeper was told', told: [0.25], silently: 0 },
    ...{ keeper: ['ok 1 1.0 1.25', 'lost 2 1.3 1.5', 'locked 3 2.0 2.1'], rival: ['stolen 1 1.6 1.7'] },
  },
  {
    ...{ what: 'told after it was stolen', told: [30], silently: 0 },
    ...{ keeper: ['ok 1 1.0 1.5', 'lost 2 2.0 31.5', 'locked 3 32.0 32.1'], rival: ['stolen 1 1.8 1.9'] },
  },
  {
    ...{ what: 'stolen until the keeper was made to take it again', told: [], silently: 1 },
    ...{ keeper: ['ok 1 1.0 1.1', 'ok 2 2.0 2.1', 'locked 3 3.0 3.1'], rival: ['stolen 1 1.5 1.6'] },
  },
  {
    ...{ what: 'told with the second use after it was stolen', told: [1], silently: 0 },
    ...{ keeper: ['ok 1 1.0 1.1', 'ok 2 2.0 2.5', 'lost 3 3.0 3.5'], rival: ['stolen 1 1.5 1.6'] },
  },
  {
    ...{ what: 'given back and taken anew', told: [], silently: 0 },
    ...{ keeper: ['ok 1 1.0 1.1', 'locked 2 2.0 2.1', 'ok 3 3.0 3.1'], rival: ['stolen 1 1.5 1.6'] },
  },
])('a kept lock: $what', ({ keeper, rival, told, silently }) => {
  expect(judgeLock(journal(...keeper), journal(...rival))).toEqual({ told, silently });
});

const kernel = (line: string): string => `NFS: something else\n${line}\nlockd: server 10.77.0.20 OK`;
test.each([
  { what: 'its own', line: 'lockd: failed to reclaim lock for pid 812 (errno -37, status 4)', count: 1 },
  {
    what: 'of another process',
    line: 'lockd: failed to reclaim lock for pid 8123 (errno -37, status 4)',
    count: 0,
  },
  { what: 'of NFSv4', line: 'NFS: nfs4_reclaim_open_state: Lock reclaim failed!', count: 0 },
])('what the kernel of an NFSv3 client tells of a lock: $what', ({ line, count }) => {
  expect(reclaimsFailed(kernel(line), '812')).toBe(count);
});

test.each([
  { what: 'NFSv4, at once', fate: { version: '4.0', pause: 60, lock: { soonest: 3 } }, inTime: true },
  {
    what: 'NFSv4, after most of the grace period',
    fate: { version: '4.2', pause: 60, lock: { soonest: 40 } },
    inTime: false,
  },
  { what: 'NFSv3, at once', fate: { version: '3', pause: 5, lock: { soonest: 0 } }, inTime: true },
  {
    what: 'NFSv3, which waited for long',
    fate: { version: '3', pause: 40, lock: { soonest: 0 } },
    inTime: false,
  },
] as const)('a client was there to claim its lock: $what', ({ fate, inTime }) => {
  expect(wasInTime(fate, 45)).toBe(inTime);
});

test.each([
  { what: 'the same', bytes: 512, sums: ['512 aa', '512 aa'], alike: true },
  { what: 'not the same', bytes: 512, sums: ['512 aa', '512 bb'], alike: false },
  { what: 'neither of them read', bytes: 512, sums: ['0 aa', '0 aa'], alike: false },
  { what: 'no answer', bytes: 512, sums: ['', ''], alike: false },
  { what: 'no size', bytes: 0, sums: ['0 aa', '0 aa'], alike: false },
])('both disks: $what', ({ bytes, sums, alike }) => {
  expect(areAlike(bytes, sums)).toBe(alike);
});
