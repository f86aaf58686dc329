import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure } from '../../lib/host/host.ts';
import type { Ctx } from './params.ts';

/** A module may be loaded before its type is registered. */
const registrationMs = 5000;

/** Makes sure that this kernel, or a helper of mount, knows the type. */
export async function requireType({ params, host, log }: Ctx): Promise<void> {
  const { fstype } = params;
  if (!fstype || fstype === 'none') return;
  const type = /^(fuse\.|glusterfs$|rozofs$)/.test(fstype) ? 'fuse' : fstype;
  const isKnown = async () =>
    (await host.sys.read('/proc/filesystems')).split('\n').some((line) => line.split('\t').at(-1) === type);
  if ((await isKnown()) || (await host.sys.has(`mount.${fstype}`))) return;
  log.info(`loading the module for ${type}`);
  const argv = ['modprobe', type] as const;
  const output = await host.tryRun(argv);
  if (output.code !== 0)
    throw new Failure(
      'notInstalled',
      `this kernel has no ${type} filesystem: ${commandFailure(argv, output).message}`,
    );
  if (!(await host.until(isKnown, registrationMs)))
    throw new Failure(
      'notInstalled',
      `modprobe ${type} succeeded, but the kernel still has no ${type} filesystem`,
    );
}
