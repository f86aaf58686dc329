import { type Admin, complaint } from '../../lib/host/drbd/admin.ts';
import { Failure } from '../../lib/ocf/outcome.ts';
import { promotedMax } from './clone.ts';
import type { Ctx } from './params.ts';

/** promoted-max above 1 is only possible when DRBD is told to allow it. */
export async function requireTwoPrimaries({ request }: Ctx, admin: Admin): Promise<void> {
  if (promotedMax(request) < 2) return;
  const output = await admin.run(['dump-xml', admin.resource]);
  if (output.code !== 0)
    throw new Failure('failed', `drbdadm dump-xml ${admin.resource}: ${complaint(output)}`);
  if (!allowsTwoPrimaries(output.stdout))
    throw new Failure(
      'misconfigured',
      `promoted-max=2, but ${admin.resource} is configured without allow-two-primaries`,
    );
}

/** `drbdadm dump-xml`: as drbdadm itself understands the file; a connection's own word goes before the resource's. */
export function allowsTwoPrimaries(xml: string): boolean {
  const connections = xml.match(/<connection>.*?<\/connection>/gs) ?? [];
  const common = option(connections.reduce((rest, connection) => rest.replace(connection, ''), xml));
  return connections.length === 0
    ? common === true
    : connections.every((connection) => option(connection) ?? common ?? false);
}

const option = (xml: string): boolean | undefined => {
  const value = /<option name="allow-two-primaries"(?: value="(\w+)")?\s*\/>/.exec(xml);
  return value ? value[1] !== 'no' : undefined;
};
