import type { Host } from '../../lib/host/host.ts';
import { stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { describeMounting, mountingFor } from '../../lib/host/storage/mounting.ts';
import type { Wanted } from './wanted.ts';

/**
 * One sentence on a mount(8) of an earlier start that still has the state directory to mount, if it outlives that time: SIGKILL does not
 * reach it in the kernel, and no table shows its mount yet. Whoever asks looks at the table afterwards.
 */
export async function mountingStill(
  host: Host,
  { infodir }: Pick<Wanted, 'infodir'>,
  withinMs = 0,
): Promise<string | undefined> {
  if (infodir === undefined) return undefined;
  const look = () => mountingFor(host, { directories: [stateRoot] });
  let [first] = await look();
  if (first)
    await host.until(async () => {
      [first] = await look();
      return first === undefined;
    }, withinMs);
  return first && describeMounting(first);
}
