import { Failure } from '../../lib/contract/outcome.ts';
import { heartbeatProgram } from '../../lib/host/heartbeat-programs.ts';
import { stateDir } from '../../lib/host/memory.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { arpingHere } from './arping.ts';
import { macOf } from './change-share.ts';
import type { Ctx } from './params.ts';
import type { Spot } from './spot.ts';
import type { Wanted } from './wanted.ts';

/** The commands that announce `count` times. */
export type Sender = (count: number) => readonly Argv[];

type SenderName = NonNullable<Ctx['params']['arp_sender']>;

/** The program for this address and interface; `undefined` when the host has none. */
export async function findSender(ctx: Ctx, want: Wanted, spot: Spot): Promise<Sender | undefined> {
  if (want.share) return shareSender(ctx, want, spot);
  if (want.family === 'inet6') return ipv6Sender(ctx, want, spot);
  const name = ctx.params.arp_sender ?? (await installedSender(ctx, spot));
  return name && ipv4Sender(ctx, want, spot, name);
}

/** A sender that was configured must be there: its absence is found out before the address is added. */
export async function requireSender(ctx: Ctx): Promise<void> {
  const name = ctx.params.arp_sender;
  if (name === undefined) return;
  const program = await programOf(ctx, name);
  if (program === undefined)
    throw new Failure('notInstalled', `arp_sender=${name}: ${programs[name]} is not installed`);
}

const programs: Readonly<Record<SenderName, string>> = {
  send_arp: 'send_arp',
  ipoibarping: 'ipoibarping',
  iputils_arping: 'arping',
  libnet_arping: 'arping',
};

async function programOf(ctx: Ctx, name: SenderName): Promise<string | undefined> {
  if (name === 'send_arp') return heartbeatProgram(ctx.host, 'send_arp');
  return (await ctx.host.sys.has(programs[name])) ? programs[name] : undefined;
}

async function installedSender(ctx: Ctx, { link: { linkType } }: Spot): Promise<SenderName | undefined> {
  if (linkType === 'infiniband' && (await programOf(ctx, 'ipoibarping'))) return 'ipoibarping';
  if (await programOf(ctx, 'send_arp')) return 'send_arp';
  if (!(await ctx.host.sys.has('arping'))) return undefined;
  return (await arpingHere(ctx)) ?? 'iputils_arping';
}

/** Of send_arp, which leaves it behind when it is ended. */
export const pidFileOf = ({ host }: Ctx, ip: string): string =>
  `${stateDir(host.sys.env)}/send_arp-${ip}.pid`;

async function ipv4Sender(ctx: Ctx, want: Wanted, spot: Spot, name: SenderName): Promise<Sender | undefined> {
  const program = await programOf(ctx, name);
  if (program === undefined) return undefined;
  const { ip, share } = want;
  const nic = spot.link.name;
  const { arp_interval: interval, send_arp_opts = '' } = ctx.params;
  const other = name.endsWith('_arping') ? await arpingHere(ctx) : undefined;
  if (other !== undefined && other !== name)
    ctx.log.warn(`arp_sender=${name}, but the arping that is installed is ${other}: called as that`);
  const options = send_arp_opts.split(/\s+/).filter(Boolean);
  switch (other ?? name) {
    case 'send_arp': {
      // Sends a request and a reply each round. It deletes its pid file at the end, whatever that is, and gives way to the
      // process that an old one names: so the file is one of ours, and gone before.
      const pidFile = pidFileOf(ctx, ip);
      await ctx.host.sys.remove(pidFile).catch(() => undefined); // a /run that is read-only
      const fixed = [...options, '-i', String(interval), '-p', pidFile] as const;
      const mac = share ? (await macOf(ctx, want, spot)).replaceAll(':', '') : 'auto';
      const last = [nic, ip, mac, 'not_used', 'not_used'] as const;
      return (count) => [[program, ...fixed, '-r', String(count), ...last]];
    }
    case 'iputils_arping': {
      // Some switches learn from requests only, others from replies only.
      const kinds = options.length > 0 ? [[...options, '-U']] : [['-U'], ['-A']];
      return (count) =>
        kinds.map((kind) => [program, '-q', ...kind, '-c', String(count), '-I', nic, ip] as const);
    }
    case 'libnet_arping':
      return (count) => [[program, '-q', ...options, '-U', '-c', String(count), '-i', nic, '-S', ip, ip]];
    case 'ipoibarping':
      return (count) => [[program, '-q', '-c', String(count), '-U', '-I', nic, ip]];
  }
}

/** Only send_arp can tell another MAC address than the interface's, which would draw all clients to this one node. */
async function shareSender(ctx: Ctx, want: Wanted, spot: Spot): Promise<Sender | undefined> {
  if (want.family === 'inet6' || (ctx.params.arp_sender ?? 'send_arp') !== 'send_arp') return undefined;
  return ipv4Sender(ctx, want, spot, 'send_arp');
}

/** The kernel has told the neighbours once already (`advertise.ts`). */
async function ipv6Sender(ctx: Ctx, { ip }: Wanted, { link, prefix }: Spot): Promise<Sender | undefined> {
  const program = await heartbeatProgram(ctx.host, 'send_ua');
  if (program === undefined) return undefined;
  const { arp_interval: interval } = ctx.params;
  return (count) => [[program, '-i', String(interval), '-c', String(count), ip, String(prefix), link.name]];
}
