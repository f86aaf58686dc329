import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { compiler } from '../packaging/native.ts';
import { executable } from './agents.ts';
import { type Effort, inTurn } from './measure.ts';
import { clusterEnv, parametersOf } from './situations.ts';
import { median } from './statistics.ts';

/** Milliseconds of processor time, medians. */
export type Piece = { readonly what: string; readonly native?: number; readonly script?: number };

/** What a program that does just this costs; each is tried in a process of its own. */
const pieces: Readonly<Record<string, string>> = {
  nothing: '',
  'load node:fs': "require('node:fs')",
  'read mountinfo': "require('node:fs').readFileSync('/proc/self/mountinfo', 'utf8')",
  'read mountinfo by node:fs/promises':
    "wait = require('node:fs/promises').readFile('/proc/self/mountinfo', 'utf8')",
  'load node:os, node:path, node:timers/promises':
    "require('node:os'); require('node:path'); require('node:timers/promises')",
  'load node:tty': "require('node:tty')",
  'load node:net': "require('node:net')",
  'load node:crypto': "require('node:crypto')",
  'load node:child_process': "require('node:child_process')",
  'performance.now()': 'performance.now()',
};

const program = [
  'let wait;',
  'switch (process.argv[2]) {',
  ...Object.entries(pieces).map(([what, code]) => `case ${JSON.stringify(idOf(what))}: ${code}; break;`),
  '}',
  'Promise.resolve(wait).then(() => process.exit(0));',
].join('\n');

function idOf(what: string): string {
  return what.replaceAll(/\W+/g, '-');
}

/** What a monitor's start-up is made of, line by line, in both runtimes; last, a whole monitor of ours on the same scale. */
export async function startup(folder: string, effort: Effort): Promise<readonly Piece[]> {
  const [source, binary] = [join(folder, 'pieces.cjs'), join(folder, 'pieces')];
  writeFileSync(source, program);
  const closed = ['--no-compile-autoload-bunfig', '--no-compile-autoload-dotenv'];
  await execa(compiler(), ['build', '--compile', '--bytecode', ...closed, '--outfile', binary, source]);
  const shell = join(folder, 'launcher');
  const launcher = readFileSync(executable(folder, 'native', 'Filesystem'), 'utf8');
  writeFileSync(shell, launcher.replace(/^runtime=.*$/m, 'runtime=/bin/true'), { mode: 0o755 });

  const monitor = (who: 'native' | 'script') => [executable(folder, who, 'Filesystem'), 'monitor'];
  const commands = [
    ...Object.keys(pieces).flatMap((what) => [
      [binary, idOf(what)],
      [process.execPath, source, idOf(what)],
    ]),
    ['/bin/true'],
    [shell, 'monitor'],
    monitor('native'),
    monitor('script'),
  ];
  const proc = parametersOf({ device: 'proc', directory: '/proc', fstype: 'proc' });
  const env = { ...clusterEnv(folder), ...proc, BUN_JSC_useJIT: '0' };
  const rounds: { readonly wall: number; readonly cpu: number }[][] = [];
  for (let round = 0; round < effort.rounds; round++)
    rounds.push(
      await inTurn(
        folder,
        commands.map((argv) => ({ argv })),
        env,
        effort.runs,
      ),
    );
  const cost = (n: number) => median(rounds.map((round) => round[n]?.cpu ?? Number.NaN));
  const names = Object.keys(pieces);
  const last = names.length * 2;
  return [
    { what: 'a launcher of sh that gives way to /bin/true', native: cost(last + 1) },
    { what: '/bin/true itself', native: cost(last) },
    ...names.map((what, n) => ({ what, native: cost(2 * n), script: cost(2 * n + 1) })),
    { what: 'the whole monitor of Filesystem', native: cost(last + 2), script: cost(last + 3) },
  ];
}
