import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import fs from 'fs-extra';
import { type CampaignName, isStock, labFolder, type Provider, projectFolder } from './settings.ts';

/** Without these the stock nfsserver cannot unmount /var/lib/nfs: nfsdcld, on Debian 13 also fsidd, outlive the server and use it. */
const helpedUnits = ['nfsdcld', 'fsidd'];

/** What the nodes get on top of the image, at its final paths below a folder of its own: the agents as an administrator installs them. */
export async function stageAgents(
  provider: Provider,
  signal: AbortSignal,
  campaign: CampaignName = 'failover',
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tsha-lab-agents-'));
  try {
    await stageInto(folder, provider, campaign, signal);
    return folder;
  } catch (error) {
    await fs.remove(folder);
    throw error;
  }
}

async function stageInto(
  folder: string,
  provider: Provider,
  campaign: CampaignName,
  signal: AbortSignal,
): Promise<void> {
  if (provider === 'stock-helped') {
    for (const unit of helpedUnits)
      await fs.outputFile(
        join(folder, `etc/systemd/system/${unit}.service.d/ha.conf`),
        '[Unit]\nPartOf=nfs-server.service\n',
      );
    await fs.outputFile(join(folder, 'etc/nfs.conf.d/statd.conf'), '[statd]\nno-notify=1\n');
  }
  if (campaign === 'fenced')
    await fs.copy(join(labFolder, 'faults/fencing/fence_lab'), join(folder, 'usr/sbin/fence_lab'));
  // the command looks at clusters of the stock agents, too
  if (!isStock(provider) || campaign === 'operate') {
    const flavour = isStock(provider) ? 'native' : provider;
    await execa(join(projectFolder, 'build.sh'), ['install', `--${flavour}`, '--root', folder], {
      cwd: projectFolder,
      cancelSignal: signal,
    });
  }
  if (provider === 'script')
    await fs.copy(await fs.realpath(process.execPath), join(folder, process.execPath));
}
