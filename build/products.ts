import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { AgentDef } from '../lib/ocf/agent.ts';
import type { ParamTable } from '../lib/ocf/params.ts';
import { type Languages, metadataXml } from '../metadata/xml.ts';

export const projectFolder = resolve(import.meta.dirname, '..');

/** An executable to build: its name, its entry point, and for an agent the meta-data document that its launcher prints. */
export type Product = { readonly name: string; readonly entry: string; readonly metadata?: string };

/** As OCF names them. */
export const agentNames = ['drbd', 'Filesystem', 'IPaddr2', 'nfsserver', 'exportfs', 'nfsnotify'] as const;

/** Those agents whose declaration and prose exist. */
async function agentProducts(): Promise<readonly Product[]> {
  const names = agentNames.filter((name) =>
    ['agents/NAME/main.ts', 'metadata/en/NAME.ts', 'metadata/zh-CN/NAME.ts'].every((file) =>
      existsSync(join(projectFolder, file.replace('NAME', name))),
    ),
  );
  const found = await Promise.all(
    names.map(async (name) => {
      try {
        const declared = Object.values(await import(`../agents/${name}/agent.ts`)) as AgentDef<ParamTable>[];
        const agent = declared.find(({ actions }) => actions !== undefined);
        if (agent?.name !== name) throw new Error(`agents/${name}/agent.ts declares no agent of that name`);
        const prose = {
          en: (await import(`../metadata/en/${name}.ts`)).default,
          'zh-CN': (await import(`../metadata/zh-CN/${name}.ts`)).default,
        } as Languages<ParamTable>;
        return {
          name,
          entry: join(projectFolder, 'agents', name, 'main.ts'),
          metadata: metadataXml(agent, prose),
        };
      } catch (error) {
        console.error(`NOT BUILT: ${name}: ${error}`);
        return [];
      } // TEMPORARY
    }),
  );
  return found.flat();
}

/** The command for people. */
export const commandName = 'tsha';
const commandProduct: Product = { name: commandName, entry: join(projectFolder, 'cli/main.ts') };

export const products = async (): Promise<readonly Product[]> => [...(await agentProducts()), commandProduct];
