import { type AuditCode, drbdAudit } from '../../lib/findings/drbd-audit.ts';
import { type FactsOf, type Finding, filled, filledCommand, finding } from '../../lib/findings/finding.ts';
import { clusterNodes, resourceXml } from '../../lib/host/cluster.ts';
import type { Configuration } from '../../lib/host/drbd/configuration.ts';
import { fenceHandlerSeconds, fencingConstraints, prefixesIn } from '../../lib/host/drbd/fencing.ts';
import { drbdState } from '../../lib/host/drbd/query.ts';
import type { Version } from '../../lib/host/drbd/version.ts';
import { readXml } from '../../lib/host/xml.ts';
import { all } from '../../lib/host/xml-element.ts';
import { dataQuality } from './data.ts';
import type { Ctx } from './params.ts';
import { wanted } from './wanted.ts';

export type AuditFinding = Finding & { readonly code: AuditCode };

/** What works today and will hurt on the day of a failure: rows of the catalogue of `tsha check`, with their evidence. */
export async function audit(
  ctx: Ctx,
  given: Configuration,
  kernel: Version,
): Promise<readonly AuditFinding[]> {
  return [
    ...protection(ctx, given, kernel),
    ...(await handlers(ctx, given, kernel)),
    ...(await operationTimeouts(ctx, given)),
    ...twoPrimaries(ctx, given),
    ...(await names(ctx, given)),
    ...(await staleConstraints(ctx, given)),
  ];
}

/** A finding as a person reads it in the log, with the first thing to do. */
export const advice = ({ code, facts }: AuditFinding): string =>
  `${sentenceOf({ code, facts })} [${code}]: ${filledCommand(drbdAudit[code].fix[0], facts)}`;

export const sentenceOf = ({ code, facts }: Pick<AuditFinding, 'code' | 'facts'>): string =>
  filled(drbdAudit[code].what, facts);

function found<C extends AuditCode>(
  ctx: Ctx,
  code: C,
  facts: FactsOf<C>,
  source: string,
  text: string,
): AuditFinding {
  const place = { resource: ctx.request.instance, evidence: [{ source, text }] };
  return { ...finding(code, facts, place), code };
}

const dump = (ctx: Ctx): string => `drbdadm dump ${wanted(ctx).resource}`;

const fences = ({ fencing }: Configuration): boolean => fencing !== 'dont-care';

/** Without either, a node that lost its peer may be promoted with data that is behind, and the data splits. */
function* protection(ctx: Ctx, given: Configuration, kernel: Version): Generator<AuditFinding> {
  const { fencing, quorum } = given;
  if (fences(given) || quorum !== 'off') return;
  const reason = kernel[0] >= 9 ? 'neither quorum nor fencing is on' : 'fencing is off';
  const { resource } = wanted(ctx);
  yield found(
    ctx,
    'DRBD_UNPROTECTED',
    { resource, reason },
    dump(ctx),
    `fencing ${fencing}; quorum ${quorum};`,
  );
}

async function handlers(ctx: Ctx, given: Configuration, kernel: Version): Promise<readonly AuditFinding[]> {
  const { resource } = wanted(ctx);
  const findings: AuditFinding[] = [];
  for (const [handler, command] of given.handlers) {
    const [program = ''] = command.trim().split(/\s+/);
    if (program.startsWith('/') && !(await ctx.host.sys.has(program)))
      findings.push(
        found(
          ctx,
          'DRBD_HANDLER_MISSING',
          { resource, handler, program },
          dump(ctx),
          `${handler} "${command}";`,
        ),
      );
  }
  if (!fences(given)) return findings;
  const policy = `fencing ${given.fencing};`;
  const undo = kernel[0] >= 9 ? 'unfence-peer' : 'after-resync-target';
  if (!given.handlers.has('fence-peer'))
    findings.push(
      found(ctx, 'DRBD_NO_FENCE_HANDLER', { resource, fencing: given.fencing }, dump(ctx), policy),
    );
  else if (!given.handlers.has(undo))
    findings.push(found(ctx, 'DRBD_NO_UNFENCE_HANDLER', { resource, handler: undo }, dump(ctx), policy));
  return findings;
}

/** A promotion contains the whole fence-peer handler; so does a monitor that finds I/O frozen by it. */
async function operationTimeouts(ctx: Ctx, given: Configuration): Promise<readonly AuditFinding[]> {
  const needed = fences(given) && fenceHandlerSeconds(given.handlers.get('fence-peer') ?? '');
  if (!needed) return [];
  const xml = await resourceXml(ctx.host, ctx.request);
  const seconds = xml === undefined ? declaredPromoteSeconds : await promoteSeconds(xml);
  if (seconds === undefined || seconds > needed) return [];
  const id = ctx.request.instance;
  const facts = { resource: wanted(ctx).resource, id, given: seconds, needed, enough: needed + 30 };
  const source = `crm_resource --resource ${id} --query-xml`;
  return [found(ctx, 'DRBD_PROMOTE_TOO_SHORT', facts, source, `promote timeout ${seconds} s`)];
}

const declaredPromoteSeconds = 90;

/** `undefined` for a spelling of time other than seconds, milliseconds and minutes. */
async function promoteSeconds(xml: string): Promise<number | undefined> {
  const operations = all(await readXml(xml), 'op');
  const text = operations.find(({ attributes }) => attributes['name'] === 'promote')?.attributes['timeout'];
  if (text === undefined) return declaredPromoteSeconds;
  const [, number = '', unit = ''] = /^(\d+)(s|ms|m|min|sec)?$/.exec(text) ?? [];
  if (number === '') return undefined;
  return Number(number) * (unit === 'ms' ? 0.001 : unit.startsWith('m') ? 60 : 1);
}

function* twoPrimaries(ctx: Ctx, given: Configuration): Generator<AuditFinding> {
  const { resource, promotedMax } = wanted(ctx);
  if (given.twoPrimaries && promotedMax < 2)
    yield found(ctx, 'DRBD_TWO_PRIMARIES', { resource }, dump(ctx), 'allow-two-primaries yes;');
}

/** Node names are what the agent and the handlers tell DRBD's peers by. */
async function names(ctx: Ctx, { hosts }: Configuration): Promise<readonly AuditFinding[]> {
  const nodes = await clusterNodes(ctx.host);
  const strangers = nodes ? hosts.filter((name) => !nodes.includes(name)) : [];
  if (!nodes || strangers.length === 0) return [];
  const facts = { host: strangers.join(', '), resource: wanted(ctx).resource, nodes: nodes.join(', ') };
  return [found(ctx, 'DRBD_STRANGE_HOST', facts, 'crm_node -l', nodes.join(' '))];
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
  return (constraints ?? []).map(({ id, clone }) =>
    found(ctx, 'FENCE_LEFT_BEHIND', { resource, constraint: id }, source, `rsc_location ${id} rsc=${clone}`),
  );
}
