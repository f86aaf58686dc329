import { type Admin, complaint } from '../../lib/host/drbd/admin.ts';
import type { Version } from '../../lib/host/drbd/version.ts';
import type { Output } from '../../lib/host/sys/sys.ts';
import type { Ctx } from './params.ts';
import { likelyPeer, promotedElsewhere } from './peers.ts';
import { wanted } from './wanted.ts';

/** What is left for the score and the answer when a wait takes as long as it may. */
const reserveMs = 5000;

/** Connects to the peers and waits for them a while. A start is complete without them: then nothing but the score is worse. */
export async function connect(ctx: Ctx, admin: Admin, kernel: Version): Promise<void> {
  if (kernel[0] >= 9) {
    const [primary] = (await promotedElsewhere(ctx)) ?? [];
    if (primary) await connectFirst(ctx, admin, primary);
    await adjust(ctx, admin, kernel);
    await wait(ctx, ['wait-connect-resource', admin.resource]);
    return;
  }
  await adjust(ctx, admin, kernel);
  // All volumes share one connection: when one has waited in vain, the others would.
  for (const device of await admin.devices()) if (!(await wait(ctx, ['wait-connect', device]))) return;
}

/** Brings the kernel to what the configuration says, which also reconnects what stands alone; a failure is a warning. */
export async function adjust(ctx: Ctx, admin: Admin, kernel: Version): Promise<void> {
  const output = await adjusted(ctx, admin, kernel);
  if (output.code !== 0) ctx.log.warn(`drbdadm adjust ${admin.resource}: ${complaint(output)}`);
}

/** The same, and what drbdadm says. 8.4 knows one peer, and must be told which when the configuration lists several hosts. */
export async function adjusted(ctx: Ctx, admin: Admin, kernel: Version): Promise<Output> {
  const peer = kernel[0] < 9 ? await likelyPeer(ctx) : undefined;
  const words = [...(peer ? ['--peer', peer] : []), 'adjust', admin.resource];
  return admin.run(words, { timeoutMs: ctx.host.left() / 2 });
}

/** To the Primary before all others: the handshake with it decides whose data is good. */
async function connectFirst(ctx: Ctx, admin: Admin, primary: string): Promise<void> {
  const { log } = ctx;
  const target = `${admin.resource}:${primary}`;
  const dry = await admin.run(['-d', 'connect', target], { timeoutMs: ctx.host.left() / 4 });
  const id = /^drbdsetup connect \S+ (\d+)/m.exec(dry.stdout)?.[1];
  if (id === undefined) {
    const isUnknown = dry.code === 0 || / not defined in /.test(dry.stderr);
    log.warn(
      isUnknown
        ? `${primary} is not a peer in the DRBD configuration: node names must be the same there and in the cluster`
        : `drbdadm -d connect ${target}: ${complaint(dry)}`,
    );
    return;
  }
  const output = await admin.run(['adjust', target], { timeoutMs: ctx.host.left() / 2 });
  if (output.code !== 0) log.warn(`drbdadm adjust ${target}: ${complaint(output)}`);
  await wait(ctx, ['wait-connect-connection', admin.resource, id]);
}

/** Returns when the connection is there, or after wfc_timeout: drbdsetup follows the kernel's events itself. Says whether it is. */
async function wait(ctx: Ctx, words: readonly string[]): Promise<boolean> {
  const { host, log } = ctx;
  const timeoutMs = host.left() - reserveMs;
  const seconds = Math.min(wanted(ctx).waitSeconds, Math.floor(timeoutMs / 1000));
  if (seconds < 1) return false; // to drbdsetup 0 means for ever
  const limits = ['wfc', 'degr-wfc', 'outdated-wfc'].map((kind) => `--${kind}-timeout=${seconds}`);
  const output = await host.tryRun(['drbdsetup', ...words, ...limits], { timeoutMs });
  if (output.code !== 0) log.info(`no connection yet after ${words.join(' ')}: ${complaint(output)}`);
  return output.code === 0;
}
