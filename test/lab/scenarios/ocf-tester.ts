import {
  type AgentName,
  agentFolder,
  agentNames,
  parameters,
  resourceIds,
} from '../cluster/configuration.ts';
import { nodes } from '../settings.ts';
import type { Run } from './run.ts';

/** Pacemaker tells a clone's instances how many of them there are. */
const meta: Partial<Record<AgentName, string[]>> = {
  drbd: [
    'CRM_meta_clone_max=2',
    'CRM_meta_clone_node_max=1',
    'CRM_meta_promoted_max=1',
    'CRM_meta_promoted_node_max=1',
    'CRM_meta_notify=true',
  ],
};

const settingsOf = (agent: AgentName): string[] => [...parameters[agent], ...(meta[agent] ?? [])];

/** What it takes to have a resource running for those that build on it. */
const actions: Partial<Record<AgentName, string[]>> = { drbd: ['start', 'promote'] };

function tester(agent: AgentName): string {
  const options = settingsOf(agent).map((setting) => `-o '${setting}'`);
  return `ocf-tester -v -n ${resourceIds[agent]} ${options.join(' ')} ${agentFolder}/${agent} 2>&1`;
}

/** ocf-tester has a word on everything; wrong exit codes and what the agent said to them matter. */
const complaintsIn = (output: string): string =>
  output
    .split('\n')
    .filter((line) => /^\* rc=|ocf-exit-reason|ERROR|Aborting/.test(line))
    .join('\n');

function runAgent(agent: AgentName): string {
  const environment = [
    'OCF_ROOT=/usr/lib/ocf',
    `OCF_RESOURCE_INSTANCE=${resourceIds[agent]}`,
    ...settingsOf(agent).map((setting) => `'OCF_RESKEY_${setting}'`),
  ];
  return (actions[agent] ?? ['start'])
    .map((action) => `env ${environment.join(' ')} ${agentFolder}/${agent} ${action} 2>&1`)
    .join(' && ');
}

/** ocf-tester on a node, each agent on top of the ones it needs: the order of the group. Ends the use of the cluster. */
export async function ocfTester({ cluster, lab, steps, checks }: Run): Promise<void> {
  checks.begin('ocf-tester');
  const [node] = nodes;
  await steps.run('stop all resources', 180, (signal) => cluster.stopAll(node, signal));
  const machine = lab.machine(node);
  for (const agent of agentNames) {
    const verdict = await steps.run(`ocf-tester ${agent}`, 300, async (signal) => {
      const output = await machine.run(`${tester(agent)} || true`, { signal, timeout: 1_200_000 });
      await machine.run(runAgent(agent), { signal });
      return output;
    });
    const passed = verdict.includes('passed all tests');
    checks.add(`${agent} passes ocf-tester`, passed, passed ? '' : complaintsIn(verdict));
  }
}
