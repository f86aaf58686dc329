import { commandFailure } from '../../lib/host/host.ts';
import { ensureDirectory } from '../../lib/host/storage/managed-files.ts';
import { answersHere, canonicalPath, type Mount, mountOn } from '../../lib/host/storage/mounts.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { asideOf } from './force.ts';
import type { Ctx } from './params.ts';

/**
 * Takes the mount away from its path, so that programs which come back do not find it again. The kernel refuses that below a mount
 * that is shared with other namespaces, which is systemd's default: then it is unmounted where it is.
 */
export async function moveAside(
  { host, log }: Ctx,
  { target }: Mount,
  table: readonly Mount[],
): Promise<void> {
  const aside = asideOf(target);
  const inPlace = (why: string) => log.warn(`cannot move ${target} to ${aside}, unmounting in place: ${why}`);
  if (mountOn(table, aside)) return inPlace('something is mounted there');
  if (!answersHere(aside, table)) return inPlace('others may put a link there');
  // Behind a link nobody would look for it afterwards.
  if ((await canonicalPath(host, aside, table)) !== aside) return inPlace('it is a symbolic link');
  try {
    await ensureDirectory(host, aside);
  } catch (error) {
    return inPlace(error instanceof Error ? error.message : String(error));
  }
  // -c: or mount stats the path first, which hangs with its server
  const argv: Argv = ['mount', '-c', '--move', target, aside];
  const output = await host.tryRun(argv, { timeoutMs: host.left() / 4 });
  if (output.code !== 0) inPlace(commandFailure(argv, output).message);
  else log.info(`moved ${target} to ${aside}`);
}
