import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleScript, declareCommonJs } from '../../build/bundle.ts';
import { products } from '../../build/products.ts';
import { makeNetwork } from './network.ts';

// The cases that the stock agent's authors test it with (ocft of resource-agents), pointed at ours.

const upstream = '/usr/share/resource-agents/ocft/configs';

/** What a case expects that ours does not do, and why; cases are counted from 0 in their file. */
type Stale = readonly [suite: string, number: number, was: string, is: string, why: string];

const [generic, configured, installed] = ['GENERIC', 'CONFIGURED', 'INSTALLED'].map(
  (code) => `AgentRun start OCF_ERR_${code}`,
) as [string, string, string];
const since417 = 'start answers 5 since 4.17, whose cases say so too';
const noRoute = 'no route leads there: 5 since 4.17, its cases were left behind';
const narrower = 'a narrower prefix than the network has is accepted since 4.17, as for IPv4';
const stale: readonly Stale[] = [
  ['IPaddr2', 2, configured, installed, since417],
  ['IPaddr2', 4, configured, installed, since417],
  ['IPaddr2', 6, configured, installed, since417],
  ['IPaddr2', 8, configured, installed, since417],
  [
    'IPaddr2',
    8,
    'AgentRun validate-all OCF_ERR_CONFIGURED',
    'AgentRun validate-all OCF_SUCCESS',
    'deliberate: by OCF 1.1 validate-all looks at the host only when OCF_CHECK_LEVEL is 10',
  ],
  ...[8, 9, 10, 12, 15, 19].map((number): Stale => ['IPaddr2v4', number, generic, installed, noRoute]),
  ...[6, 10, 11, 14, 15].map((number): Stale => ['IPaddr2v6', number, generic, installed, noRoute]),
  ['IPaddr2v6', 7, configured, installed, since417],
  ['IPaddr2v6', 13, generic, 'AgentRun start OCF_SUCCESS', narrower],
  ['IPaddr2v6', 13, 'Include check_ip_removed', 'Include check_ip_assigned', narrower],
];

/** The cases of a suite, run with the agent in `dir`, and with what is stale brought up to date. */
function upToDate(suite: string, text: string, dir: string): string {
  const pieces = text.replace(/^(\s*AgentRoot).*/m, `$1 ${dir}`).split(/^(?=CASE ")/m);
  for (const [of, number, was, is] of stale) {
    if (of !== suite) continue;
    const piece = pieces[number + 1] ?? '';
    if (!piece.includes(was) && !piece.includes(is))
      throw new Error(`${suite}, case ${number} has neither "${was}" nor "${is}"`);
    pieces[number + 1] = piece.replace(was, is);
  }
  return pieces.join('');
}

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tsha-ocft-'));
  const product = products.find(({ name }) => name === 'IPaddr2');
  if (!product) throw new Error('IPaddr2 is not among the products');
  await declareCommonJs(dir);
  await bundleScript(product, dir);
});
afterAll(() => rm(dir, { recursive: true }));

/** ocft keeps its scripts and logs below /var/lib, wherever the cases come from: each suite gets one of its own. */
const privately = 'mount -t tmpfs none /var/lib && ocft make -d "$1" "$2" && exec ocft test -v "$2"';

test.concurrent.each(['IPaddr2', 'IPaddr2v4', 'IPaddr2v6'])('%s', { timeout: 400_000 }, async (suite) => {
  const net = await makeNetwork();
  try {
    await net.ip('address flush dev eth0 scope global');
    const cases = join(dir, suite.concat('.cases'));
    await mkdir(cases);
    const text = await readFile(join(upstream, suite), 'utf8');
    await writeFile(join(cases, suite), upToDate(suite, text, dir));
    const { all = '', exitCode } = await execa(
      'ip',
      ['netns', 'exec', net.node, 'unshare', '-m', 'sh', '-c', privately, 'sh', cases, suite],
      { reject: false, all: true, env: { HA_RSCTMP: net.stateDir } },
    );
    const failed = all.split('\n').filter((line) => /FAILED|ERROR: /.test(line));
    expect({ exitCode, failed }, all).toEqual({ exitCode: 0, failed: [] });
    expect(all.match(/^Starting '/gm)).toHaveLength(text.match(/^CASE "/gm)?.length ?? 0);
  } finally {
    await net.destroy();
  }
});
