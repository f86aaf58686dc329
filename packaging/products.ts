import { join, resolve } from 'node:path';
import type { Notification } from '../lib/ocf/agent.ts';
import { catalogue } from '../metadata/catalogue.ts';
import { metadataXml } from '../metadata/xml.ts';

export const projectFolder = resolve(import.meta.dirname, '..');

/** An executable to build: its name, its entry point, and for an agent what its launcher answers by itself. */
export type Product = {
  readonly name: string;
  readonly entry: string;
  /** The document it prints. */
  readonly metadata?: string;
  /** The notifications for which there is nothing to do. */
  readonly needless?: readonly Notification[];
};

/** The command for people. */
export const commandName = 'tsha';

export const agentNames: readonly string[] = catalogue.map(({ agent }) => agent.name);

export const products: readonly Product[] = [
  ...catalogue.map(({ agent, prose }) => ({
    name: agent.name,
    entry: join(projectFolder, 'agents', agent.name, 'main.ts'),
    // when it is asked for: a declaration that lacks its prose is for the compiler to tell, whoever imports this file
    get metadata() {
      return metadataXml(agent, prose);
    },
    needless: agent.actions.notify?.needless ?? [],
  })),
  { name: commandName, entry: join(projectFolder, 'cli/main.ts') },
];
