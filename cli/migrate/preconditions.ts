import { readBoolean } from '../../lib/contract/params.ts';
import { simulated, textOf, withDrafts, write } from '../apply/workshop.ts';
import type { Call } from '../command.ts';
import { must, type Precondition } from '../commands/preconditions.ts';
import type { Cluster } from '../facts/cluster.ts';
import { markOf, outOfMaintenance } from '../facts/migration.ts';
import { askAgents } from '../facts/other-node.ts';
import { isAtWork, services } from '../facts/service.ts';
import { say } from '../output/words.ts';
import { type Installed, installedAgents, missingOf, unknownParameters } from './agents.ts';
import type { Plan } from './plan.ts';
import type { MigrateWords } from './words.ts';

/** What must hold before anything is begun. Of a change that is half-way only what the way to its end needs. */
export async function answersFor(
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
      ? [must(cluster.hasQuorum && cluster.dc !== null, words.quorum)]
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
    must(cluster.hasQuorum && cluster.dc !== null, words.quorum),
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
