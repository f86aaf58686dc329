import type { Host } from '../host.ts';
import { objectsIn } from './events2.ts';
import { type Answer, ask } from './query.ts';
import { type Role, roleOf } from './words.ts';

/** A minor and the resource that it belongs to in the kernel. */
export type Owner = { readonly minor: number; readonly name: string; readonly role: Role };

/** Reads `drbdsetup events2 --now`, of all resources. `undefined` for anything but a complete dump. */
function parseOwners(text: string): readonly Owner[] | undefined {
  const objects = objectsIn(text);
  const roles = new Map(
    objects?.flatMap(({ kind, fields }) =>
      kind === 'resource' ? [[fields.get('name'), roleOf(fields.get('role'))] as const] : [],
    ),
  );
  return objects?.flatMap(({ kind, fields }) => {
    const name = fields.get('name') ?? '';
    const minor = Number(fields.get('minor') ?? 'none');
    return kind === 'device' ? [{ minor, name, role: roles.get(name) ?? 'Unknown' }] : [];
  });
}

/**
 * Every minor that is up in the kernel, whatever resource it belongs to there, asked for again and again for at most so long; the
 * words of drbdsetup when it does not say.
 */
export async function minorsUp(
  host: Host,
  patienceMs: number,
): Promise<readonly Owner[] | { readonly why: string }> {
  const disks = await host.sys.list('/sys/block').catch(() => undefined);
  if (disks && !disks.some((disk) => disk.startsWith('drbd'))) return [];
  let answer: Answer<readonly Owner[]> | { readonly why: string } = { why: 'no time left to ask' };
  await host.until(async () => {
    answer = await ask(host, ['drbdsetup', 'events2', '--now'], parseOwners, patienceMs);
    return 'dump' in answer;
  }, patienceMs);
  return dumpOr(answer);
}

const dumpOr = (
  answer: Answer<readonly Owner[]> | { readonly why: string },
): readonly Owner[] | { readonly why: string } => ('dump' in answer ? answer.dump : answer);
