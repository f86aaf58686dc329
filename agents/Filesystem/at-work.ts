import { Failure } from '../../lib/contract/outcome.ts';
import { describeMounting, mountingFor } from '../../lib/host/storage/mounting.ts';
import { atStart } from './at-start.ts';
import { asideOf, readForce } from './force.ts';
import type { Ctx } from './params.ts';
import type { Seen } from './situation.ts';
import { askedDisks } from './stray.ts';

/**
 * What the mount table does not show may be about to appear there: a start was given up, or killed with all its children, while mount(8)
 * was in the kernel. Waits for its end; throws `Failure`, naming it, when it outlives that. Who asks looks at the table again then.
 * The disk is not opened to be told that it is in use: while one of DRBD is open here, the other node cannot become primary.
 */
export async function requireNobodyMounting(ctx: Ctx, seen: Seen, withinMs: number): Promise<void> {
  const { params, host, log, request } = ctx;
  const { directory, source } = seen.wanted;
  if (directory === '/') return;
  const before = await atStart(ctx);
  const isOnDisk = source.is === 'disk' || source.is === 'image';
  const aim = {
    directories: [
      directory,
      params.directory.trim(),
      asideOf(directory),
      ...(before ? [before.directory] : []),
    ],
    source: params.device.trim(),
    instance: request.instance,
    ...(isOnDisk && {
      sources: [params.device.trim()],
      numbers: await askedDisks(ctx, seen),
      unmounts: true,
    }),
  };
  let [first, ...others] = await mountingFor(host, aim);
  if (!first) return;
  const said = describeMounting(first);
  if (withinMs > 0) {
    log.warn(`${said}: waiting for its end`);
    // One that is not in the kernel may try again and again, as mount.nfs with bg does.
    if (readForce(params.force_unmount).evict)
      for (const one of [first, ...others]) host.sys.signal(one, 'SIGTERM');
    await host.until(async () => {
      [first, ...others] = await mountingFor(host, aim);
      return !first;
    }, withinMs);
  }
  if (first) throw new Failure('failed', describeMounting(first));
}
