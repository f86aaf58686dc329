import { join } from 'node:path';
import { execa } from 'execa';
import fs from 'fs-extra';
import type { Image } from '../image/image.ts';
import { withLayers } from '../image/layers.ts';
import type { Provider } from '../settings.ts';
import { inChroot } from './cib.ts';
import { type AgentName, agentNames, agentType, createCommand } from './configuration.ts';

interface Tool {
  name: string;
  command: (agent: AgentName, provider: Provider) => string[];
}

/** What administrators look at agents with; each must have nothing to complain about. */
const tools: Tool[] = [
  {
    name: 'crm_resource --show-metadata',
    command: (agent, provider) => ['crm_resource', '--show-metadata', agentType(agent, provider)],
  },
  {
    name: 'pcs resource describe',
    command: (agent, provider) => ['pcs', 'resource', 'describe', agentType(agent, provider)],
  },
  {
    name: 'pcs resource create --agent-validation',
    command: (agent, provider) => [
      'pcs',
      '-f',
      `/${agent}.xml`,
      ...createCommand(agent, provider),
      '--agent-validation',
    ],
  },
  {
    name: 'crm ra info',
    command: (agent, provider) => ['crm', 'ra', 'info', agentType(agent, provider)],
  },
];

export interface ToolAnswer {
  tool: string;
  complaints: string[];
}

/** Asks every tool about every agent, on the machines' own system but outside any cluster. */
export async function askTools(
  image: Image,
  provider: Provider,
  staged: string,
  signal: AbortSignal,
): Promise<ToolAnswer[]> {
  return await withLayers([staged, ...image.layers], undefined, async (root) => {
    const ask = async (agent: AgentName, command: string[]): Promise<string[]> => {
      const { stderr, exitCode } = await execa(inChroot, [root, ...command], {
        cancelSignal: signal,
        timeout: 300_000,
        reject: false,
      });
      if (exitCode === 0 && stderr === '') return [];
      return [`${agent}: exit status ${exitCode}: ${stderr}`];
    };
    const empty = await execa(inChroot, [root, 'cibadmin', '--empty'], { cancelSignal: signal });
    for (const agent of agentNames) await fs.writeFile(join(root, `${agent}.xml`), empty.stdout);

    const answers: ToolAnswer[] = [];
    for (const { name, command } of tools) {
      const complaints: string[] = [];
      for (const agent of agentNames) complaints.push(...(await ask(agent, command(agent, provider))));
      answers.push({ tool: name, complaints });
    }
    return answers;
  });
}
