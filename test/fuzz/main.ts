import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parsers } from '../parsers.ts';
import { type Flavour, flavours, makeCase } from './case.ts';
import { described, fuzz, play, report } from './fuzz.ts';
import { tryTexts } from './parsers.ts';
import { fileIn, makeWorkshop } from './world.ts';

// ./build.sh fuzz [--runs N] [--seed S] [--flavour script|native] [--jobs N] [--run N]
// ./build.sh fuzz --parsers [--runs N] [--seed S]: so many texts for each of them

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    flavour: { type: 'string' },
    jobs: { type: 'string', default: String(3 * availableParallelism()) },
    run: { type: 'string' },
    parsers: { type: 'boolean', default: false },
    from: { type: 'string', default: '0' },
  },
});

/** Whether none of them fell over. */
function tryAllParsers(): boolean {
  const since = performance.now();
  const faults = parsers.flatMap((parser) => {
    const fault = tryTexts(parser, seed, runs);
    console.log(fault ?? `${parser.what}: ${runs} texts`);
    return fault === undefined ? [] : [fault];
  });
  const seconds = ((performance.now() - since) / 1000).toFixed(0);
  const all = runs * parsers.length;
  console.log(
    `seed ${seed}: ${all} texts for ${parsers.length} parsers in ${seconds} s, ${faults.length} faults`,
  );
  return faults.length === 0;
}

function number(text: string, name: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} ${text}: a whole number is needed`);
  return Number(text);
}

const seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : number(values.seed, 'seed');
const runs = number(values.runs, 'runs');
if (values.parsers) process.exit(tryAllParsers() ? 0 : 1);
const chosen = flavours.filter((one) => values.flavour === undefined || values.flavour === one);
if (chosen.length === 0) throw new Error(`--flavour ${values.flavour}: script or native`);
const dir = mkdtempSync(join(tmpdir(), 'tsha-fuzz-'));
const clean = () => rmSync(dir, { recursive: true, force: true });
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    clean();
    process.exit(130);
  });

try {
  const workshop = makeWorkshop(dir, chosen);
  if (values.run !== undefined) for (const flavour of chosen) await once(flavour, number(values.run, 'run'));
  else {
    const plan = {
      ...{ seed, flavours: chosen, from: number(values.from, 'from') },
      ...{ runs, jobs: number(values.jobs, 'jobs') },
    };
    const summary = await fuzz(workshop, plan, (failure) => console.log(report(failure)));
    const seconds = summary.ms / 1000;
    const late = summary.lateOnce > 0 ? `, ${summary.lateOnce} late once and in time when played again` : '';
    const rate = (summary.calls / seconds).toFixed(0);
    console.log(
      `seed ${seed}: ${summary.runs} runs (${chosen.join(' and ')}), ${summary.calls} calls in ${seconds.toFixed(0)} s (${rate}/s), ${summary.faults.length} faults${late}`,
    );
    if (summary.faults.length > 0) process.exitCode = 1;
  }

  /** A run alone, with all that it is made of and all that was said. */
  async function once(flavour: Flavour, run: number): Promise<void> {
    const one = makeCase(seed, run, flavour);
    console.log(described(one));
    const faults = await play(workshop, 0, one);
    const out = join(dir, 'out/0');
    for (const name of readdirSync(out).filter((each) => /^([12]\.|codes|sandbox)/.test(each)))
      console.log(`--- ${name}\n${fileIn(out, name)}`);
    for (const fault of faults) console.log(report({ ...fault, one }));
    if (faults.length > 0) process.exitCode = 1;
    else console.log(`no fault (${flavour}, seed ${seed}, run ${run})`);
  }
} finally {
  clean();
}
