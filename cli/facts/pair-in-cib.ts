import { CommandError } from '../exit.ts';
import { type AgentName, resourceIds } from '../stack.ts';
import { readCib, type Values, valuesIn } from './cib.ts';
import { besideOf, leadersOf } from './service.ts';
import { below, type Element, attribute as of, within } from './xml.ts';

/** A resource of ours or of the stock agents, as the CIB has it. */
export type Found = {
  readonly id: string;
  readonly agent: AgentName;
  readonly provider: string;
  readonly values: Values;
};

export const nothingHere = (why: string): CommandError =>
  new CommandError('unknown', `this cluster has no pair: ${why}`);

const isAgent = (type: string): type is AgentName => type in resourceIds;

function found(primitive: Element): readonly Found[] {
  const [agent, provider] = [of(primitive, 'type'), of(primitive, 'provider')];
  if (
    of(primitive, 'class') !== 'ocf' ||
    !['tsha', 'heartbeat', 'linbit'].includes(provider) ||
    !isAgent(agent)
  )
    return [];
  return [
    { id: of(primitive, 'id'), agent, provider, values: valuesIn(below(primitive, 'instance_attributes')) },
  ];
}

export type PairInCib = {
  readonly clone: Element;
  readonly drbdResource: Found;
  readonly group: Element;
  readonly members: readonly Found[];
};

/** The clone of DRBD, and the group with an NFS server in it. Throws `CommandError` where there is no such pair, or several. */
export function pairIn(cib: Element): PairInCib {
  const [resources] = within(cib, 'resources');
  const clones = resources ? below(resources, 'clone').concat(below(resources, 'master')) : [];
  const ofDrbd = clones.flatMap((clone) =>
    below(clone, 'primitive')
      .flatMap(found)
      .filter(({ agent }) => agent === 'drbd')
      .map((drbd) => ({ clone, drbd })),
  );
  const groups = (resources ? below(resources, 'group') : []).filter((group) =>
    below(group, 'primitive')
      .flatMap(found)
      .some(({ agent }) => agent === 'nfsserver'),
  );
  const [group, ...others] = groups;
  if (!group) throw nothingHere('no group holds an nfsserver');
  const names = (list: readonly Element[]) => list.map((one) => of(one, 'id')).join(', ');
  if (others.length > 0) throw nothingHere(`there are several groups with an nfsserver (${names(groups)})`);
  const known = { cib: readCib(cib) };
  const id = of(group, 'id');
  const leaders = leadersOf(known, id);
  const own = (leaders.length > 0 ? leaders : besideOf(known, id)).map((one) => one.clone);
  const [only, ...more] =
    ofDrbd.length > 1 ? ofDrbd.filter(({ clone }) => own.includes(of(clone, 'id'))) : ofDrbd;
  if (!only) throw nothingHere('no promotable clone of DRBD belongs to the group');
  if (more.length > 0)
    throw nothingHere('the group stands on several DRBD resources, and the file describes one');
  if (only.clone.name === 'master')
    throw nothingHere(
      `${of(only.clone, 'id')} is a <master> of old: let pcs or crmsh upgrade it (cibadmin --upgrade) first`,
    );
  return {
    clone: only.clone,
    drbdResource: only.drbd,
    group,
    members: below(group, 'primitive').flatMap(found),
  };
}
