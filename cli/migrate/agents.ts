import { commandFailure, type Host } from '../../lib/host/host.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import type { Provider } from '../facts/migration.ts';
import { agentName } from '../facts/migration.ts';
import type { PairInCib } from '../facts/pair-in-cib.ts';
import { type Element, attribute as of, parseXml, within } from '../facts/xml.ts';
import { type AgentName, agentType, resourceIds } from '../stack.ts';

/** The agent of each resource, by its id: `ocf:tsha:drbd`. */
export type Agents = ReadonlyMap<string, string>;

const membersOf = ({ drbdResource, members }: PairInCib) => [drbdResource, ...members];

export const idsOf = (pair: PairInCib): readonly string[] => membersOf(pair).map(({ id }) => id);

/** As they are configured. */
export function agentsIn(cib: Element, ids: readonly string[]): Agents {
  const all = within(cib, 'primitive').filter((one) => ids.includes(of(one, 'id')));
  return new Map(all.map((one) => [of(one, 'id'), agentName(one)]));
}

/** As they are to be. */
export const agentsOf = (pair: PairInCib, to: Provider): Agents =>
  new Map(membersOf(pair).map(({ id, agent }) => [id, agentType(agent, to)]));

export const differing = (now: Agents, wanted: Agents): Agents =>
  new Map([...wanted].filter(([id, agent]) => now.has(id) && now.get(id) !== agent));

/** The CIB with these agents; parameters, operations and everything else stay as they are. */
export function withAgents(element: Element, agents: Agents): Element {
  if (element.name === 'status') return element;
  const agent = element.name === 'primitive' ? agents.get(of(element, 'id')) : undefined;
  const children = element.children.map((child) => withAgents(child, agents));
  if (agent === undefined) return { ...element, children };
  const [standard = '', provider = '', type = ''] = agent.split(':');
  return { ...element, children, attributes: { ...element.attributes, class: standard, provider, type } };
}

/** Parameters by the agent; null for one that this node lacks. */
export type Installed = ReadonlyMap<string, readonly string[] | null>;

/** What the agents of a provider that this node has say of themselves. Throws `Failure` when that is not known. */
export async function installedAgents(host: Host, provider: Provider): Promise<Installed> {
  const agents = (Object.keys(resourceIds) as AgentName[]).map((name) => agentType(name, provider));
  const installed = new Map<string, readonly string[] | null>();
  for (const agent of agents) installed.set(agent, await parametersOf(host, agent));
  return installed;
}

async function parametersOf(host: Host, agent: string): Promise<readonly string[] | null> {
  const argv: Argv = ['crm_resource', '--show-metadata', agent];
  const answer = await host.tryRun(argv, { timeoutMs: 20_000 });
  if (answer.missing || answer.hung) throw commandFailure(argv, answer);
  if (answer.code !== 0 || !answer.stdout.includes('<resource-agent')) return null;
  return within(parseXml(answer.stdout), 'parameter').map((one) => of(one, 'name'));
}

export const missingOf = (installed: Installed): readonly string[] =>
  [...installed].filter(([, parameters]) => parameters === null).map(([agent]) => agent);

/** Parameters of a resource that the other agent has no word for, by the resource's id. */
export const unknownParameters = (
  pair: PairInCib,
  wanted: Agents,
  installed: Installed,
): ReadonlyMap<string, readonly string[]> =>
  new Map(
    membersOf(pair).flatMap(({ id, values }): readonly (readonly [string, readonly string[]])[] => {
      const known = installed.get(wanted.get(id) ?? '');
      const left = known ? Object.keys(values).filter((name) => !known.includes(name)) : [];
      return left.length > 0 ? [[id, left]] : [];
    }),
  );
