import type { Ctx } from './params.ts';

// Two programs are called arping: that of iputils (Debian's iputils-arping; BusyBox has one that is called alike) and Thomas Habets'
// (Debian's arping, made with libnet). Options and exit codes differ: to `-D` the first answers 1 for an address in use, the second,
// which has no such option, 0 for an address that somebody has.

export type Arping = 'iputils_arping' | 'libnet_arping';

/**
 * Which of the two is installed; `undefined` for neither, or one that does not say. Their answers to `-V`:
 *
 *     arping from iputils 20221126
 *     ARPing 2.23, by Thomas Habets <thomas@habets.se>
 */
export async function arpingHere({ host }: Ctx): Promise<Arping | undefined> {
  if (!(await host.sys.has('arping'))) return undefined;
  const { stdout, stderr } = await host.tryRun(['arping', '-V']);
  const said = stdout + stderr;
  if (/habets/i.test(said)) return 'libnet_arping';
  return /iputils|busybox/i.test(said) ? 'iputils_arping' : undefined;
}
