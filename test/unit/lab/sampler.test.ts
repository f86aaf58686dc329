import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const folder = join(import.meta.dirname, '../../lab/workload');
const fixtures = join(import.meta.dirname, '../../fixtures/drbd');

/** A function of the program that the nodes run, asked about a text. */
const ask = (question: string, text: string): string =>
  execFileSync('python3', ['-c', `import sys, sampler; print(sampler.${question}(sys.stdin.read()))`], {
    cwd: folder,
    input: text,
    encoding: 'utf8',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  }).trim();

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
