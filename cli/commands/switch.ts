import type { Argv } from '../../lib/host/sys/sys.ts';
import { settle } from '../apply/workshop.ts';
import type { Call } from '../command.ts';
import { CommandError, type Ending } from '../exit.ts';
import { isInfinite, type Location } from '../facts/cib.ts';
import { type Cluster, lookAtCluster } from '../facts/cluster.ts';
import { type Facts, gather } from '../facts/gather.ts';
import { tryToKnow } from '../facts/known.ts';
import { hasSecondCopy, movable, movementOf, replicated, type Service, services } from '../facts/service.ts';
import { type Narrate, narrator } from '../output/narration.ts';
import { print } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { clock } from '../output/units.ts';
import { say, type Words, wordsIn } from '../output/words.ts';
import { shellLine } from '../stack.ts';
import { agreed, type Proposal, requireRoot } from './change.ts';
import { isIdle, linesOf, must, none, noneInTheWay, type Precondition, requireMet } from './preconditions.ts';

export type SwitchOptions = {
  readonly to: string | null;
  /** The id of a group or of a resource that stands alone, where there are several. */
  readonly service: string | null;
  readonly dryRun: boolean;
  readonly yes: boolean;
  /** Codes of what may be so. */
  readonly although: readonly string[];
};

/** Where the service is to go, and by what. */
type Move = {
  readonly service: Service;
  /** All that moves with it, since it runs only where the others do: what is served now, the service among it. */
  readonly services: readonly Service[];
  readonly from: string;
  readonly to: string;
  /** The clone whose promotion leads, or the group or resource that the others run with. */
  readonly resource: string;
  /** Of the constraint, in the word of the cluster's schema; null for all of the resource. */
  readonly role: string | null;
  /** The end of a constraint of this name that is there already, in milliseconds since 1970. */
  readonly left: number | null;
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
  const narrate = narrator(call, 'switch', facts.node);
  const move = moveFor(facts.cluster.value, options, words);
  if (move === 'there') {
    narrate('nothing', [say(words.alreadyThere, { node: harmless(options.to ?? '') })]);
    return 'well';
  }
  const conditions = preconditions(facts, facts.cluster.value, move, words);
  const title = `${move.from} → ${move.to}: ${move.services.map(({ name }) => name).join(', ')}. ${words.switchKeeps}`;
  const planned = Date.now() + lastsMinutes * 60_000;
  const commands = [createConstraint(move, planned), removeConstraint(move, planned)].map(shellLine);
  const { from, to } = move;
  narrate(
    'plan',
    [
      harmless(title),
      ...linesOf(conditions, options.although, call.terminal),
      ...(options.dryRun ? commands.map((command) => `  ${command}`) : []),
    ],
    { from, to, commands, secondCopy: hasSecondCopy(facts) },
  );
  const command = shellLine([
    'tsha',
    'switch',
    to,
    ...(options.service ? [`--service=${options.service}`] : []),
  ]);
  requireMet(conditions, options.although, words.refused, command);
  if (options.dryRun) return 'well';
  requireRoot(call);
  const proposal: Proposal<Move> = {
    ...{ question: words.switchNow, yes: options.yes, what: command, plan: move },
    async again() {
      const now = await gather(call.host, Date.now());
      if (now.cluster.is === 'unknown') throw new CommandError('unknown', now.cluster.why);
      const next = moveFor(now.cluster.value, { to, service: move.service.id }, words);
      if (next === 'there') throw new CommandError('broken', say(words.alreadyThere, { node: harmless(to) }));
      const stillSo = preconditions(now, now.cluster.value, next, words);
      requireMet(stillSo, options.although, words.refused, command);
      return next;
    },
    keyOf: ({ from, resource, role }) => [from, resource, role],
  };
  return agreed(call, proposal, (now) => carryOut(call, now, narrate));
}

/** `there`: nothing to do. Throws `CommandError` where there is nothing to move, or nowhere to. */
export function moveFor(
  cluster: Cluster,
  { to: wanted, service: id }: Pick<SwitchOptions, 'to' | 'service'>,
  words: Words,
): Move | 'there' {
  const service = serviceFor(cluster, wanted, id, words);
  if (!service.node) throw new CommandError('broken', words.nothingServed, ['tsha status']);
  const names = cluster.nodes.map(({ name }) => name);
  if (wanted !== null && !names.includes(wanted))
    throw new CommandError(
      'unknown',
      say(words.noSuchNode, { node: harmless(wanted), nodes: names.join(', ') }),
    );
  if (wanted === service.node) return 'there';
  const elsewhere = names.filter((name) => name !== service.node);
  const to = wanted ?? (elsewhere.length === 1 ? elsewhere[0] : undefined);
  if (to === undefined)
    throw new CommandError('unknown', say(words.toWhichNode, { nodes: elsewhere.join(', ') || '–' }));
  const { node: from } = service;
  const { resource, leader, services: all } = movementOf(cluster, service);
  const others = all.filter(
    ({ id, state, node }) => id !== service.id && state === 'served' && node === from,
  );
  return {
    service,
    services: [service, ...others],
    from,
    to,
    resource,
    role: leader === undefined ? null : cluster.cib.promoted,
    left: cluster.cib.locations.find(({ id }) => id === constraintId(resource))?.endsAt ?? null,
  };
}

/** Of several it has to be named: their moves would be two. */
function serviceFor(cluster: Cluster, wanted: string | null, id: string | null, words: Words): Service {
  const names = (some: readonly Service[]) => some.map((one) => one.id).join(', ');
  const all = services(cluster);
  if (id !== null) {
    const named = all.find((one) => one.id === id);
    if (named?.state === 'served') return named;
    if (named) throw new CommandError('broken', words.nothingServed, ['tsha status']);
    throw new CommandError(
      'unknown',
      harmless(say(words.noSuchService, { service: id, services: names(all) })),
    );
  }
  const served = movable(cluster).flatMap(({ services: together }) => spokesman(together) ?? []);
  const [first, ...others] = served;
  if (!first) throw new CommandError('broken', words.nothingServed, ['tsha status']);
  if (others.length === 0) return first;
  throw new CommandError(
    'unknown',
    harmless(say(words.whichService, { services: names(served) })),
    served.map((one) =>
      harmless(shellLine(['tsha', 'switch', ...(wanted ? [wanted] : []), `--service=${one.id}`])),
    ),
  );
}

/** Of those that move as one: the one that clients know by an address. */
function spokesman(together: readonly Service[]): Service | undefined {
  const served = together.filter(({ state }) => state === 'served');
  return served.find(({ id, name }) => name !== id) ?? served[0];
}

/** What must hold before anything is begun. */
export function preconditions(
  facts: Facts,
  cluster: Cluster,
  { from, to, resource, services: together }: Move,
  words: Words,
): readonly Precondition[] {
  const node = cluster.nodes.find(({ name }) => name === to);
  const names = [
    resource,
    ...together.flatMap(({ id, members }) => [id, ...members]),
    ...replicated(cluster).map(({ id }) => id),
  ];
  const failures = cluster.failures.filter((one) => one.node === to && names.includes(one.resource));
  // beside what people and handlers leave behind: what no score of a constraint of ours wins against
  const isFirm = ({ node: of, score }: Location) =>
    isInfinite(score) && (score.startsWith('-') ? of === to : of === from);
  const inTheWay = cluster.cib.locations.filter(
    (one) =>
      (/^cli-/.test(one.id) || /^drbd-fence-by-handler/.test(one.id) || isFirm(one)) &&
      names.includes(one.resource) &&
      (one.endsAt === null || one.endsAt > facts.time),
  );
  const managed =
    !cluster.maintenance && cluster.instances.every((one) => !names.includes(one.id) || one.managed);
  return [
    must(
      node?.online === true && node.standby === 'no' && !node.unclean && !node.maintenance,
      say(words.mustBeOnline, { to }),
    ),
    ...(replicated(cluster).length > 0 ? [must(hasSecondCopy(facts) === true, words.mustBeTwice)] : []),
    must(cluster.hasQuorum && cluster.dc !== null && managed, words.mustBeManaged),
    isIdle(cluster, words),
    none(
      failures.map((one) => one.resource),
      say(words.noFailures, { to }),
      say(words.failuresOn, { to }),
      'RESOURCE_FAILED',
    ),
    noneInTheWay(inTheWay, facts.time, words),
  ];
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** `2026-11-28 19:40:00Z` of milliseconds since 1970 */
const endOf = (until: number): string =>
  new Date(until)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z');

/** As `crm_resource --move --lifetime` writes it, so that `crm_resource --clear` and pcs know it. `until` is in milliseconds since 1970. */
export function createConstraint({ resource, to, role }: Move, until: number): Argv {
  const [id, name, node] = [escaped(constraintId(resource)), escaped(resource), escaped(to)];
  const xml = [
    `<rsc_location id="${id}" rsc="${name}"${role === null ? '' : ` role="${role}"`}>`,
    `<rule id="cli-prefer-rule-${name}" score="INFINITY" boolean-op="and">`,
    `<expression id="cli-prefer-expr-${name}" attribute="#uname" operation="eq" value="${node}" type="string"/>`,
    `<date_expression id="cli-prefer-lifetime-end-${name}" operation="lt" end="${endOf(until)}"/>`,
    '</rule></rsc_location>',
  ].join('');
  return ['cibadmin', '--create', '--scope', 'constraints', '--xml-text', xml];
}

/** Takes away the constraint with this very end, and never one of the same name that somebody else has made; nothing there is well, too. */
const removeConstraint = ({ resource }: Pick<Move, 'resource'>, until: number): Argv => [
  'cibadmin',
  '--delete',
  '--xpath',
  `//rsc_location[@id="${constraintId(resource)}"][rule/date_expression[@end="${endOf(until)}"]]`,
];

/** Whether the constraint has gone, or was never there; false when that is not known. */
async function remove({ host }: Call, argv: Argv): Promise<boolean> {
  for (let tries = 0; tries < 2; tries++)
    if ((await host.tryRun(argv, { timeoutMs: 10_000 })).code === 0) return true;
  return false;
}

/** Pacemaker passes over a constraint whose time is over, and keeps it: a second one of its name would be refused. */
async function removeExpired(call: Call, move: Move): Promise<void> {
  if (move.left !== null && move.left <= Date.now()) await remove(call, removeConstraint(move, move.left));
}

async function carryOut(call: Call, move: Move, narrate: Narrate): Promise<Ending> {
  const words = wordsIn(call.terminal.language);
  const { host, sys } = call;
  const { from, to } = move;
  const until = Date.now() + lastsMinutes * 60_000;
  const create = createConstraint(move, until);
  const clear = removeConstraint(move, until);
  // before it is asked for: who is interrupted while cibadmin runs does not know whether it was taken
  call.onInterrupt(async () => {
    if (await remove(call, clear)) return undefined;
    print(2, `${say(words.notRemoved, { until: clock(until, Date.now()) })}\n`);
    return 'halfway';
  });
  await removeExpired(call, move);
  const created = await host.tryRun(create, { timeoutMs: 15_000 });
  if (created.code !== 0) {
    const why = created.hung
      ? say(words.didNotAnswer, { program: 'cibadmin', why: created.hung })
      : (created.stderr.trim().split('\n', 1)[0] ?? '');
    if (!created.hung || (await remove(call, clear)))
      throw new CommandError('broken', `${words.notBegun}: ${why}`, ['tsha status']);
    throw new CommandError(
      'halfway',
      `${why}. ${say(words.perhapsBegun, { until: clock(until, Date.now()) })}`,
      ['tsha status'],
    );
  }
  const began = sys.now();
  const tell = (text: string) =>
    narrate('seen', [`${clock(Date.now(), Date.now())}  ${harmless(text)}`], { from, to });
  narrate(
    'begun',
    [`${clock(Date.now(), Date.now())}  ${say(words.asked, { until: clock(until, Date.now()) })}`],
    { from, to, commands: [shellLine(create)] },
  );
  const arrival = await follow(call, move, tell);
  const isRemoved = await remove(call, clear);
  if (!isRemoved) tell(say(words.notRemoved, { until: clock(until, Date.now()) }));
  if (!arrival.arrived) {
    const lines = [
      ...arrival.hangs.map((line) => `  ${harmless(line)}`),
      `✗ ${say(words.notArrived, { seconds: arrivesWithinMs / 1000 })}`,
      '  → tsha status',
    ];
    narrate('halfway', lines, { from, to }, 'halfway');
    return 'halfway';
  }
  const ip = move.service.name;
  const answers = await call.answersNfs(ip, 30_000);
  if (answers !== null) tell(say(answers ? words.answers : words.doesNotAnswer, { ip }));
  const seconds = Math.round((sys.now() - (arrival.downAt ?? began)) / 100) / 10;
  // what the constraint outweighed may draw the service back as soon as it has gone
  if (isRemoved && !(await staysThere(call, move))) {
    const lines = [`✗ ${harmless(say(words.wentBack, { to }))}`, '  → tsha explain'];
    narrate('halfway', lines, { from, to }, 'halfway');
    return 'halfway';
  }
  const secondCopy = hasSecondCopy(await gather(host, Date.now()));
  const isWell = secondCopy !== false && answers !== false && isRemoved;
  const done = say(secondCopy === false ? words.switchedAlone : words.switched, {
    ...{ to, from, seconds: seconds.toFixed(1) },
    copies: secondCopy === true ? words.withBothCopies : '',
    removed: isRemoved ? words.andRemoved : '',
  });
  const ending = isWell ? 'well' : 'attention';
  narrate('done', [`${isWell ? '✓' : '!'} ${harmless(done)}`], { from, to, seconds, secondCopy }, ending);
  return ending;
}

/** Once Pacemaker has nothing more to do; what it could not be asked about is not held against it. */
async function staysThere({ host }: Call, move: Move): Promise<boolean> {
  await settle(host);
  const seen = await tryToKnow(() => lookAtCluster(host));
  return seen.is === 'unknown' || isThere(seen.value, move);
}

const nowOf = (cluster: Cluster, { services: together }: Move): readonly Service[] =>
  services(cluster).filter(({ id }) => together.some((one) => one.id === id));

/** All that was to move is served where it is to be. */
function isThere(cluster: Cluster, move: Move): boolean {
  const now = nowOf(cluster, move);
  return (
    now.length === move.services.length &&
    now.every(({ state, node }) => state === 'served' && node === move.to)
  );
}

type Arrival = {
  readonly arrived: boolean;
  readonly downAt: number | null;
  readonly hangs: readonly string[];
};

/** Tells every change of every resource as it is seen, until all of the service runs where it is to be. */
async function follow({ host, sys }: Call, move: Move, tell: (text: string) => void): Promise<Arrival> {
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
      if (downAt === null && nowOf(seen.value, move).some(({ state }) => state !== 'served'))
        downAt = sys.now();
      if (isThere(seen.value, move)) return { arrived: true, downAt, hangs: [] };
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
