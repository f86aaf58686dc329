import type { Host } from './host.ts';
import { readIfThere } from './local-files.ts';
import { isInstalled } from './systemd.ts';

/** pacemaker.service wants it and comes after it; a file of the package `resource-agents`, which need not be installed. */
const beforePacemaker = 'resource-agents-deps.target';
const runtimeDir = '/run/systemd/system';

/**
 * When the machine shuts down, systemd ends these units only after Pacemaker has stopped its resources: it takes everything down at
 * once otherwise. Valid until the next boot; `owner` names the drop-in. Does nothing where it is done already. Throws.
 */
export async function endAfterPacemaker(
  host: Host,
  owner: string,
  units: readonly string[],
  timeoutMs: number,
): Promise<void> {
  const folder = `${runtimeDir}/${beforePacemaker}.d`;
  const dropIn = `${folder}/99-${owner}.conf`;
  const text = `[Unit]\nAfter=${units.join(' ')}\n`;
  if ((await readIfThere(host, dropIn)) === text) return;
  if (!(await isInstalled(host, beforePacemaker)))
    await host.sys.write(
      `${runtimeDir}/${beforePacemaker}`,
      '[Unit]\nDescription=What cluster resources need after Pacemaker has gone\n',
    );
  await host.sys.makeDir(folder);
  await host.sys.write(dropIn, text);
  try {
    await host.run(['systemctl', 'daemon-reload'], { timeoutMs });
    // an order between two units holds only where both are up
    await host.run(['systemctl', 'start', '--no-block', beforePacemaker], { timeoutMs });
  } catch (error) {
    await host.sys.remove(dropIn); // to be tried again
    throw error;
  }
}
