import { type Admin, drbdadm } from '../../lib/host/drbd/admin.ts';
import { configurationOf } from '../../lib/host/drbd/configuration.ts';
import { fenceHandlerSeconds } from '../../lib/host/drbd/fencing.ts';
import type { Ctx } from './params.ts';
import { wanted } from './wanted.ts';

/** Of a handler that says nothing about its time, or of a configuration that cannot be read: as long as the one that comes with DRBD. */
const usualSeconds = 90;
const configurationMs = 5000;

/** How long the fence-peer handler may keep I/O suspended, in seconds. */
export async function fencingSeconds(ctx: Ctx): Promise<number> {
  const { host } = ctx;
  const { resource, file } = wanted(ctx);
  const admin = drbdadm(host, resource, file);
  const bounded: Admin = {
    ...admin,
    run: (words) => admin.run(words, { timeoutMs: Math.min(configurationMs, host.left() / 3) }),
  };
  const handler = await configurationOf(bounded).then(
    ({ handlers }) => handlers.get('fence-peer'),
    () => undefined,
  );
  return fenceHandlerSeconds(handler ?? '') ?? usualSeconds;
}
