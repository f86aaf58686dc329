import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect } from 'vitest';
import { bundleScript, declareCommonJs } from '../../packaging/bundle.ts';
import { products } from '../../packaging/products.ts';

// The cases that the stock agents' authors test them with (ocft of resource-agents), pointed at ours.

const installed = '/usr/share/resource-agents/ocft';

/** What a case expects that ours does not do, and why; cases are counted from 0 in their file. */
export type Stale = readonly [suite: string, number: number, was: string, is: string, why: string];

/**
 * ocft's scripts and logs lie below /var/lib, an agent's state below /run: both private to the run, and in memory. Its own waits
 * are whole seconds; here it sees at once that an agent has ended, and its limits stay the same.
 */
const privately = (more: string) => `
mount -t tmpfs none /var/lib
mkdir -p /var/lib/nfs /run/resource-agents
mount -t tmpfs none /run/resource-agents
sed 's|sleep 1$|timeout 1 tail --pid=$pid -s 0.02 -f /dev/null|' "${installed}/caselib" > /run/resource-agents/caselib
mount --bind /run/resource-agents/caselib "${installed}/caselib"
${more}
ocft make -d "$1" "$2" >&2
exec ocft test -v "$2"
`;

type Place = {
  /** In front of the command, e.g. `['ip', 'netns', 'exec', name]`. */
  readonly inside?: readonly string[];
  /** What else is private to the run: shell commands in its mount namespace. */
  readonly prepare?: string;
  readonly env?: NodeJS.ProcessEnv;
};

/** Runs every case of a suite with our agent, what is stale among them brought up to date, and expects all to pass. */
export async function expectOcft(
  agent: string,
  suite: string,
  stale: readonly Stale[],
  { inside = [], prepare = '', env = {} }: Place = {},
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'tsha-ocft-'));
  try {
    const product = products.find(({ name }) => name === agent);
    if (!product) throw new Error(`${agent} is not among the products`);
    await declareCommonJs(dir);
    await bundleScript(product, dir);
    const text = await readFile(join(installed, 'configs', suite), 'utf8');
    const cases = join(dir, 'cases');
    await mkdir(cases);
    const ours = stale.filter(([of]) => of === suite);
    await writeFile(join(cases, suite), upToDate(pointedAt(dir, text), ours));

    const shell = ['sh', '-ec', privately(prepare), 'sh', cases, suite];
    const [file = '', ...args] = [...inside, 'unshare', '-m', '--propagation', 'private', ...shell];
    const { all = '', exitCode } = await execa(file, args, { reject: false, all: true, env });
    const failed = all.split('\n').filter((line) => /FAILED|ERROR: /.test(line));
    expect({ exitCode, failed }, all).toEqual({ exitCode: 0, failed: [] });
    const count = text.match(/^CASE "/gm)?.length ?? 0;
    expect(all.match(/^Starting '/gm)).toHaveLength(count);
    const updated = new Set(ours.map(([, number]) => number)).size;
    console.log(
      `ocft ${suite}: ${count} cases pass${updated > 0 ? `, ${updated} of them brought up to date` : ''}`,
    );
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** The package is installed: ocft would ask the distribution's installer. */
const pointedAt = (folder: string, text: string): string =>
  text.replace(/^(\s*AgentRoot).*/m, `$1 ${folder}`).replace(/^\s*InstallPackage.*\n/m, '');

function upToDate(text: string, stale: readonly Stale[]): string {
  const pieces = text.split(/^(?=CASE ")/m);
  for (const [suite, number, was, is] of stale) {
    const piece = pieces[number + 1] ?? '';
    if (!piece.includes(was) && !piece.includes(is))
      throw new Error(`${suite}, case ${number} has neither "${was}" nor "${is}"`);
    pieces[number + 1] = piece.replace(was, is);
  }
  return pieces.join('');
}
