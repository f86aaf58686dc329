import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExecaError, execa } from 'execa';
import fs from 'fs-extra';
import { cachedRunnerSource } from '../packaging/code-cache.ts';
import { setPlaces } from '../packaging/launcher.ts';
import { agentNames, projectFolder } from '../packaging/products.ts';
import { stageAgents } from '../test/lab/agents.ts';
import { type AgentName, parameters, resourceIds } from '../test/lab/cluster/configuration.ts';
import type { Lab } from '../test/lab/machines/lab.ts';
import type { Machine } from '../test/lab/machines/machine.ts';
import { Checks } from '../test/lab/report/checks.ts';
import { Steps } from '../test/lab/report/steps.ts';
import { bootLab } from '../test/lab/scenarios/bring-up.ts';
import { nodes } from '../test/lab/settings.ts';
import type { Effort, Measurement, Row } from './measure.ts';
import { clusterEnv } from './situations.ts';
import { type Contestant, contestants, countProcesses, median, type Round } from './statistics.ts';

type Step = {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What it must answer; anything when absent. */
  readonly code?: number;
  readonly times?: number;
  readonly trace?: boolean;
};
type Call = readonly [wall: number, cpu: number, peakKib: number, code: number];
type Answer = { readonly calls: readonly Call[]; readonly trace: string };

const folders: Readonly<Record<Contestant, (agent: string) => string>> = {
  stock: (agent) => `/usr/lib/ocf/resource.d/${agent === 'drbd' ? 'linbit' : 'heartbeat'}`,
  native: () => '/usr/lib/ocf/resource.d/tsha',
  script: () => '/root/script',
};
const callsProgram = '/root/calls.py';
const runner = '/root/cached.cjs';
/** How many rounds of stopping and starting the whole stack. */
const lives = 3;

/** Boots a cluster with our agents, takes Pacemaker's hands off it, and calls all agents on its real DRBD and NFS. */
export async function benchLab(effort: Effort, say: (text: string) => void): Promise<readonly Row[]> {
  const interruption = new AbortController();
  process.once('SIGINT', () => interruption.abort());
  const steps = new Steps(interruption.signal);
  let lab: Lab | undefined;
  try {
    const plan = {
      suite: 'bookworm',
      campaign: 'failover',
      provider: 'native',
      order: 'recommended',
      grace: 15,
      purpose: 'demo',
    } as const;
    const run = await bootLab(plan, { steps, checks: new Checks(), figures: [] }, (created) => {
      lab = created;
    });
    const { cluster } = run;
    await steps.run('stock agents’ drop-ins, script flavour', 120, async (signal) => {
      const staged = await stageOthers(signal);
      for (const node of nodes) {
        await run.lab.machine(node).copyIn(staged, '/', { signal });
        const compiled = `for agent in ${folders.script('')}/*; do ${process.execPath} ${runner} --make $agent; done`;
        await run.lab.machine(node).run(`systemctl daemon-reload\n${compiled}`, { signal });
      }
      await fs.remove(staged);
    });
    await steps.run('DRBD and the file system', 120, (signal) => cluster.prepareDisks(signal));
    const home = await steps.run('cluster start', 300, async (signal) => {
      await cluster.start(nodes, signal);
      return await cluster.allStarted(signal);
    });
    const node = run.lab.machine(home);
    await steps.run('maintenance', 60, (signal) =>
      node.run('crm_attribute --name maintenance-mode --update true && sleep 5', { signal }),
    );
    const monitors = await steps.run('monitors and meta-data', 1200, (signal) =>
      measureSteady(node, effort, say, signal),
    );
    const life = await steps.run('stop and start of the whole stack', 1200, (signal) =>
      measureLife(node, say, signal),
    );
    return [...monitors, ...life];
  } finally {
    await lab?.remove();
  }
}

/** The drop-ins without which the stock nfsserver cannot stop, and our script flavour with the Node that runs it. */
async function stageOthers(signal: AbortSignal): Promise<string> {
  const staged = await stageAgents('stock-helped', signal);
  await fs.copy(await fs.realpath(process.execPath), join(staged, process.execPath));
  for (const agent of agentNames) {
    const text = readFileSync(join(projectFolder, 'dist', agent), 'utf8');
    const placed = setPlaces(text, { runtime: process.execPath, runner });
    await fs.outputFile(join(staged, folders.script(agent), agent), placed, { mode: 0o755 });
  }
  await fs.copy(cachedRunnerSource, join(staged, runner));
  await fs.copy(join(import.meta.dirname, 'calls.py'), join(staged, callsProgram));
  return staged;
}

async function perform(
  node: Machine,
  steps: readonly Step[],
  signal: AbortSignal,
): Promise<readonly Answer[]> {
  const options = { input: JSON.stringify(steps), cancelSignal: signal, timeout: 600_000 } as const;
  const { stdout } = await execa(...node.remote(`python3 ${callsProgram}`), options);
  return JSON.parse(stdout) as readonly Answer[];
}

const cloneEnv = {
  OCF_RESKEY_CRM_meta_clone_max: '2',
  OCF_RESKEY_CRM_meta_clone_node_max: '1',
  OCF_RESKEY_CRM_meta_promoted_max: '1',
  OCF_RESKEY_CRM_meta_promoted_node_max: '1',
  OCF_RESKEY_CRM_meta_master_max: '1',
  OCF_RESKEY_CRM_meta_master_node_max: '1',
  OCF_RESKEY_CRM_meta_notify: 'true',
  OCF_RESKEY_CRM_meta_globally_unique: 'false',
  OCF_RESKEY_CRM_meta_clone: '0',
  OCF_RESKEY_crm_feature_set: '3.15.0',
};

/** One call of an agent of the stack, as the cluster would make it. */
function stepOf(who: Contestant, agent: AgentName, action: string, more: Partial<Step> = {}): Step {
  const given = parameters[agent].map((word) => word.split(/=(.*)/s));
  const { HA_RSCTMP: _, ...env } = clusterEnv('/run');
  return {
    argv: [`${folders[who](agent)}/${agent}`, action],
    env: {
      ...env,
      HA_RSCTMP: '/run/resource-agents',
      OCF_RESOURCE_INSTANCE: resourceIds[agent],
      OCF_RESOURCE_TYPE: agent,
      OCF_RESOURCE_PROVIDER: who === 'stock' ? (agent === 'drbd' ? 'linbit' : 'heartbeat') : 'tsha',
      HA_SBIN_DIR: '/usr/sbin',
      ...(agent === 'drbd' ? cloneEnv : {}),
      ...(action === 'monitor' ? {} : { OCF_RESKEY_CRM_meta_interval: '0' }),
      ...Object.fromEntries(given.map(([name = '', value = '']) => [`OCF_RESKEY_${name}`, value])),
    },
    ...more,
  };
}

const nodeItself: Step = { argv: [process.execPath, '-e', '0'], env: {}, code: 0 };

async function measureSteady(
  node: Machine,
  { rounds, runs }: Effort,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<readonly Row[]> {
  // The stock one knows a resource that runs only by its own marks.
  await perform(node, [stepOf('stock', 'nfsnotify', 'start')], signal);
  const rows: Row[] = [];
  const stack = Object.keys(resourceIds) as AgentName[];
  for (const action of ['monitor', 'meta-data'])
    for (const agent of stack) {
      const code = agent === 'drbd' && action === 'monitor' ? 8 : 0;
      const each = contestants.map((who) => stepOf(who, agent, action, { code, times: runs }));
      const inTurn = [...each, { ...nodeItself, times: runs }];
      const traced = contestants.map((who) => stepOf(who, agent, action, { code, trace: true }));
      const turns = Array.from({ length: rounds }, () => inTurn).flat();
      try {
        const answers = await perform(node, [...traced, ...turns], signal);
        rows.push({ agent, action, state: '', measurement: steadyOf(answers, rounds) });
      } catch (error) {
        signal.throwIfAborted();
        say(`${agent} ${action} is left out: ${error instanceof ExecaError ? error.stderr : error}`);
      }
    }
  return rows;
}

function steadyOf(answers: readonly Answer[], rounds: number): Measurement {
  const at = (n: number): Answer => answers[n] ?? { calls: [], trace: '' };
  const width = contestants.length + 1;
  const figure = (round: number, n: number) => {
    const { calls } = at(contestants.length + round * width + n);
    return { wall: median(calls.map(([wall]) => wall)), cpu: median(calls.map(([, cpu]) => cpu)) };
  };
  const [stock, native, script] = contestants.map((_, n) => ({
    ...countProcesses(at(n).trace),
    peakKib: median(at(contestants.length + n).calls.map(([, , peak]) => peak)),
  }));
  if (!stock || !native || !script) throw new Error('nobody took part');
  const turns = Array.from({ length: rounds }, (_, round) => round);
  return {
    rounds: turns.map((round) => ({
      stock: figure(round, 0),
      native: figure(round, 1),
      script: figure(round, 2),
    })),
    bareNode: turns.map((round) => figure(round, contestants.length)),
    footprint: { stock, native, script },
  };
}

/** From the top of the group down and up again, as a switchover calls them. */
const down: readonly (readonly [AgentName, string])[] = [
  ['nfsnotify', 'stop'],
  ['IPaddr2', 'stop'],
  ['exportfs', 'stop'],
  ['nfsserver', 'stop'],
  ['Filesystem', 'stop'],
  ['drbd', 'demote'],
  ['drbd', 'stop'],
];
const up: readonly (readonly [AgentName, string])[] = [
  ['drbd', 'start'],
  ['drbd', 'promote'],
  ['Filesystem', 'start'],
  ['nfsserver', 'start'],
  ['exportfs', 'start'],
  ['IPaddr2', 'start'],
  ['nfsnotify', 'start'],
];

async function measureLife(
  node: Machine,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<readonly Row[]> {
  const path = [...down, ...up];
  const whole: Record<Contestant, (readonly Answer[])[]> = { stock: [], native: [], script: [] };
  // Only a disk that is up to date may be promoted.
  const wait: Step = {
    argv: ['sh', '-c', 'drbdadm wait-connect data; sleep 3'],
    env: clusterEnv('/run'),
    code: 0,
  };
  for (let round = 0; round < lives; round++)
    for (const who of contestants) {
      const steps = path.flatMap(([agent, action]) => [
        ...(action === 'promote' ? [wait] : []),
        stepOf(who, agent, action),
      ]);
      const answers = await perform(node, steps, signal);
      const timed = answers.filter((_, n) => steps[n] !== wait);
      whole[who].push(timed);
      const failed = path.filter((_, n) => timed[n]?.calls[0]?.[3] !== 0).map((step) => step.join(' '));
      say(
        `${who}, round ${round + 1}: ${failed.length === 0 ? 'all went well' : `failed: ${failed.join(', ')}`}`,
      );
    }
  const rowOf = (n: number): readonly Round[] =>
    Array.from({ length: lives }, (_, round) => {
      const figure = (who: Contestant) => {
        const [wall = Number.NaN, cpu = Number.NaN] = whole[who][round]?.[n]?.calls[0] ?? [];
        return { wall, cpu };
      };
      return { stock: figure('stock'), native: figure('native'), script: figure('script') };
    });
  const rows = path.map(([agent, action], n) => ({ agent, action, state: '', rounds: rowOf(n) }));
  return rows.map(({ rounds, ...row }) => ({ ...row, measurement: { rounds, bareNode: [] } }));
}
