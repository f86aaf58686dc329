import { rscTmp } from '../../lib/host/memory.ts';
import { type Interface, interfaces } from '../../lib/host/net/addresses.ts';
import { ipCommand } from '../../lib/host/net/namespaces.ts';
import type { Ctx } from './params.ts';
import type { Wanted } from './wanted.ts';

// lvs_support: a director that is also a back end keeps the address on `lo` while another director serves it.

type Parked = { readonly label: string };

/** Takes ip/32 away from `lo`, so that the director answers for it on its interface. */
export async function takeFromLoopback({ host, params, memory, log }: Ctx, want: Wanted): Promise<void> {
  if (!params.lvs_support) return;
  const parked = onLoopback(await interfaces(host, want.namespace), want);
  if (!parked) return;
  await memory.note('parked', parked satisfies Parked);
  await host.run(ipCommand(want.namespace, '-4', 'address', 'delete', `${want.ip}/32`, 'dev', 'lo'));
  log.info(`${want.ip}/32 taken from lo for the time it is served here`);
}

/** Puts it back after the service has left. */
export async function giveBackToLoopback(ctx: Ctx, want: Wanted): Promise<void> {
  const { host, params, memory, log } = ctx;
  if (!params.lvs_support) return;
  const parked = (await memory.fact<Parked>('parked')) ?? (await parkedByStock(ctx, want));
  if (!parked || onLoopback(await interfaces(host, want.namespace), want)) return;
  const { label } = parked;
  await host.run(
    ipCommand(
      want.namespace,
      ...['-4', 'address', 'add', `${want.ip}/32`, 'broadcast', '255.255.255.255'],
      ...['dev', 'lo', ...(label === 'lo' ? [] : ['label', label])],
    ),
  );
  await memory.note('parked', undefined);
  await host.sys.remove(stockFile(ctx, want)).catch(() => undefined);
  log.info(`${want.ip}/32 put back on lo`);
}

/** The stock agent notes the same in a file named as the address. */
async function parkedByStock(ctx: Ctx, want: Wanted): Promise<Parked | undefined> {
  const text = await ctx.host.sys.read(stockFile(ctx, want)).catch(() => '');
  return text.trim() === '' ? undefined : { label: 'lo' };
}

const stockFile = ({ host }: Ctx, { ip }: Wanted): string => `${rscTmp(host.sys.env)}/${ip}`;

const onLoopback = (links: readonly Interface[], { ip }: Wanted): Parked | undefined => {
  const address = links
    .find(({ name }) => name === 'lo')
    ?.addresses.find((one) => one.ip === ip && one.prefix === 32);
  return address && { label: address.label ?? 'lo' };
};
