import type { Configuration, MissingHandler } from '../host/drbd/configuration.ts';
import { fenceHandlerSeconds } from '../host/drbd/fencing.ts';
import type { AuditCode } from './drbd-audit.ts';
import { type FactsOf, type Finding, finding } from './finding.ts';

export type AuditFinding = Finding & { readonly code: AuditCode };

/** A DRBD resource as configured, and what around it decides whether that will do. */
export type ConfiguredDrbd = {
  /** By its name in the configuration. */
  readonly resource: string;
  readonly configuration: Configuration;
  /** The module's, 8 or 9. */
  readonly major: number;
  /** Of its handlers, those whose program does not exist. */
  readonly missing: readonly MissingHandler[];
  /** Pacemaker's name for the resource. */
  readonly id: string;
  /** What the cluster gives a promotion, in seconds; null when it is written in a way that nobody understands. */
  readonly promoteSeconds: number | null;
  readonly promotedMax: number;
  /** The cluster's nodes; null when they could not be asked for. */
  readonly nodes: readonly string[] | null;
};

/** What the agent declares for promote: a resource made without an operation of its own gets it. */
export const declaredPromoteSeconds = 90;

/** What works today and will hurt on the day of a failure. The agent's validate-all at level 10 and `tsha check` both say this. */
export const findingsInDrbd = (given: ConfiguredDrbd): readonly AuditFinding[] => [
  ...protection(given),
  ...handlers(given),
  ...promoteTimeout(given),
  ...twoPrimaries(given),
  ...names(given),
];

function found<C extends AuditCode>(
  { resource }: ConfiguredDrbd,
  code: C,
  facts: FactsOf<C>,
  text: string,
  source = `drbdadm dump ${resource}`,
): AuditFinding {
  return { ...finding(code, facts, { resource, evidence: [{ source, text }] }), code };
}

const fences = ({ configuration }: ConfiguredDrbd): boolean => configuration.fencing !== 'dont-care';

/** Without either, a node that lost its peer may be promoted with data that is behind, and the data splits. */
function* protection(given: ConfiguredDrbd): Generator<AuditFinding> {
  const { resource, configuration, major } = given;
  const { fencing, quorum } = configuration;
  if (fences(given) || quorum !== 'off') return;
  const reason = major >= 9 ? 'neither quorum nor fencing is on' : 'fencing is off';
  yield found(given, 'DRBD_UNPROTECTED', { resource, reason }, `fencing ${fencing}; quorum ${quorum};`);
}

function* handlers(given: ConfiguredDrbd): Generator<AuditFinding> {
  const { resource, configuration, major, missing } = given;
  for (const { handler, program } of missing) {
    const text = `${handler} "${configuration.handlers.get(handler)}";`;
    yield found(given, 'DRBD_HANDLER_MISSING', { resource, handler, program }, text);
  }
  if (!fences(given)) return;
  const { fencing } = configuration;
  const policy = `fencing ${fencing};`;
  const undo = major >= 9 ? 'unfence-peer' : 'after-resync-target';
  const script = major >= 9 ? 'crm-fence-peer.9.sh' : 'crm-fence-peer.sh';
  if (!configuration.handlers.has('fence-peer'))
    yield found(given, 'DRBD_NO_FENCE_HANDLER', { resource, fencing, script }, policy);
  else if (!configuration.handlers.has(undo))
    yield found(given, 'DRBD_NO_UNFENCE_HANDLER', { resource, handler: undo }, policy);
}

/** A promotion contains the whole fence-peer handler; so does a monitor that finds I/O frozen by it. */
function* promoteTimeout(given: ConfiguredDrbd): Generator<AuditFinding> {
  const { resource, configuration, id, promoteSeconds: seconds } = given;
  const needed = fences(given) && fenceHandlerSeconds(configuration.handlers.get('fence-peer') ?? '');
  if (!needed || seconds === null || seconds > needed) return;
  const facts = { resource, id, given: seconds, needed, enough: needed + 30 };
  const source = `crm_resource --resource ${id} --query-xml`;
  yield found(given, 'DRBD_PROMOTE_TOO_SHORT', facts, `promote timeout ${seconds} s`, source);
}

function* twoPrimaries(given: ConfiguredDrbd): Generator<AuditFinding> {
  const { resource, configuration, promotedMax } = given;
  if (configuration.twoPrimaries && promotedMax < 2)
    yield found(given, 'DRBD_TWO_PRIMARIES', { resource }, 'allow-two-primaries yes;');
}

/** Node names are what the agent and the handlers tell DRBD's peers by. */
function* names(given: ConfiguredDrbd): Generator<AuditFinding> {
  const { resource, configuration, nodes } = given;
  if (!nodes) return;
  for (const host of configuration.hosts.filter((name) => !nodes.includes(name))) {
    const facts = { host, resource, nodes: nodes.join(', ') };
    yield found(given, 'DRBD_STRANGE_HOST', facts, nodes.join(' '), 'crm_node -l');
  }
}
