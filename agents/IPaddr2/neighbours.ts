import type { Interface } from '../../lib/host/net/addresses.ts';
import type { Ctx } from './params.ts';
import type { Wanted } from './wanted.ts';

/**
 * Has the kernel itself tell the neighbours of a new IPv6 address, at the moment duplicate address detection clears it
 * (ndisc_notify, Linux 4.18 and later), and leaves the setting as it was.
 */
export async function advertised(
  { host, params }: Ctx,
  want: Wanted,
  link: Interface,
  work: () => Promise<void>,
): Promise<void> {
  const setting = `/proc/sys/net/ipv6/conf/${link.name}/ndisc_notify`;
  const was =
    want.family === 'inet6' && want.namespace === undefined && !params.nodad && !want.share
      ? (await host.sys.read(setting).catch(() => '')).trim()
      : '';
  if (was !== '0') return work();
  await host.sys.poke(setting, '1\n');
  try {
    await work();
  } finally {
    await host.sys.poke(setting, `${was}\n`);
  }
}
