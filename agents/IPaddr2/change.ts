import { wordsOf } from '../../lib/contract/reason.ts';
import { commandFailure, commandLine, commandTrouble, type Host } from '../../lib/host/host.ts';
import { type Address, type Interface, interfaces, type Sighting } from '../../lib/host/net/addresses.ts';
import { inNamespace, ipCommand, type Namespace } from '../../lib/host/net/namespaces.ts';
import { contains } from '../../lib/host/net/networks.ts';
import type { ChosenSpot } from './choose-spot.ts';
import type { Ctx } from './params.ts';

import type { Wanted } from './wanted.ts';

/**
 * Adds the address; the kernel keeps it or refuses it, there is no half. Says whether it did: one that has come meanwhile, as from
 * another instance of a Cluster-IP, is none of ours to take back.
 */
export async function addAddress({ host, params }: Ctx, want: Wanted, spot: ChosenSpot): Promise<boolean> {
  const { link, prefix, broadcast, label, metric } = spot;
  const six = want.family === 'inet6';
  const words = [
    ...[`${want.ip}/${prefix}`, 'dev', link.name],
    ...(broadcast === undefined ? [] : ['broadcast', broadcast]),
    ...(label === undefined ? [] : ['label', label]),
    ...(metric === undefined ? [] : ['metric', String(metric)]),
    ...(six && (params.nodad || want.share) ? ['nodad'] : []),
    ...(params.noprefixroute ? ['noprefixroute'] : []),
    ...(six && params.preferred_lft !== 'forever' ? ['preferred_lft', params.preferred_lft] : []),
  ];
  const argv = ipCommand(want.namespace, '-f', want.family, 'address', 'add', ...words);
  const output = await host.tryRun(argv);
  if (output.code === 0) return true;
  if (!(await isThere(host, want.namespace, link, { ip: want.ip, prefix })))
    throw commandFailure(argv, output);
  return output.hung !== undefined;
}

async function isThere(
  host: Host,
  namespace: Namespace,
  { index }: Interface,
  { ip, prefix }: Pick<Address, 'ip' | 'prefix'>,
): Promise<boolean> {
  const link = (await interfaces(host, namespace)).find((one) => one.index === index);
  return link?.addresses.some((address) => address.ip === ip && address.prefix === prefix) ?? false;
}

/**
 * Removes exactly this address. Other addresses of its network stay: should it be the first of them, the kernel would take the
 * others with it.
 */
export async function removeAddress(ctx: Ctx, namespace: Namespace, sighting: Sighting): Promise<void> {
  const { link, address } = sighting;
  const { ip, prefix, peer, family } = address;
  const endangered = await promoteOthers(ctx, namespace, link, address);
  const which = peer === undefined ? [`${ip}/${prefix}`] : [ip, 'peer', `${peer}/${prefix}`];
  const argv = ipCommand(namespace, '-f', family, 'address', 'delete', ...which, 'dev', link.name);
  const { code, stderr } = await ctx.host.tryRun(argv);
  if (code !== 0) ctx.log.warn(`${commandLine(argv)}: ${stderr.trim() || `exit ${code}`}`);
  await putBack(ctx, namespace, link, endangered);
}

/**
 * Has the kernel keep the secondary addresses of a network when the first goes. It is left switched on, as systemd's defaults
 * have it: another address may be removed at this moment, and switching back would lose that one's neighbours. Returns those that the
 * kernel would take along because that cannot be switched on, as where /proc/sys is read-only.
 */
async function promoteOthers(
  { host, log }: Ctx,
  namespace: Namespace,
  link: Interface,
  address: Address,
): Promise<readonly Address[]> {
  if (address.family === 'inet6' || address.secondary) return [];
  const others = link.addresses.filter(
    (other) =>
      other.secondary && other.prefix === address.prefix && contains(address.ip, address.prefix, other.ip),
  );
  if (others.length === 0) return [];
  const conf = (dev: string) => `/proc/sys/net/ipv4/conf/${dev}/promote_secondaries`;
  const write = async (file: string) =>
    namespace === undefined
      ? host.sys.poke(file, '1\n')
      : void (await host.run(inNamespace(namespace, ['tee', file]), { input: '1\n' }));
  const read = (file: string): Promise<string> =>
    namespace === undefined ? host.sys.read(file) : host.run(inNamespace(namespace, ['cat', file]));
  try {
    for (const dev of ['all', link.name])
      if ((await read(conf(dev)).catch(() => '0')).trim() === '1') return [];
    await write(conf(link.name));
    log.info(
      `promote_secondaries switched on for ${link.name}: its other addresses stay when ${address.ip} goes`,
    );
    return [];
  } catch (error) {
    log.warn(
      `promote_secondaries of ${link.name} stays off: ${wordsOf(error)}; its other addresses are put back`,
    );
    return others;
  }
}

/** Adds addresses that went, as they were. */
export async function putBack(
  { host, log }: Ctx,
  namespace: Namespace,
  { index }: Interface,
  addresses: readonly Address[],
): Promise<void> {
  if (addresses.length === 0) return;
  const now = (await interfaces(host, namespace)).find((link) => link.index === index);
  const here = new Set(now?.addresses.map(({ ip, prefix }) => `${ip}/${prefix}`));
  for (const { family, ip, prefix, peer, broadcast, label, origin } of addresses) {
    if (now === undefined || here.has(`${ip}/${prefix}`)) continue;
    const argv = ipCommand(
      namespace,
      ...['-f', family, 'address', 'add'],
      ...(peer === undefined ? [`${ip}/${prefix}`] : [ip, 'peer', `${peer}/${prefix}`]),
      ...(broadcast === undefined ? [] : ['broadcast', broadcast]),
      ...(label === undefined || label === now.name ? [] : ['label', label]),
      ...origin,
      ...['dev', now.name],
    );
    const output = await host.tryRun(argv);
    if (output.code === 0) log.info(`${ip}/${prefix} put back on ${now.name}`);
    else if (!(await isThere(host, namespace, now, { ip, prefix })))
      log.error(`${ip}/${prefix} went and cannot be put back: ${commandTrouble(argv, output)}`);
  }
}

/** Source address selection (RFC 6724) avoids an address with a label of its own. Not having one is no reason to fail. */
export async function labelSource(
  { host, params, log }: Ctx,
  want: Wanted,
  verb: 'add' | 'del',
): Promise<void> {
  if (want.family !== 'inet6' || !params.lvs_ipv6_addrlabel) return;
  const label = String(params.lvs_ipv6_addrlabel_value);
  const argv = ipCommand(want.namespace, 'addrlabel', verb, 'prefix', `${want.ip}/128`, 'label', label);
  const { code, stderr } = await host.tryRun(argv);
  if (code !== 0 && verb === 'add' && !stderr.includes('File exists'))
    log.warn(`${commandLine(argv)}: ${stderr.trim()}`);
}
