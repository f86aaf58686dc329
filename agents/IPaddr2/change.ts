import type { Address, Interface, Sighting } from '../../lib/host/net/addresses.ts';
import { inNamespace, ipCommand, type Namespace } from '../../lib/host/net/namespaces.ts';
import type { Ctx } from './params.ts';
import type { Place } from './place.ts';

import type { Wanted } from './wanted.ts';

/** Adds the address; the kernel keeps it or refuses it, there is no half. */
export async function addAddress({ host, params }: Ctx, want: Wanted, place: Place): Promise<void> {
  const { link, prefix, broadcast, label, metric } = place;
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
  await host.run(ipCommand(want.namespace, '-f', want.family, 'address', 'add', ...words));
}

/**
 * Removes exactly this address. Other addresses of its network stay: should it be the first of them, the kernel would take the
 * others with it.
 */
export async function removeAddress(ctx: Ctx, namespace: Namespace, sighting: Sighting): Promise<void> {
  const { link, address } = sighting;
  const { ip, prefix, peer, family } = address;
  await promoteOthers(ctx, namespace, link, address);
  const which = peer === undefined ? [`${ip}/${prefix}`] : [ip, 'peer', `${peer}/${prefix}`];
  const argv = ipCommand(namespace, '-f', family, 'address', 'delete', ...which, 'dev', link.name);
  const { code, stderr } = await ctx.host.tryRun(argv);
  if (code !== 0) ctx.log.warn(`${argv.join(' ')}: ${stderr.trim() || `exit ${code}`}`);
}

/**
 * Has the kernel keep the secondary addresses of a network when the first goes. It is left switched on, as systemd's defaults
 * have it: another address may be removed at this moment, and switching back would lose that one's neighbours.
 */
async function promoteOthers(
  { host, log }: Ctx,
  namespace: Namespace,
  link: Interface,
  address: Address,
): Promise<void> {
  const others = link.addresses.some(({ secondary }) => secondary);
  if (address.family === 'inet6' || address.secondary || !others) return;
  const conf = (dev: string) => `/proc/sys/net/ipv4/conf/${dev}/promote_secondaries`;
  if (namespace !== undefined) {
    const key = `net/ipv4/conf/${link.name}/promote_secondaries=1`;
    await host.tryRun(inNamespace(namespace, ['sysctl', '-q', '-w', key]));
    return;
  }
  for (const dev of ['all', link.name])
    if ((await host.sys.read(conf(dev)).catch(() => '0')).trim() === '1') return;
  await host.sys.poke(conf(link.name), '1\n');
  log.info(
    `promote_secondaries switched on for ${link.name}: its other addresses stay when ${address.ip} goes`,
  );
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
    log.warn(`${argv.join(' ')}: ${stderr.trim()}`);
}
