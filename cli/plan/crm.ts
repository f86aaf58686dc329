import type { Named, Operation, Resource, Wanted } from './cluster.ts';
import type { Reason } from './words.ts';

/** An entry of `crm configure`, its further lines with a backslash before them. */
export type CrmEntry = { readonly text: string; readonly why: Reason };

/** What `crm configure load update` takes, in one transaction. */
export function crmEntries({
  resources,
  clone,
  group,
  colocation,
  order,
  alert,
}: Wanted): readonly CrmEntry[] {
  return [
    ...resources.map(primitive),
    {
      text: entry(['clone', clone.id, ...clone.members], [section('meta', clone.meta)]),
      why: clone.why,
    },
    {
      text: entry(['group', group.id, ...group.members], [section('meta', group.meta)]),
      why: group.why,
    },
    {
      text: `colocation ${colocation.id} inf: ${group.id} ${clone.id}:Promoted`,
      why: colocation.why,
    },
    { text: `order ${order.id} Mandatory: ${clone.id}:promote ${group.id}:start`, why: order.why },
    ...(alert ? [{ text: `alert ${alert.id} "${alert.path}"`, why: alert.why }] : []),
  ];
}

const primitive = ({ id, type, parameters, operations, why }: Resource): CrmEntry => ({
  text: entry(['primitive', id, type], [section('params', parameters), ...operations.map(operation)]),
  why,
});

const operation = ({ name, interval, timeout, role }: Operation): string =>
  section(`op ${name}`, [
    ['interval', interval],
    ['timeout', timeout],
    ...(role === null ? [] : [['role', role] as const]),
  ]);

const section = (name: string, named: Named): string =>
  named.length === 0 ? '' : `${name} ${named.map(([key, value]) => `${key}=${quoted(value)}`).join(' ')}`;

const quoted = (value: string): string => (/^[\w@%+:,./-]+$/.test(value) ? value : `"${value}"`);

const entry = (head: readonly string[], sections: readonly string[]): string =>
  [head.join(' '), ...sections.filter((one) => one !== '')].join(' \\\n  ');
