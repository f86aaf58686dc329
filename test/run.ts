import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { execa } from 'execa';
import { projectFolder } from '../packaging/products.ts';
import { CaseCount } from './cases.ts';

/** `didNotRun`: the whole tier, for a reason it has printed. A single skipped test is one that this kernel cannot show. */
type Sum = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Titles of the tests that passed. */
  readonly shown?: readonly string[];
  readonly failures?: readonly Failure[];
  readonly didNotRun?: true;
};
type Failure = { readonly title: string; readonly reason: string };
type Tier = (resultsFile: string) => Promise<Sum>;

/** A pipeline that gives up on a run shows none of it, so the run gives up first and names the tier. */
const minutes = Number(process.env['TSHA_TEST_MINUTES'] ?? 80);
const runEnds = Date.now() + minutes * 60_000;

/** Output goes to the terminal; no command outlives the run's time. */
const run = async (command: string, args: readonly string[]) => {
  const done = await execa(bin(command), args, {
    stdio: 'inherit',
    reject: false,
    cwd: projectFolder,
    timeout: Math.max(runEnds - Date.now(), 1),
    // The lab powers its machines off and removes its namespaces.
    forceKillAfterDelay: 60_000,
  });
  if (done.timedOut) throw new Error(`not at its end when the ${minutes} min of the whole run were over`);
  return done;
};

const bin = (name: string) => join(projectFolder, 'node_modules/.bin', name);

/** Commands that all have to succeed, as one check. */
const check =
  (...commands: readonly (readonly string[])[]): Tier =>
  async () => {
    for (const [name = '', ...args] of commands) {
      const { failed } = await run(name, args);
      if (failed) return { passed: 0, failed: 1, skipped: 0 };
    }
    return { passed: 1, failed: 0, skipped: 0 };
  };

interface VitestResults {
  testResults: {
    name: string;
    message: string;
    assertionResults: { fullName: string; status: string; failureMessages: string[] }[];
  }[];
}

const vitest =
  (...projects: readonly string[]): Tier =>
  async (resultsFile) => {
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${resultsFile}`];
    const chosen = projects.flatMap((project) => ['--project', project]);
    const done = await run('vitest', ['run', ...chosen, ...reporters]);
    const { testResults } = await results<VitestResults>(resultsFile);
    const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
    const having = (status: string) => tests.filter((test) => test.status === status);
    const passed = having('passed');
    const failed = having('failed');
    const ofTests = failed.map(({ fullName, failureMessages }) => ({
      title: fullName,
      reason: failureMessages.join('\n'),
    }));
    const ofFiles = testResults.flatMap(({ name, message }) =>
      message === '' ? [] : [{ title: relative(projectFolder, name), reason: message }],
    );
    return {
      passed: passed.length,
      // A file that cannot be loaded has no tests that could fail.
      failed: failed.length || (done.failed ? 1 : 0),
      skipped: tests.length - passed.length - failed.length,
      shown: passed.map(({ fullName }) => fullName),
      failures: [...ofTests, ...ofFiles],
    };
  };

const skipped: Sum = { passed: 0, failed: 0, skipped: 1, didNotRun: true };
/** What the lab ends with after it has said why it cannot run on this machine. */
const labCannotRun = 3;

const lab: Tier = async (resultsFile) => {
  const done = await run('tsx', ['test/lab/main.ts', 'test', '--results', resultsFile]);
  if (done.exitCode === labCannotRun) return skipped;
  const sum = await results<Sum>(resultsFile);
  return { ...sum, failed: sum.failed || (done.failed ? 1 : 0) };
};

const results = async <T>(file: string): Promise<T> => JSON.parse(await readFile(file, 'utf8')) as T;

/** Namespaces, loop devices and virtual machines. */
const asRoot =
  (name: string, tier: Tier): Tier =>
  async (resultsFile) => {
    if (process.getuid?.() === 0) return tier(resultsFile);
    console.log(`THE ${name.toUpperCase()} TIER IS SKIPPED: it needs root`);
    return skipped;
  };

const tiers: Readonly<Record<string, Tier>> = {
  types: check(['tsc']),
  lint: check(['biome', 'check', '--error-on-warnings', '.'], ['knip']),
  unit: vitest('unit'),
  contract: asRoot('contract', vitest('contract')),
  host: asRoot('host', vitest('host', 'host-scale')),
  lab: asRoot('lab', lab),
  packages: asRoot('packages', vitest('packages')),
};

const folder = await mkdtemp(join(tmpdir(), 'tsha-test-'));
const total = { passed: 0, failed: 0, skipped: 0 };
const broken: string[] = [];
const failures: string[] = [];
const missing: string[] = [];
const cases = new CaseCount();
for (const name of process.argv.slice(2)) {
  console.log(`\n=== ${name}`);
  const since = Date.now();
  const sum = await tiers[name]?.(join(folder, `${name}.json`)).catch((error: unknown): Sum => {
    const reason = error instanceof Error ? error.message : String(error);
    return { passed: 0, failed: 1, skipped: 0, failures: [{ title: 'the tier broke off', reason }] };
  });
  if (!sum) throw new Error(`there is no tier ${name}`);
  for (const key of ['passed', 'failed', 'skipped'] as const) total[key] += sum[key];
  if (sum.failed > 0) broken.push(name);
  if (sum.didNotRun) missing.push(name);
  for (const failure of sum.failures ?? []) failures.push(`${name}: ${inShort(failure)}`);
  cases.add(name, sum.shown ?? []);
  console.log(`=== ${name}: ${describe(sum)} in ${((Date.now() - since) / 1000).toFixed(0)} s`);
}
await rm(folder, { recursive: true });

if (cases.isAnyShown) console.log(cases.table());
// A case that no test shows any more has lost its test.
const judgesCases = ['unit', 'contract', 'host'].every(
  (tier) => process.argv.includes(tier) && !missing.includes(tier),
);
if (judgesCases && broken.length === 0 && !cases.isComplete) {
  total.failed++;
  broken.push('specified cases');
}
// Whoever reads the end of a long log, as pipelines keep it, needs no more of it than this.
if (broken.length > 0) console.log(['', `failed: ${broken.join(', ')}`, ...failures].join('\n'));
// In CI a tier that did not run is not a tier that passed.
const incomplete = process.env['CI'] === 'true' && missing.length > 0;
if (incomplete) console.log(`\nCI must run every tier: ${missing.join(', ')} did not run`);
console.log(`\n${describe(total)}`);
// What a killed tier left running must not keep the run alive.
process.exit(total.failed > 0 || incomplete || total.passed === 0 ? 1 : 0);

/** The reason up to its stack: at most eight lines. */
function inShort({ title, reason }: Failure): string {
  const lines = reason.split('\n').map((line) => line.trim());
  const stack = lines.findIndex((line) => line.startsWith('at '));
  return [title, ...lines.slice(0, stack < 0 ? 8 : Math.min(stack, 8))].join('\n    ');
}

function describe({ passed, failed, skipped }: Sum): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
