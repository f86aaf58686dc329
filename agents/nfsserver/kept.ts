import type { Log } from '../../lib/contract/log.ts';
import type { Host } from '../../lib/host/host.ts';
import { stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { beneath, RefusedFailure } from '../../lib/host/storage/beneath.ts';

// What one start leaves in the state directory for the next, on whichever node: a short text each.

/** At most `most` bytes. `undefined` where there is none, or something else lies in its place: that is told, and what is kept next takes its place. */
export async function keptText(
  host: Host,
  log: Log,
  file: string,
  most: number,
): Promise<string | undefined> {
  try {
    return (await beneath(host, stateRoot, 'readFile', { path: file, most }))?.trim();
  } catch (error) {
    if (!(error instanceof RefusedFailure)) throw error;
    log.warn(error.message);
    return undefined;
  }
}

/** Throws `Failure` where it cannot be kept. */
export const keepText = (host: Host, file: string, text: string): Promise<void> =>
  beneath(host, stateRoot, 'replaceFile', { path: file, text: `${text}\n` });
