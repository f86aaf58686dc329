import { wordsOf } from '../../lib/contract/reason.ts';
import { commandFailure, commandLine, commandTrouble, type Host } from '../../lib/host/host.ts';
import { type Address, type Interface, interfaces, type Sighting } from '../../lib/host/net/addresses.ts';
import { inNamespace, ipCommand, type Namespace } from '../../lib/host/net/namespaces.ts';
import { contains } from '../../lib/host/net/networks.ts';
import { whileAtRest, withoutOthers } from './at-rest.ts';
import type { ChosenSpot } from './choose-spot.ts';
import type { Ctx } from './params.ts';
import type { Wanted } from './wanted.ts';

/**
 * Adds the address; the kernel keeps it or refuses it, there is no half. Says whether it did: one that has come meanwhile, as from
 * another instance of a Cluster-IP, is none of ours to take back.
 */
export async function addAddress(ctx: Ctx, want: Wanted, spot: ChosenSpot): Promise<boolean> {
  const { host, params } = ctx;
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
  const output = await whileAtRest(ctx, () => host.tryRun(argv));
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
export async function removeAddress(
  ctx: Ctx,
  namespace: Namespace,
  { link, address }: Sighting,
): Promise<void> {
  const isSafe =
    address.family === 'inet6' ||
    (await promotes(ctx.host, namespace, link.name)) ||
    (await switchPromotionOn(ctx, namespace, link.name));
  if (isSafe) return deleteAddress(ctx, namespace, link, address);
  await withoutOthers(ctx, async () => {
    // Others may have come or gone since the look, and which is the first is another one then.
    const now = (await interfaces(ctx.host, namespace)).find(({ index }) => index === link.index);
    const still = now?.addresses.find(
      ({ ip, prefix, peer }) => ip === address.ip && prefix === address.prefix && peer === address.peer,
    );
    if (now === undefined || still === undefined) return;
    await deleteAddress(ctx, namespace, now, still);
    await putBack(ctx, namespace, now, takenAlong(now, still));
  });
}

async function deleteAddress(
  { host, log }: Ctx,
  namespace: Namespace,
  link: Interface,
  { ip, prefix, peer, family }: Address,
): Promise<void> {
  const which = peer === undefined ? [`${ip}/${prefix}`] : [ip, 'peer', `${peer}/${prefix}`];
  const argv = ipCommand(namespace, '-f', family, 'address', 'delete', ...which, 'dev', link.name);
  const { code, stderr } = await host.tryRun(argv);
  if (code !== 0) log.warn(`${commandLine(argv)}: ${stderr.trim() || `exit ${code}`}`);
}

const promotion = (dev: string): string => `/proc/sys/net/ipv4/conf/${dev}/promote_secondaries`;

/** Whether the kernel keeps the secondary addresses of a network when the first goes. */
async function promotes(host: Host, namespace: Namespace, nic: string): Promise<boolean> {
  const files = ['all', nic].map(promotion);
  const text =
    namespace === undefined
      ? (await Promise.all(files.map((file) => host.sys.read(file).catch(() => '')))).join('')
      : (await host.tryRun(inNamespace(namespace, ['cat', ...files]))).stdout;
  return text.includes('1');
}

/**
 * Has the kernel keep them. It is left switched on, as systemd's defaults have it: another address may be removed at this moment, or come,
 * and switching back would lose that one's neighbours. Says whether it is on, which it cannot be where /proc/sys is read-only.
 */
async function switchPromotionOn({ host, log }: Ctx, namespace: Namespace, nic: string): Promise<boolean> {
  const file = promotion(nic);
  try {
    if (namespace === undefined) await host.sys.poke(file, '1\n');
    else await host.run(inNamespace(namespace, ['tee', file]), { input: '1\n' });
    log.info(`promote_secondaries switched on for ${nic}: its other addresses stay when the first goes`);
    return true;
  } catch (error) {
    log.warn(
      `promote_secondaries of ${nic} stays off: ${wordsOf(error)}; addresses that go along are put back`,
    );
    return false;
  }
}

/** Those that the kernel takes along with the first of their network. */
const takenAlong = (link: Interface, { ip, prefix, secondary }: Address): readonly Address[] =>
  secondary
    ? []
    : link.addresses.filter(
        (other) => other.secondary && other.prefix === prefix && contains(ip, prefix, other.ip),
      );

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
