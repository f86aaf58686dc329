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

/** What works today and will hurt on the day of a failure; one sentence each, with what to do about it. */
export async function audit(ctx: Ctx, given: Configuration, kernel: Version): Promise<readonly string[]> {
  return [
    ...protection(given, kernel),
    ...(await handlers(ctx, given, kernel)),
    ...(await operationTimeouts(ctx, given)),
    ...twoPrimaries(ctx, given),
    ...(await names(ctx, given)),
    ...(await staleConstraints(ctx, given)),
  ];
}

const fences = ({ fencing }: Configuration): boolean => fencing !== 'dont-care';

/** Without either, a node that lost its peer may be promoted with data that is behind, and the data splits. */
function* protection(given: Configuration, kernel: Version): Generator<string> {
  if (fences(given) || given.quorum !== 'off') return;
  yield kernel[0] >= 9
    ? 'neither quorum nor fencing is on: nothing prevents split brain (quorum majority, or fencing resource-and-stonith)'
    : 'fencing is off: nothing prevents split brain (fencing resource-and-stonith and its handlers)';
}

async function* handlersOf({ host }: Ctx, { handlers }: Configuration): AsyncGenerator<string> {
  for (const [event, command] of handlers) {
    const [program = ''] = command.trim().split(/\s+/);
    if (program.startsWith('/') && !(await host.sys.has(program)))
      yield `handler ${event} is not there: ${program}`;
  }
}

async function handlers(ctx: Ctx, given: Configuration, kernel: Version): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const finding of handlersOf(ctx, given)) found.push(finding);
  if (!fences(given)) return found;
  const undo = kernel[0] >= 9 ? 'unfence-peer' : 'after-resync-target';
  if (!given.handlers.has('fence-peer'))
    found.push(
      `fencing is ${given.fencing}, but there is no handler fence-peer: DRBD will refuse promotions`,
    );
  else if (!given.handlers.has(undo))
    found.push(`there is a handler fence-peer but no ${undo}: its constraint will stay for ever`);
  return found;
}

/** A promotion contains the whole fence-peer handler; so does a monitor that finds I/O frozen by it. */
async function operationTimeouts(ctx: Ctx, given: Configuration): Promise<readonly string[]> {
  const needed = fences(given) && fenceHandlerSeconds(given.handlers.get('fence-peer') ?? '');
  if (!needed) return [];
  const xml = await resourceXml(ctx.host, ctx.request);
  const seconds = xml === undefined ? declaredPromoteSeconds : await promoteSeconds(xml);
  if (seconds === undefined || seconds > needed) return [];
  return [
    `promote may take ${seconds} s, its fence-peer handler alone ${needed} s: op promote timeout=${needed + 30}s`,
  ];
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

function* twoPrimaries(ctx: Ctx, given: Configuration): Generator<string> {
  if (given.twoPrimaries && wanted(ctx).promotedMax < 2)
    yield 'allow-two-primaries is on although only one instance is promoted: a mistake away from two writers';
}

/** Node names are what the agent and the handlers tell DRBD's peers by. */
async function names({ host }: Ctx, { hosts }: Configuration): Promise<readonly string[]> {
  const nodes = await clusterNodes(host);
  const strangers = nodes ? hosts.filter((name) => !nodes.includes(name)) : [];
  return strangers.length === 0
    ? []
    : [`DRBD host ${strangers.join(', ')} is no node of this cluster (${nodes?.join(', ')})`];
}

/** A constraint of a fence-peer handler although there is nothing left to protect. */
async function staleConstraints(ctx: Ctx, given: Configuration): Promise<readonly string[]> {
  const { host, request } = ctx;
  const { resource } = wanted(ctx);
  const state = await drbdState(host, resource);
  if (state.is !== 'configured') return [];
  const { allUpToDateHere, everyPeerHasAll } = dataQuality(state.resource);
  if (!allUpToDateHere || !everyPeerHasAll) return [];
  const constraints = await fencingConstraints(host, request, resource, async () => prefixesIn(given));
  return (constraints ?? []).map(
    ({ id }) => `all data is UpToDate, but a node is still fenced: pcs constraint delete ${id}`,
  );
}
