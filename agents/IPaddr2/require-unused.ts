import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure } from '../../lib/host/host.ts';
import type { Interface } from '../../lib/host/net/addresses.ts';
import { inNamespace } from '../../lib/host/net/namespaces.ts';
import { arpingHere } from './arping.ts';
import type { Ctx } from './params.ts';
import type { Wanted } from './wanted.ts';

/** run_arping. IPv6 asks by itself, and a Cluster-IP has other owners. */
export const mustAsk = ({ params }: Ctx, want: Wanted, link: Interface): boolean =>
  params.run_arping && want.family === 'inet' && !want.share && link.linkType !== 'loopback';

/** Asks the network for another owner of the address. Without a link nobody hears the question, and that nobody answers says nothing. */
export async function requireUnused(ctx: Ctx, want: Wanted, link: Interface): Promise<void> {
  const { host, params, log } = ctx;
  if (!link.running) {
    const unasked = `${link.name} has no link: nobody can be asked whether ${want.ip} is in use`;
    if (params.check_link_status) throw new Failure('failed', unasked);
    log.warn(unasked);
    return;
  }
  const kind = (await arpingHere(ctx)) ?? 'iputils_arping';
  const argv = inNamespace(want.namespace, ['arping', '-q', ...questions[kind], link.name, want.ip]);
  const output = await host.tryRun(argv, { timeoutMs: longestMs });
  const silent = output.stderr.trim() === '' && !output.hung;
  const used = kind === 'iputils_arping' ? output.code === 1 && silent : output.code === 0;
  const unused = kind === 'iputils_arping' ? output.code === 0 : output.code === 1 && silent;
  if (used) throw new Failure('failed', `another host answers for ${want.ip} on ${link.name}`);
  if (!unused) throw commandFailure(argv, output);
}

/** Twice, as RFC 5227 has it: from 0.0.0.0, so that nobody learns an address that is not ours yet. */
const questions = {
  iputils_arping: ['-c', '2', '-w', '3', '-D', '-I'],
  libnet_arping: ['-0', '-c', '2', '-i'],
} as const;
/** Of the two only iputils' knows a bound of its own that means the same in all versions. */
const longestMs = 8000;
