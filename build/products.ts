import { join, resolve } from 'node:path';
import { catalogue } from '../metadata/catalogue.ts';
import { metadataXml } from '../metadata/xml.ts';

export const projectFolder = resolve(import.meta.dirname, '..');

/** An executable to build: its name, its entry point, and for an agent the meta-data document that its launcher prints. */
export type Product = { readonly name: string; readonly entry: string; readonly metadata?: string };

/** The command for people. */
export const commandName = 'tsha';

export const agentNames: readonly string[] = catalogue.map(({ agent }) => agent.name);

export const products: readonly Product[] = [
  ...catalogue.map(({ agent, prose }) => ({
    name: agent.name,
    entry: join(projectFolder, 'agents', agent.name, 'main.ts'),
    metadata: metadataXml(agent, prose),
  })),
  { name: commandName, entry: join(projectFolder, 'cli/main.ts') },
];
