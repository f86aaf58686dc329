import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { executable } from './agents.ts';
import { clusterEnv, type Env, type Situation } from './situations.ts';
import {
  type Contestant,
  contestants,
  countProcesses,
  type Footprint,
  median,
  type Round,
} from './statistics.ts';

export type Effort = { readonly rounds: number; readonly runs: number };

export type Measurement = {
  readonly rounds: readonly Round[];
  /** Of a bare `node -e 0` in the same rounds. */
  readonly bareNode: readonly { readonly wall: number; readonly cpu: number }[];
  readonly footprint?: Readonly<Record<Contestant, Footprint>>;
};

/** A measurement, and what of. */
export type Row = {
  readonly agent: string;
  readonly action: string;
  readonly state: string;
  readonly measurement: Measurement;
};

type Command = { readonly argv: readonly string[]; readonly before?: readonly string[] };

/** Calls all three in turn, a few times each, again and again; then once more to count what else they cost. */
export async function measure(folder: string, situation: Situation, effort: Effort): Promise<Measurement> {
  const { agent, action, before } = situation;
  const env = { ...clusterEnv(folder), ...situation.env };
  const file = (who: Contestant) => executable(folder, who, agent);
  const commands = contestants.map((who): Command => {
    const prepare = before && { before: [file(who), before] };
    return { argv: [file(who), action], ...prepare };
  });
  if (situation.started)
    // Each by its own start, as some leave marks; whether that was enough, the first monitor tells.
    for (const who of ['native', 'stock'] as const) await run([file(who), 'start'], env);
  for (const { argv, before } of commands) {
    if (before) await mustEnd(before, env, 0);
    await mustEnd(argv, env, situation.code);
  }

  const bare: Command = { argv: [process.execPath, '-e', '0'], ...(before && { before: ['/bin/true'] }) };
  const all = [...commands, bare];
  const measured = [];
  for (let round = 0; round < effort.rounds; round++)
    measured.push(await inTurn(folder, all, env, effort.runs));
  const rounds = measured.map(
    ([stock = none, native = none, script = none]): Round => ({ stock, native, script }),
  );
  const footprints: [Contestant, Footprint][] = [];
  for (const [n, who] of contestants.entries())
    footprints.push([who, await footprint(folder, commands[n] ?? bare, env)]);
  if (situation.started || before) await mustEnd([file('native'), 'stop'], env, 0);
  return {
    rounds,
    bareNode: measured.map((round) => round[3] ?? none),
    footprint: Object.fromEntries(footprints) as Record<Contestant, Footprint>,
  };
}

const none = { wall: Number.NaN, cpu: Number.NaN };

type Report = {
  readonly results: readonly {
    readonly times: readonly number[];
    readonly user: number;
    readonly system: number;
  }[];
};

/** hyperfine's figures of each command, in milliseconds: the median of wall, the mean of CPU, which is all it tells. */
export async function inTurn(folder: string, commands: readonly Command[], env: Env, runs: number) {
  const report = join(folder, 'hyperfine.json');
  const prepare = commands.flatMap(({ before }) => (before ? ['--prepare', before.join(' ')] : []));
  const lines = commands.map(({ argv }) => argv.join(' '));
  const options = [
    '-N',
    '-i',
    '--style',
    'none',
    '--warmup',
    '1',
    '--runs',
    String(runs),
    '--export-json',
    report,
  ];
  await execa('hyperfine', [...options, ...prepare, ...lines], {
    env,
    extendEnv: false,
    cwd: '/',
    stdin: 'ignore',
  });
  const { results } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  return results.map(({ times, user, system }) => ({
    wall: median(times) * 1000,
    cpu: (user + system) * 1000,
  }));
}

async function footprint(folder: string, { argv, before }: Command, env: Env): Promise<Footprint> {
  const trace = join(folder, 'strace');
  if (before) await run(before, env);
  await run(
    ['strace', '-f', '-qq', '-e', 'trace=execve,execveat,clone,clone3,fork,vfork', '-o', trace, ...argv],
    env,
  );
  const counts = countProcesses(readFileSync(trace, 'utf8'));
  const peaks: number[] = [];
  for (let n = 0; n < 5; n++) {
    const peak = join(folder, 'peak');
    if (before) await run(before, env);
    await run(['time', '-q', '-f', '%M', '-o', peak, ...argv], env);
    peaks.push(Number(readFileSync(peak, 'utf8')));
  }
  return { ...counts, peakKib: median(peaks) };
}

const run = ([file = '', ...args]: readonly string[], env: Env) =>
  execa(file, args, { env, extendEnv: false, cwd: '/', stdin: 'ignore', reject: false });

async function mustEnd(argv: readonly string[], env: Env, code: number): Promise<void> {
  const { exitCode, stderr } = await run(argv, env);
  if (exitCode !== code)
    throw new Error(`${argv.join(' ')} answered ${exitCode}, not ${code}: ${stderr.slice(-300)}`);
}
