import { join } from 'node:path';
import { execa } from 'execa';
import fs from 'fs-extra';
import type { Image } from '../image/image.ts';
import { withLayers } from '../image/layers.ts';
import type { Plan } from '../scenarios/run.ts';
import { hash, stateFolder } from '../settings.ts';
import { agentsOf, agentType, pcsCommands } from './configuration.ts';

export const inChroot = join(import.meta.dirname, 'in-chroot.sh');

/**
 * The cluster's configuration as pcs writes it. pcs runs in a chroot of the machines' own system, where it takes a tenth of the time
 * it takes in a machine. `staged` is the folder that holds the agents at their final paths.
 */
export async function writeCib(
  image: Image,
  { provider, order, campaign }: Plan,
  staged: string,
  signal: AbortSignal,
): Promise<string> {
  return await withLayers([staged, ...image.layers], undefined, async (root) => {
    const chroot = async (...command: string[]): Promise<string> =>
      (await execa(inChroot, [root, ...command], { cancelSignal: signal, timeout: 600_000 })).stdout;

    const metadata = await Promise.all(
      agentsOf(campaign).map((agent) =>
        chroot('crm_resource', '--show-metadata', agentType(agent, provider)),
      ),
    );
    const commands = pcsCommands(provider, order, campaign);
    const cached = join(stateFolder, 'cibs', `${hash(image.key, JSON.stringify(commands), ...metadata)}.xml`);
    if (await fs.pathExists(cached)) return await fs.readFile(cached, 'utf8');

    await fs.writeFile(join(root, 'cib.xml'), await chroot('cibadmin', '--empty'));
    for (const command of commands) await chroot('pcs', '-f', '/cib.xml', ...command);
    const cib = await fs.readFile(join(root, 'cib.xml'), 'utf8');
    // in one step: another campaign may be looking for it
    const draft = `${cached}.${process.hrtime.bigint()}`;
    await fs.outputFile(draft, cib);
    await fs.rename(draft, cached);
    return cib;
  });
}
