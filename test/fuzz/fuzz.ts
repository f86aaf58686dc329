import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Case, type Flavour, makeCase } from './case.ts';
import { type Fault, judge } from './judge.ts';
import { executable, outputOf, sandboxCommand, script, type Workshop } from './world.ts';

export type Plan = {
  readonly seed: number;
  readonly flavours: readonly Flavour[];
  /** The numbers of the runs, of each flavour. */
  readonly from: number;
  readonly runs: number;
  readonly jobs: number;
};

export type Summary = {
  readonly runs: number;
  readonly calls: number;
  readonly ms: number;
  readonly faults: readonly Failure[];
  /** Runs that were late once, and in time when they were played again. */
  readonly lateOnce: number;
};

type Failure = Fault & { readonly one: Case };

/** What a run takes apart from its calls. */
const aroundMs = 20_000;

/** What hangs in the agent is late each time; what waited for a busy machine's processor is not. */
const replays = 3;

/** Runs them all, several at once: most of the time they wait for the kernel. */
export async function fuzz(
  workshop: Workshop,
  { seed, flavours, from, runs, jobs }: Plan,
  onFault: (failure: Failure) => void = () => {},
  onRun: (done: number) => void = () => {},
): Promise<Summary> {
  const began = performance.now();
  const faults: Failure[] = [];
  let [next, done, calls, lateOnce] = [0, 0, 0, 0];
  const total = runs * flavours.length;
  const work = async (worker: number): Promise<void> => {
    while (next < total) {
      const turn = next++;
      const flavour = flavours[turn % flavours.length] ?? 'native';
      const one = makeCase(seed, from + Math.floor(turn / flavours.length), flavour);
      let found = await play(workshop, worker, one);
      for (let again = 0; again < replays && isOnlyLate(found); again++) {
        found = await play(workshop, worker, one);
        if (found.length === 0) lateOnce++;
      }
      for (const fault of found) {
        faults.push({ ...fault, one });
        onFault({ ...fault, one });
      }
      calls += one.calls.length;
      onRun(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, total) }, (_, worker) => work(worker)));
  return { runs: total, calls, ms: performance.now() - began, faults, lateOnce };
}

const isOnlyLate = (faults: readonly Fault[]): boolean =>
  faults.length > 0 && faults.every(({ late }) => late);

/** One run in a sandbox of its own. */
export async function play(workshop: Workshop, worker: number, one: Case): Promise<readonly Fault[]> {
  const dir = outputOf(workshop, worker);
  const [file, ...args] = sandboxCommand(workshop.uid(worker));
  const child = spawn(file, args, {
    env: { PATH: process.env['PATH'] },
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = once(child, 'close');
  child.stdin.on('error', () => {}); // it may end without reading all
  child.stdin.end(script(one, workshop, worker));
  const longestMs = one.calls.reduce((sum, { timeoutMs }) => sum + timeoutMs + 3000, aroundMs);
  const clock = setTimeout(() => child.kill('SIGKILL'), longestMs);
  await ended;
  clearTimeout(clock);
  return judge(one, dir);
}

/** The words for a fault, with what it takes to see it again. */
export function report({ one, call, what }: Failure): string {
  const { seed, run, flavour, agent, world, calls } = one;
  const { action, limits, stdin, stdout, stderr, cwd, umask } = calls[call - 1] ?? {};
  const tools = [...world.tools].map(([name, tool]) => `${name} ${tool}`).join(', ');
  return [
    `FAULT  ./build.sh fuzz --seed ${seed} --run ${run} --flavour ${flavour}`,
    `  ${agent.name} ${action} (call ${call} of ${calls.map((each) => each.action || "''").join(', ')}): ${what}`,
    `  /run ${world.run}, litter ${world.litter}${tools && `, ${tools}`}${world.hasSbin ? '' : ', no /usr/sbin'}; ${limits?.join(' ')} ${stdin} 1 ${stdout} 2 ${stderr}, in ${cwd}, umask ${umask}`,
  ].join('\n');
}

/** All of a run, for a person. */
export function described(one: Case): string {
  return one.calls
    .flatMap((call, at) => [
      `call ${at + 1}: ${executable(one)} '${call.action}'`,
      ...[...call.env].map(
        ([name, value]) => `  ${name}=${JSON.stringify(value.toString('latin1')).slice(0, 300)}`,
      ),
    ])
    .join('\n');
}
