import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const folder = join(import.meta.dirname, '../../lab/workload');
const fixtures = join(import.meta.dirname, '../../fixtures/drbd');

/** A function of a program that the machines run, asked about a text. */
const askOf = (program: string, call: string, text: string): string =>
  execFileSync(
    'python3',
    ['-c', `import sys, ${program}; text = sys.stdin.read(); print(${program}.${call})`],
    {
      cwd: folder,
      input: text,
      encoding: 'utf8',
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    },
  ).trim();
const ask = (question: string, text: string): string => askOf('sampler', `${question}(text)`, text);

test.each([
  [
    'this node',
    'data role:Primary\n  disk:UpToDate\n  node2 role:Secondary\n    peer-disk:UpToDate\n\n',
    'True',
  ],
  [
    'the peer',
    'data role:Secondary\n  disk:UpToDate\n  node2 role:Primary\n    peer-disk:UpToDate\n\n',
    'False',
  ],
  [
    'another resource',
    'data role:Secondary\n  disk:UpToDate\n\nother role:Primary\n  volume:0 disk:UpToDate\n',
    'True',
  ],
  ['nobody', '# No currently configured DRBD found.\n', 'False'],
  ['a node called role:Primary', 'data role:Secondary\n  x role:Primary\n', 'False'],
])('DRBD 9: Primary is %s', (_what, status, isPrimary) => {
  expect(ask('primary_in_status', status)).toBe(isPrimary);
});

test.each([
  ['primary-uptodate', 'True'],
  ['secondary-uptodate-peer-primary', 'False'],
  ['down', 'False'],
])('DRBD 8.4: %s', (state, isPrimary) => {
  const proc = readFileSync(join(fixtures, `drbd84/${state}.proc-drbd.txt`), 'utf8');
  expect(ask('primary_in_proc', proc)).toBe(isPrimary);
});

const lines = 3000;
test.each([
  ['the last one', '4\n'.repeat(lines), /^ok$/],
  ['one that was tried since', '6\n'.repeat(lines), /^ok$/],
  ['an older one', '3\n'.repeat(lines), /old.*it is the 3th, the 4th was acknowledged/],
  ['one that nobody wrote yet', '7\n'.repeat(lines), /old.*it is the 7th/],
  ['half of each', '4\n'.repeat(lines / 2) + '5\n'.repeat(lines / 2), /torn.*3000 lines of 4, 5/],
  ['a part', '4\n'.repeat(700), /torn.*700 lines of 4/],
  ['one line too many', '4\n'.repeat(lines + 1), /torn/],
  ['a page of zeros', '\0'.repeat(2 * lines), /torn/],
  ['nothing', '', /torn/],
])('a file that is replaced, read as a whole: %s', (_what, text, said) => {
  expect(askOf('worker', 'judge(text, 4, 6)', text)).toMatch(said);
});
