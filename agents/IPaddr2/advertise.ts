import { wordsOf } from '../../lib/contract/reason.ts';
import type { Interface } from '../../lib/host/net/addresses.ts';
import type { Ctx } from './params.ts';
import type { Wanted } from './wanted.ts';

/**
 * Has the kernel itself tell the neighbours of a new IPv6 address, at the moment duplicate address detection clears it
 * (ndisc_notify, Linux 4.18 and later), while `work` adds it, and leaves the setting as it was; of several that do so at the same time
 * the last does. Where the setting cannot be written, as in a container whose /proc/sys is read-only, `work` is done without it.
 */
export async function advertise(
  { host, params, memory, log }: Ctx,
  want: Wanted,
  link: Interface,
  work: () => Promise<void>,
): Promise<void> {
  const setting = `/proc/sys/net/ipv6/conf/${link.name}/ndisc_notify`;
  const was =
    want.family === 'inet6' && want.namespace === undefined && !params.nodad && !want.share
      ? (await host.sys.read(setting).catch(() => '')).trim()
      : '';
  const othersDo = async () =>
    (await memory.others()).some(({ facts }) => facts['advertises'] === link.index);
  if (was !== '0' && !(was === '1' && (await othersDo()))) return work();
  const set = (value: string) =>
    host.sys.poke(setting, `${value}\n`).then(
      () => true,
      (error: unknown) => {
        log.info(`${want.ip} is not advertised by the kernel: ${setting}: ${wordsOf(error)}`);
        return false;
      },
    );
  await memory.hint('advertises', link.index);
  const isSet = await set('1');
  try {
    await work();
  } finally {
    await memory.hint('advertises', undefined);
    if (isSet && !(await othersDo())) await set('0');
  }
}
