import { wordsOf } from '../../lib/contract/reason.ts';
import type { Host } from '../../lib/host/host.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import { settle, withDrafts } from '../apply/workshop.ts';
import type { Call } from '../command.ts';
import { agreed, type Proposal, requireRoot } from '../commands/change.ts';
import { linesOf, requireMet } from '../commands/preconditions.ts';
import { configurationFile } from '../configuration/read.ts';
import { CommandError, type Ending } from '../exit.ts';
import { cibText } from '../facts/cib-text.ts';
import { type Cluster, lookAtCluster } from '../facts/cluster.ts';
import { gather } from '../facts/gather.ts';
import { tryToKnow } from '../facts/known.ts';
import { intoMaintenance, isInMaintenance, migrationIn, type Provider } from '../facts/migration.ts';
import { type Element, attribute as of, parseXml } from '../facts/xml.ts';
import { type Narrate, narrator } from '../output/narration.ts';
import { print } from '../output/print.ts';
import { harmless } from '../output/terminal.ts';
import { clock } from '../output/units.ts';
import { say } from '../output/words.ts';
import { xmlLines } from '../plan/xml.ts';
import { type Argv, shellLine } from '../stack.ts';
import { withAgents } from './agents.ts';
import { bring, type Course, change } from './course.ts';
import { type Plan, planFor } from './plan.ts';
import { answersFor } from './preconditions.ts';
import { migrateWords } from './words.ts';

export type MigrateOptions = {
  readonly to: Provider;
  readonly dryRun: boolean;
  readonly yes: boolean;
  /** Codes of what may be so. */
  readonly although: readonly string[];
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
      ...linesOf(answers, options.although, terminal),
      ...(options.dryRun ? commands.map((command) => harmless(`  ${command}`)) : []),
    ],
    { commands },
  );
  const command = `tsha migrate --to=${to}`;
  requireMet(answers, options.although, words.refused, command);
  if (options.dryRun) return 'well';
  requireRoot(call);
  const proposal: Proposal<{ readonly plan: Plan; readonly cluster: Cluster }> = {
    ...{
      question: words.question,
      yes: options.yes,
      what: command,
      plan: { plan, cluster },
    },
    async again() {
      const now = await lookAtCluster(host);
      const next = planFor(parseXml(await cibText(host)), plan.node, to);
      requireMet(await answersFor(call, next, now, isFile, words), options.although, words.refused, command);
      return { plan: next, cluster: now };
    },
    keyOf: (one) => [[...one.plan.before], [...one.plan.changes], one.plan.isResumed],
  };
  return agreed(call, proposal, (now) =>
    withDrafts(call, (folder) =>
      isFile
        ? changeFile(call, folder, now.plan, narrate)
        : carryOut(call, folder, now.plan, now.cluster, narrate),
    ),
  );
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

const courseFor = (call: Call, folder: string, plan: Plan): Omit<Course, 'expected'> => ({
  ...{ call, host: call.host, folder, ids: plan.ids },
  containers: [of(plan.pair.clone, 'id'), plan.group],
  isOurs: plan.halfway !== null || !isInMaintenance(plan.cib),
});

async function changeFile(call: Call, folder: string, plan: Plan, narrate: Narrate): Promise<Ending> {
  const words = migrateWords(call.terminal.language);
  const course = { ...courseFor(call, folder, plan), expected: null };
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
  let isDone = false;
  const course: Course = { ...courseFor(call, folder, plan), expected };
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
    if (isDone) return undefined;
    print(2, `${words.interrupted}\n`);
    const why = await goBack(call.host);
    print(2, `${why === null ? words.interruptedBack : say(words.stays, { why: harmless(why) })}\n`);
    return why === null ? undefined : 'halfway';
  });
  let why: string | null;
  try {
    await change(course, (cib) => (isInMaintenance(cib) ? cib : intoMaintenance(cib, { to, node })));
    await settle(course.host);
    const isHeeded = (await lookAtCluster(course.host)).maintenance;
    // who has ended it meanwhile is told of otherwise
    const isOutweighed = !isHeeded && isInMaintenance(parseXml(await cibText(course.host)));
    if (isHeeded) narrate('begun', [`${clock(Date.now(), Date.now())}  ${words.on}`]);
    why = isOutweighed ? words.notHeeded : await bring(course, wanted, steps);
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
  const what = cluster.is === 'unknown' ? cluster.why : failuresOf(cluster.value, ids);
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

const failuresOf = ({ failures }: Cluster, ids: readonly string[]): string =>
  failures
    .filter(({ resource }) => ids.includes(resource))
    .map(({ resource, action, node, reason }) => `${resource} ${action} (${node}): ${reason}`)
    .join('; ');

/** What the configuration says, if there is one. */
async function providerOfFile(host: Host): Promise<string | null> {
  const text = await readIfThere(host, configurationFile);
  if (text === undefined) return null;
  return /^provider:[ \t]*["']?(\w+)/m.exec(text)?.[1] ?? 'tsha';
}
