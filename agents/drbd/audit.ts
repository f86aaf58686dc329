import { drbdAudit } from '../../lib/findings/drbd-audit.ts';
import {
  type AuditFinding,
  declaredPromoteSeconds,
  findingsInDrbd,
} from '../../lib/findings/drbd-configuration.ts';
import { filled, filledCommand, finding } from '../../lib/findings/finding.ts';
import { clusterNodes, resourceXml } from '../../lib/host/cluster.ts';
import { secondsIn } from '../../lib/host/cluster-time.ts';
import { type Configuration, missingHandlers } from '../../lib/host/drbd/configuration.ts';
import { fencingConstraints, prefixesIn } from '../../lib/host/drbd/fencing.ts';
import { drbdState } from '../../lib/host/drbd/query.ts';
import type { Version } from '../../lib/host/drbd/version.ts';
import { readXml } from '../../lib/host/xml.ts';
import { all } from '../../lib/host/xml-element.ts';
import { dataQuality } from './data.ts';
import type { Ctx } from './params.ts';
import { wanted } from './wanted.ts';

/** What works today and will hurt on the day of a failure: rows of the catalogue of `tsha check`, with their evidence. */
export async function audit(
  ctx: Ctx,
  configuration: Configuration,
  kernel: Version,
): Promise<readonly AuditFinding[]> {
  const { host, request } = ctx;
  const { resource, promotedMax } = wanted(ctx);
  const inConfiguration = findingsInDrbd({
    resource,
    configuration,
    major: kernel[0],
    missing: await missingHandlers(host, configuration),
    id: request.instance,
    promoteSeconds: await promoteSeconds(ctx),
    promotedMax,
    nodes: (await clusterNodes(host)) ?? null,
  });
  return [...inConfiguration, ...(await staleConstraints(ctx, configuration))];
}

/** A finding as a person reads it in the log, with the first thing to do. */
export const advice = ({ code, facts }: AuditFinding): string =>
  `${sentenceOf({ code, facts })} [${code}]: ${filledCommand(drbdAudit[code].fix[0], facts)}`;

export const sentenceOf = ({ code, facts }: Pick<AuditFinding, 'code' | 'facts'>): string =>
  filled(drbdAudit[code].what, facts);

/** As the cluster's configuration has it; null for a spelling that nobody understands. */
async function promoteSeconds({ host, request }: Ctx): Promise<number | null> {
  const xml = await resourceXml(host, request);
  const own = xml === undefined ? undefined : await readXml(xml);
  const promote = own && all(own, 'op').find(({ attributes }) => attributes['name'] === 'promote');
  const timeout = promote?.attributes['timeout'];
  return timeout === undefined ? declaredPromoteSeconds : secondsIn(timeout);
}

/** A constraint of a fence-peer handler although there is nothing left to protect. */
async function staleConstraints(ctx: Ctx, given: Configuration): Promise<readonly AuditFinding[]> {
  const { host, request } = ctx;
  const { resource } = wanted(ctx);
  const state = await drbdState(host, resource);
  if (state.is !== 'configured') return [];
  const { allUpToDateHere, everyPeerHasAll } = dataQuality(state.resource);
  if (!allUpToDateHere || !everyPeerHasAll) return [];
  const constraints = await fencingConstraints(host, request, resource, async () => prefixesIn(given));
  const source = 'cibadmin --query --scope constraints';
  return (constraints ?? []).map(({ id: constraint, clone }) => {
    const evidence = [{ source, text: `rsc_location ${constraint} rsc=${clone}` }];
    const facts = { resource, constraint };
    return { ...finding('FENCE_LEFT_BEHIND', facts, { resource, evidence }), code: 'FENCE_LEFT_BEHIND' };
  });
}
