import { readBoolean } from '../../lib/contract/params.ts';
import { wordsOf } from '../../lib/contract/reason.ts';
import type { Code } from '../../lib/findings/catalogue.ts';
import type { Host } from '../../lib/host/host.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import { simulated, textOf, withDrafts, write } from '../apply/workshop.ts';
import type { Call } from '../command.ts';
import { approve, atWork, requireRoot } from '../commands/change.ts';
import { configurationFile } from '../configuration/read.ts';
import { CommandError, type Ending } from '../exit.ts';
import { cibText } from '../facts/cib-text.ts';
import { type Cluster, lookAtCluster } from '../facts/cluster.ts';
import { gather } from '../facts/gather.ts';
import { tryToKnow } from '../facts/known.ts';
import {
  intoMaintenance,
  isInMaintenance,
  type Migration,
  markOf,
  migrationIn,
  outdated,
  outOfMaintenance,
  type Provider,
} from '../facts/migration.ts';
import { askAgents } from '../facts/other-node.ts';
import { type PairInCib, pairIn } from '../facts/pair-in-cib.ts';
import { isAtWork, services } from '../facts/service.ts';
import { type Element, attribute as of, parseXml } from '../facts/xml.ts';
import { type Narrate, narrator } from '../output/narration.ts';
import { print } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { clock } from '../output/units.ts';
import { say } from '../output/words.ts';
import { xmlLines } from '../plan/xml.ts';
import { type Argv, shellLine } from '../stack.ts';
import {
  type Agents,
  agentsIn,
  agentsOf,
  differing,
  type Installed,
  idsOf,
  installedAgents,
  missingOf,
  unknownParameters,
  withAgents,
} from './agents.ts';
import { bring, type Course, change, settle } from './course.ts';
import { type MigrateWords, migrateWords } from './words.ts';

export type MigrateOptions = {
  readonly to: Provider;
  readonly dryRun: boolean;
  readonly yes: boolean;
  /** Codes of what may be so. */
  readonly although: readonly string[];
};

/** What is there, and what is to come of it. */
type Plan = {
  readonly to: Provider;
  readonly node: string;
  readonly cib: Element;
  readonly pair: PairInCib;
  readonly group: string;
  readonly ids: readonly string[];
  readonly before: Agents;
  readonly wanted: Agents;
  /** Of the wanted ones those that are other ones now. */
  readonly changes: Agents;
  /** One that has begun and not ended, by whoever. */
  readonly halfway: Migration | null;
  readonly isResumed: boolean;
};

/**
 * `tsha migrate --to=tsha|stock`: other agents look after what runs. In maintenance mode, which ends only when Pacemaker has nothing to do;
 * where it would have, the agents of before come back in the same way. With CIB_file set, that file is changed and nothing more.
 */
export async function migrate(call: Call, options: MigrateOptions): Promise<Ending> {
  const { host, terminal } = call;
  const words = migrateWords(terminal.language);
  const facts = await gather(host, Date.now());
  if (facts.cluster.is === 'unknown') throw new CommandError('unknown', facts.cluster.why);
  const cluster = facts.cluster.value;
  const narrate = narrator(call, 'migrate', facts.node);
  const plan = planFor(parseXml(await cibText(host)), facts.node, options.to);
  const { to, changes, isResumed, halfway, group } = plan;
  if (changes.size === 0 && !isResumed) {
    narrate('nothing', [say(words.nothing, { agents: words[to] })]);
    return 'well';
  }
  const isFile = Boolean(call.sys.env['CIB_file']);
  const answers = await answersFor(call, plan, cluster, isFile, words);
  const isAccepted = ({ holds, acceptable }: Precondition) =>
    !holds && acceptable !== null && options.although.includes(acceptable);
  const { paint } = terminal;
  const mark = (one: Precondition) =>
    one.holds
      ? one.isCertain === false
        ? paint.warn('!')
        : paint.good('✓')
      : isAccepted(one)
        ? paint.warn('!')
        : paint.bad('✗');
  const commands = commandsFor(plan).map(shellLine);
  narrate(
    'plan',
    [
      harmless(
        halfway
          ? say(words.resumed, { to: halfway.to, node: halfway.node })
          : say(words.title, { group, from: to === 'tsha' ? 'stock' : 'tsha', to }),
      ),
      ...[...changes].map(([id, agent]) => harmless(`  ~ ${id}  ${plan.before.get(id)} → ${agent}`)),
      ...answers.map((one) => `  ${mark(one)} ${harmless(one.what)}`),
      ...(options.dryRun ? commands.map((command) => harmless(`  ${command}`)) : []),
    ],
    { commands },
  );
  requireAnswers(
    answers.filter((one) => !one.holds && !isAccepted(one)),
    to,
    words,
  );
  if (options.dryRun) return 'well';
  requireRoot(call);
  await approve(call, words.question, options.yes);
  return atWork(call, `tsha migrate --to=${to}`, () =>
    withDrafts(call, (folder) =>
      isFile ? changeFile(call, folder, plan, narrate) : carryOut(call, folder, plan, cluster, narrate),
    ),
  );
}

function planFor(cib: Element, node: string, to: Provider): Plan {
  const pair = pairIn(cib);
  const ids = idsOf(pair);
  const [before, wanted] = [agentsIn(cib, ids), agentsOf(pair, to)];
  const halfway = migrationIn(cib);
  const isStale = outdated(cib).some(({ resource }) => ids.includes(resource));
  return {
    ...{ to, node, cib, pair, ids, before, wanted, halfway },
    group: of(pair.group, 'id'),
    changes: differing(before, wanted),
    isResumed: halfway !== null || (isStale && isInMaintenance(cib)),
  };
}

type Precondition = {
  readonly holds: boolean;
  /** One sentence for a person. */
  readonly what: string;
  /** What `--although` has to name to go on without it; null where it could not work. */
  readonly acceptable: Code | null;
  /** Something that nobody could look at is no obstacle, and is marked. */
  readonly isCertain?: false;
};

const must = (holds: boolean, what: string, acceptable: Code | null = null): Precondition => ({
  ...{ holds, what, acceptable },
});

function requireAnswers(unmet: readonly Precondition[], to: Provider, words: MigrateWords): void {
  if (unmet.length === 0) return;
  const although = [...new Set(unmet.map((one) => one.acceptable))].map((code) => ` --although=${code}`);
  throw new CommandError(
    'broken',
    `${words.refused}: ${unmet.map(({ what }) => harmless(what)).join('; ')}`,
    [
      'tsha status',
      ...(unmet.every((one) => one.acceptable !== null)
        ? [`tsha migrate --to=${to}${although.join('')}`]
        : []),
    ],
  );
}

/** What must hold before anything is begun. Of a change that is half-way only what the way to its end needs. */
async function answersFor(
  call: Call,
  plan: Plan,
  cluster: Cluster,
  isFile: boolean,
  words: MigrateWords,
): Promise<readonly Precondition[]> {
  const installed = await installedAgents(call.host, plan.to);
  const fits = plan.changes.size === 0 ? [] : parametersFit(plan, installed, words);
  if (isFile) return fits;
  const { halfway, node } = plan;
  const isElsewhere =
    halfway !== null &&
    markOf(halfway) !== markOf({ ...halfway, node }) &&
    cluster.nodes.some((one) => one.online && markOf({ ...halfway, node: one.name }) === markOf(halfway));
  return [
    ...(isElsewhere
      ? [must(false, say(words.elsewhere, { node: halfway.node }), 'MIGRATION_UNFINISHED')]
      : []),
    ...(plan.isResumed
      ? [must(cluster.hasQuorum, words.quorum)]
      : await isHealthy(call, plan, cluster, words)),
    ...(await areInstalled(call, plan, cluster, installed, words)),
    ...fits,
    ...(halfway === null && cluster.maintenance ? [must(true, words.kept)] : []),
  ];
}

async function isHealthy(
  call: Call,
  { cib, ids, group }: Plan,
  cluster: Cluster,
  words: MigrateWords,
): Promise<readonly Precondition[]> {
  const names = cluster.nodes.map(({ name }) => name).join(', ');
  const failures = cluster.failures
    .filter(({ resource }) => ids.includes(resource))
    .map(({ resource, node }) => `${resource} (${node})`);
  const service = services(cluster).find(({ id }) => id === group);
  const pending = cluster.instances.filter(isAtWork).map(({ id, role }) => `${id} ${role}`);
  const actions = await withDrafts(call, (folder) =>
    simulated(call.host, folder, write(folder, 'now.xml', textOf(outOfMaintenance(cib)))),
  );
  const busy = [
    ...pending,
    ...actions.map(({ action, resource, node }) => `${action} ${resource} (${node})`),
  ].join(', ');
  const is = service?.state === 'served';
  return [
    must(
      cluster.nodes.every(
        (one) =>
          one.online &&
          one.standby === 'no' &&
          !one.unclean &&
          !one.pending &&
          (!one.maintenance || cluster.maintenance),
      ),
      say(words.mustBeOnline, { nodes: names }),
    ),
    must(cluster.hasQuorum, words.quorum),
    must(
      is,
      say(is ? words.served : words.notServed, { node: service?.node ?? '?', name: service?.name ?? group }),
    ),
    must(
      failures.length === 0,
      failures.length === 0 ? words.noFailures : say(words.failures, { what: failures.join(', ') }),
    ),
    must(busy === '', busy === '' ? words.idle : say(words.busy, { what: busy })),
  ];
}

async function areInstalled(
  { host }: Call,
  { to, node, wanted }: Plan,
  { nodes }: Cluster,
  installed: Installed,
  words: MigrateWords,
): Promise<readonly Precondition[]> {
  const needed = new Set(wanted.values());
  const answer = (name: string, missing: readonly string[]): Precondition => {
    const lacks = missing.filter((agent) => needed.has(agent));
    const agents = lacks.join(', ');
    return must(
      lacks.length === 0,
      say(lacks.length === 0 ? words.installed : words.notInstalled, { node: name, agents }),
    );
  };
  const others = nodes.filter(({ name, online }) => name !== node && online).map(({ name }) => name);
  const there = await Promise.all(
    others.map(async (name): Promise<Precondition> => {
      const asked = await askAgents(host, name, [to]);
      return asked.is === 'known'
        ? answer(name, asked.value.missing)
        : { ...must(true, say(words.notLookedAt, { node: name, why: asked.why })), isCertain: false };
    }),
  );
  return [answer(node, missingOf(installed)), ...there];
}

function parametersFit(
  { to, pair, wanted, changes }: Plan,
  installed: Installed,
  words: MigrateWords,
): readonly Precondition[] {
  const unknown = [...unknownParameters(pair, wanted, installed)].filter(([id]) => changes.has(id));
  const what = unknown.map(([id, names]) => `${id}: ${names.join(', ')}`).join('; ');
  const notify = pair.members.find(({ id, agent }) => agent === 'nfsnotify' && changes.has(id));
  const isV4Only = pair.members.some(
    ({ agent, values }) => agent === 'nfsserver' && readBoolean(values['nfsv4_only'] ?? '') === true,
  );
  return [
    what === ''
      ? must(true, say(words.allKnown, { agents: words[to] }))
      : must(false, say(words.ignored, { agents: words[to], what }), 'PARAMETERS_IGNORED'),
    ...(to === 'stock' && notify && isV4Only ? [must(false, say(words.noStatd, { id: notify.id }))] : []),
  ];
}

/** What does the same by hand. */
function commandsFor({ pair, changes, cib, group }: Plan): readonly Argv[] {
  const clone = of(pair.clone, 'id');
  const part = (container: Element): Element => ({
    name: container.name,
    attributes: { id: of(container, 'id') },
    children: withAgents(container, changes)
      .children.filter((one) => changes.has(of(one, 'id')))
      .map((one) => ({ ...one, children: [] })),
  });
  const parts = [pair.clone, pair.group].map(part).filter(({ children }) => children.length > 0);
  const xml = xmlLines({ name: 'resources', attributes: {}, children: parts })
    .map((line) => line.trim())
    .join('');
  const option = ['crm_attribute', '--name', 'maintenance-mode'];
  return [
    ...(isInMaintenance(cib) ? [] : [[...option, '--update', 'true']]),
    ...(parts.length > 0 ? [['cibadmin', '--modify', '--scope', 'resources', '--xml-text', xml]] : []),
    ...[clone, group].map((id) => ['crm_resource', '--refresh', '--resource', id]),
    ['crm_resource', '--wait'],
    ...(isInMaintenance(cib) && migrationIn(cib) === null ? [] : [[...option, '--delete']]),
  ];
}

const courseFor = (call: Call, host: Host, folder: string, plan: Plan): Omit<Course, 'expected'> => ({
  ...{ call, host, folder, ids: plan.ids },
  containers: [of(plan.pair.clone, 'id'), plan.group],
  isOurs: plan.halfway !== null || !isInMaintenance(plan.cib),
});

async function changeFile(call: Call, folder: string, plan: Plan, narrate: Narrate): Promise<Ending> {
  const words = migrateWords(call.terminal.language);
  const course = { ...courseFor(call, call.host, folder, plan), expected: null };
  await change(course, (cib) => withAgents(cib, plan.changes));
  narrate('done', [`✓ ${say(words.changed, { agents: words[plan.to] })}`]);
  return 'well';
}

/** What a monitor has to say of everything, by what the cluster believes now. */
const expectedNow = ({ nodes, instances }: Cluster, ids: readonly string[]): ReadonlyMap<string, number> =>
  new Map(
    nodes.flatMap(({ name }) =>
      ids.map((id): readonly [string, number] => {
        const there = instances.find((one) => one.id === id && one.node === name && one.active);
        return [`${name} ${id}`, there ? (there.role === 'Promoted' ? 8 : 0) : 7];
      }),
    ),
  );

/** Gives no answer any more once it is over: whoever takes back what was done is alone then. */
function parked(host: Host, isOver: () => boolean): Host {
  const never = new Promise<never>(() => {});
  return {
    ...host,
    async tryRun(argv, options) {
      if (isOver()) return never;
      const output = await host.tryRun(argv, options);
      return isOver() ? never : output;
    },
  };
}

async function carryOut(
  call: Call,
  folder: string,
  plan: Plan,
  cluster: Cluster,
  narrate: Narrate,
): Promise<Ending> {
  const { terminal } = call;
  const { to, before, wanted, changes, node, isResumed } = plan;
  const words = migrateWords(terminal.language);
  const expected = isResumed ? null : expectedNow(cluster, plan.ids);
  let [isOver, isDone] = [false, false];
  const course: Course = {
    ...courseFor(
      call,
      parked(call.host, () => isOver),
      folder,
      plan,
    ),
    expected,
  };
  const tell = (text: string) => narrate('seen', [`${clock(Date.now(), Date.now())}  ${harmless(text)}`]);
  const steps = (step: 'changed' | 'found') => tell(say(words[step], { agents: words[to] }));
  const goBack = async (host: Host): Promise<string | null> => {
    try {
      return await bring({ ...course, host }, before, () => {});
    } catch (error) {
      return wordsOf(error);
    }
  };
  // before anything is asked for: who is interrupted while cibadmin runs does not know whether it was taken
  call.onInterrupt(async () => {
    if (isDone) return;
    isOver = true;
    print(2, `${words.interrupted}\n`);
    const why = await goBack(call.host);
    print(2, `${why === null ? words.interruptedBack : say(words.stays, { why: harmless(why) })}\n`);
  });
  let why: string | null;
  try {
    await change(course, (cib) => (isInMaintenance(cib) ? cib : intoMaintenance(cib, { to, node })));
    await settle(course.host);
    narrate('begun', [`${clock(Date.now(), Date.now())}  ${words.on}`]);
    why = await bring(course, wanted, steps);
  } catch (error) {
    why = wordsOf(error);
  }
  if (why !== null) {
    const isTheSame = changes.size === 0;
    if (!isTheSame) tell(`${why}. ${words.back}`);
    const stays = isTheSame ? why : await goBack(course.host);
    if (stays === null) throw new CommandError('broken', say(words.takenBack, { why: harmless(why) }));
    throw new CommandError('halfway', say(words.stays, { why: harmless(stays) }), [
      'tsha status',
      ...(['tsha', 'stock'] as const).map((name) => `tsha migrate --to=${name}`),
    ]);
  }
  isDone = true;
  if (course.isOurs) tell(words.off);
  return ended(call, plan, course.isOurs, narrate);
}

/** What became of it once Pacemaker looks after everything again. */
async function ended(
  { host, terminal }: Call,
  { group, to, ids }: Plan,
  isOurs: boolean,
  narrate: Narrate,
): Promise<Ending> {
  const words = migrateWords(terminal.language);
  if (isOurs) await settle(host);
  const cluster = await tryToKnow(() => lookAtCluster(host));
  const failures = cluster.is === 'unknown' ? [] : cluster.value.failures;
  const what = failures
    .filter(({ resource }) => ids.includes(resource))
    .map(({ resource, action, node, reason }) => `${resource} ${action} (${node}): ${reason}`)
    .join('; ');
  const said = what !== '' ? words.doneFailed : isOurs ? words.done : words.doneKept;
  const isWell = what === '' && isOurs;
  const ending = isWell ? 'well' : 'attention';
  const file = await providerOfFile(host);
  narrate(
    'done',
    [
      `${isWell ? '✓' : '!'} ${harmless(say(said, { group, agents: words[to], what }))}`,
      ...(file === null || file === to
        ? []
        : [`! ${say(words.file, { file: configurationFile, provider: file, to })}`]),
    ],
    {},
    ending,
  );
  return ending;
}

/** What the configuration says, if there is one. */
async function providerOfFile(host: Host): Promise<string | null> {
  const text = await readIfThere(host, configurationFile);
  if (text === undefined) return null;
  return /^provider:[ \t]*["']?(\w+)/m.exec(text)?.[1] ?? 'tsha';
}
