import { Failure } from '../../lib/contract/outcome.ts';
import { isClusterAware, isHarmlessClone } from './fstypes.ts';
import type { Ctx } from './params.ts';
import { hasOption } from './wanted.ts';

/** Two nodes that write to one ordinary filesystem destroy it. Only Pacemaker's clone attributes tell that this may happen. */
export function requireSafeClone({ params, request, log }: Ctx): void {
  if (!request.meta('clone_max')) return;
  const { fstype = '', device, options, force_clones } = params;
  if (isClusterAware(fstype) || isHarmlessClone(fstype)) return;
  const type = fstype || 'this filesystem';
  const readOnly = hasOption(options, 'ro') && !replaysJournal(fstype);
  if (!force_clones && !readOnly)
    throw new Failure(
      'misconfigured',
      `DANGER! ${type} on ${device} is NOT cluster-aware! Clones of it would destroy it`,
    );
  log.warn(
    `${type} on ${device} is not cluster-aware and runs as a clone because ${force_clones ? 'force_clones says so' : 'it is mounted ro'}`,
  );
}

/** Even mounted ro these write to the device: they replay their journal. */
const replaysJournal = (fstype: string): boolean =>
  ['ext3', 'ext4', 'ext4dev', 'reiserfs', 'reiser4', 'xfs', 'jfs'].includes(fstype);
