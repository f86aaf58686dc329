import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Call } from '../command.ts';
import { CommandError, type Ending } from '../exit.ts';
import { type Cluster, lookAtCluster } from '../facts/cluster.ts';
import { type Facts, gather } from '../facts/gather.ts';
import { tryToKnow } from '../facts/known.ts';
import { answersNfs } from '../facts/nfs-null.ts';
import { clusterRole, hasSecondCopy, replicated, type Service, services } from '../facts/service.ts';
import { print } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { clock } from '../output/units.ts';
import { say, wordsIn } from '../output/words.ts';
import { approve, atWork, requireRoot } from './change.ts';

export type SwitchOptions = { readonly to: string | null; readonly dryRun: boolean; readonly yes: boolean };

/** Where the service is to go, and by what. */
type Move = {
  readonly service: Service;
  readonly from: string;
  readonly to: string;
  /** The clone whose promotion leads, or the group itself. */
  readonly resource: string;
  readonly isPromotion: boolean;
};

/** The constraint ends by itself after this, whatever becomes of this command. */
const lastsMinutes = 10;
const arrivesWithinMs = 300_000;
const constraintId = (resource: string): string => `cli-prefer-${resource}`;

/**
 * `tsha switch [NODE]`: moves the service by a constraint that expires, never by standby, so both copies stay. The constraint is made by
 * `cibadmin --create`, which fails when there is one: of two switches at once, wherever they run, the second is refused.
 */
export async function switchOver(call: Call, options: SwitchOptions): Promise<Ending> {
  const facts = await gather(call.host, Date.now());
  if (facts.cluster.is === 'unknown') throw new CommandError('unknown', facts.cluster.why);
  const words = wordsIn(call.terminal.language);
  const move = moveFor(facts, facts.cluster.value, options.to);
  if (move === 'there') {
    print(1, `${say(words.alreadyThere, { node: harmless(options.to ?? '') })}\n`);
    return 'well';
  }
  const { paint } = call.terminal;
  const answers = preconditions(facts, facts.cluster.value, move);
  const said = answers.map(({ holds, what }) => `  ${holds ? paint.good('✓') : paint.bad('✗')} ${what}`);
  const title = `${move.from} → ${move.to}: ${move.service.name}. ${words.switchKeeps}`;
  print(1, call.terminal.marks(`${[harmless(title), ...said].join('\n')}\n`));
  if (answers.some(({ holds }) => !holds)) throw new CommandError('broken', words.refused, ['tsha status']);
  const create = createConstraint(move, Date.now());
  const remove = removeConstraint(move);
  if (options.dryRun) {
    print(1, [create, remove].map((argv) => `  ${argv.map(shown).join(' ')}\n`).join(''));
    return 'well';
  }
  requireRoot(call);
  await approve(call, words.switchNow, options.yes);
  return atWork(call, 'switch', () => carryOut(call, move));
}

const shown = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** `there`: nothing to do. Throws `CommandError` where there is nothing to move, or nowhere to. */
export function moveFor(_facts: Facts, cluster: Cluster, wanted: string | null): Move | 'there' {
  const service = services(cluster).find(({ state }) => state === 'served');
  if (!service?.node)
    throw new CommandError('broken', 'no service runs that could be moved', ['tsha status']);
  const names = cluster.nodes.map(({ name }) => name);
  if (wanted !== null && !names.includes(wanted))
    throw new CommandError(
      'unknown',
      `there is no node ${harmless(wanted)} in this cluster (${names.join(', ')})`,
    );
  if (wanted === service.node) return 'there';
  const others = names.filter((name) => name !== service.node);
  const to = wanted ?? (others.length === 1 ? others[0] : undefined);
  if (to === undefined)
    throw new CommandError('unknown', `to which node? (${others.join(', ') || 'there is only one'})`);
  const drbd = replicated(cluster).find(
    ({ id, clone }) => clone !== null && clusterRole(cluster, id, service.node ?? '') === 'Promoted',
  );
  return {
    service,
    from: service.node,
    to,
    resource: drbd?.clone ?? service.id,
    isPromotion: drbd !== undefined,
  };
}

/** What must hold before anything is begun; one sentence each. */
export function preconditions(
  facts: Facts,
  cluster: Cluster,
  { to, resource, service }: Move,
): readonly { readonly holds: boolean; readonly what: string }[] {
  const node = cluster.nodes.find(({ name }) => name === to);
  const names = [resource, service.id, ...service.members, ...replicated(cluster).map(({ id }) => id)];
  const failures = cluster.failures.filter((one) => one.node === to && names.includes(one.resource));
  const inTheWay = cluster.cib.locations.filter(
    ({ id, resource: of, endsAt }) =>
      (/^cli-/.test(id) || /^drbd-fence-by-handler/.test(id)) &&
      names.includes(of) &&
      (endsAt === null || endsAt > facts.time),
  );
  const busy = cluster.instances.filter(
    ({ role, pending }) => /ing$/.test(role) || (pending !== null && pending !== 'Monitoring'),
  );
  const managed =
    !cluster.maintenance && cluster.instances.every((one) => !names.includes(one.id) || one.managed);
  return [
    {
      holds: node?.online === true && node.standby === 'no' && !node.unclean && !node.maintenance,
      what: `${to} is online and in service`,
    },
    ...(replicated(cluster).length > 0
      ? [{ holds: hasSecondCopy(facts) === true, what: 'both copies are UpToDate' }]
      : []),
    { holds: cluster.hasQuorum && managed, what: 'the cluster has quorum and manages the service' },
    {
      holds: busy.length === 0,
      what:
        busy.length === 0
          ? 'the cluster is idle'
          : `the cluster is at work: ${busy.map(({ id, role }) => `${id} ${role}`).join(', ')}`,
    },
    {
      holds: failures.length === 0,
      what:
        failures.length === 0
          ? `no failures on ${to}`
          : `failures on ${to}: ${failures.map((one) => one.resource).join(', ')}`,
    },
    {
      holds: inTheWay.length === 0,
      what:
        inTheWay.length === 0
          ? 'no other constraint in the way'
          : `in the way: ${inTheWay.map(({ id, endsAt }) => `${id}${endsAt === null ? '' : `, until ${clock(endsAt, facts.time)}`}`).join(', ')}`,
    },
  ];
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** As `crm_resource --move --lifetime` writes it, so that `crm_resource --clear` and pcs know it. */
export function createConstraint({ resource, to, isPromotion }: Move, now: number): Argv {
  const end = new Date(now + lastsMinutes * 60_000)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');
  const [id, name, node] = [escaped(constraintId(resource)), escaped(resource), escaped(to)];
  const xml = [
    `<rsc_location id="${id}" rsc="${name}"${isPromotion ? ' role="Promoted"' : ''}>`,
    `<rule id="cli-prefer-rule-${name}" score="INFINITY" boolean-op="and">`,
    `<expression id="cli-prefer-expr-${name}" attribute="#uname" operation="eq" value="${node}" type="string"/>`,
    `<date_expression id="cli-prefer-lifetime-end-${name}" operation="lt" end="${end}"/>`,
    '</rule></rsc_location>',
  ].join('');
  return ['cibadmin', '--create', '--scope', 'constraints', '--xml-text', xml];
}

const removeConstraint = ({ resource }: Move): Argv => [
  'cibadmin',
  '--delete',
  '--xml-text',
  `<rsc_location id="${escaped(constraintId(resource))}"/>`,
];

async function carryOut(call: Call, move: Move): Promise<Ending> {
  const words = wordsIn(call.terminal.language);
  const { host, sys } = call;
  const tell = (text: string) =>
    print(1, call.terminal.marks(`${clock(Date.now(), Date.now())}  ${harmless(text)}\n`));
  const remove = async () => void (await host.tryRun(removeConstraint(move), { timeoutMs: 10_000 }));
  const create = await host.tryRun(createConstraint(move, Date.now()), { timeoutMs: 15_000 });
  if (create.code !== 0) {
    const why = create.hung
      ? `cibadmin did not answer (${create.hung})`
      : create.stderr.trim().split('\n', 1)[0];
    throw new CommandError('broken', `${words.notBegun}: ${why}`, ['tsha status']);
  }
  call.onInterrupt(remove);
  const began = sys.now();
  tell(say(words.asked, { until: clock(Date.now() + lastsMinutes * 60_000, Date.now()) }));
  const arrival = await follow(call, move, tell);
  if (!arrival.arrived) {
    await remove();
    for (const line of arrival.hangs) tell(line);
    print(
      2,
      call.terminal.marks(
        `✗ ${say(words.notArrived, { seconds: arrivesWithinMs / 1000 })}\n  → tsha status\n`,
      ),
    );
    return 'halfway';
  }
  const ip = move.service.name;
  const answers = await answersNfs(sys, ip, 30_000);
  if (answers !== null) tell(answers ? say(words.answers, { ip }) : say(words.doesNotAnswer, { ip }));
  await remove();
  const seconds = ((sys.now() - (arrival.downAt ?? began)) / 1000).toFixed(1);
  const facts = await gather(host, Date.now());
  const both = hasSecondCopy(facts) === true;
  const done = say(both ? words.switched : words.switchedAlone, { to: move.to, from: move.from, seconds });
  print(1, call.terminal.marks(`${both && answers !== false ? '✓' : '!'} ${harmless(done)}\n`));
  return both && answers !== false ? 'well' : 'attention';
}

type Arrival = {
  readonly arrived: boolean;
  readonly downAt: number | null;
  readonly hangs: readonly string[];
};

/** Tells every change of every resource as it is seen, until all of the service runs where it is to be. */
async function follow(
  { host, sys }: Call,
  { to, service }: Move,
  tell: (text: string) => void,
): Promise<Arrival> {
  const end = sys.now() + arrivesWithinMs;
  let before = new Map<string, string>();
  let downAt: number | null = null;
  let last: Cluster | null = null;
  for (let first = true; sys.now() < end; first = false) {
    const askedAt = sys.now();
    const seen = await tryToKnow(() => lookAtCluster(host));
    if (seen.is === 'known') {
      last = seen.value;
      const now = statesOf(seen.value);
      for (const [key, state] of now) if (!first && before.get(key) !== state) tell(`${key}: ${state}`);
      if (
        downAt === null &&
        services(seen.value).some(({ id, state }) => id === service.id && state !== 'served')
      )
        downAt = sys.now();
      const there = services(seen.value).find(({ id }) => id === service.id);
      if (there?.state === 'served' && there.node === to) return { arrived: true, downAt, hangs: [] };
      before = now;
    }
    // Asking takes half a second of a small node's only processor, which the agents need now.
    await sys.sleep(Math.max(1000, 3 * (sys.now() - askedAt)));
  }
  const failures = (last?.failures ?? []).map(
    (one) => `${one.resource} ${one.action} on ${one.node}: ${one.reason}`,
  );
  const hanging = (last?.instances ?? [])
    .filter(({ pending }) => pending)
    .map(({ id, node, pending }) => `${id} on ${node ?? '?'}: ${pending}`);
  return { arrived: false, downAt, hangs: [...hanging, ...failures] };
}

const statesOf = ({ instances }: Cluster): Map<string, string> =>
  new Map(
    instances
      .filter(({ node }) => node !== null)
      .map(({ id, node, role, pending }) => [
        `${node} ${id}`,
        pending && pending !== 'Monitoring' ? `${role}, ${pending}` : role,
      ]),
  );
