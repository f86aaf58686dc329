import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure, commandLine, firstLine } from '../../lib/host/host.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { checksItself } from './fstypes.ts';
import type { Ctx } from './params.ts';
import type { Source } from './wanted.ts';

/** From here on fsck(8)'s exit code says that errors remain; below it, that all is well or was repaired. */
const errorsRemain = 4;

export async function checkFilesystem(
  { params, host, log }: Ctx,
  source: Source,
  device: string,
): Promise<void> {
  const { run_fsck, fstype = '' } = params;
  if (!['auto', 'force', 'no'].includes(run_fsck))
    log.warn(`run_fsck=${run_fsck} is not auto, force or no: taken as auto`);
  if (source.is !== 'disk' || run_fsck === 'no' || (run_fsck !== 'force' && checksItself(fstype))) return;
  const argv: Argv = ['fsck', ...(fstype ? ['-t', fstype] : []), '-p', device];
  log.info(`checking the filesystem: ${commandLine(argv)}`);
  const output = await host.tryRun(argv);
  if (output.hung || output.missing) throw commandFailure(argv, output);
  if (output.code >= errorsRemain)
    throw new Failure(
      'failed',
      `${device} has errors that fsck -p cannot repair (exit ${output.code}): ${firstLine(output.stdout + output.stderr)}`,
    );
}
