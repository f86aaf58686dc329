import type { Argv } from '../stack.ts';
import type { Named, Resource, Wanted } from './cluster.ts';
import type { Reason } from './words.ts';

/** A command without `pcs` itself, and why it is there. */
export type PcsCommand = { readonly argv: Argv; readonly why: Reason };

/** Only spellings that mean the same in pcs 0.11 and 0.12: `create … promotable` and `create … --group` do not. */
export function pcsCommands({
  resources,
  clone,
  group,
  colocation,
  order,
  alert,
}: Wanted): readonly PcsCommand[] {
  const [drbd, ...members] = resources;
  return [
    ...(drbd ? [create(drbd)] : []),
    {
      argv: ['resource', 'promotable', ...clone.members, clone.id, ...pairs(withoutPromotable(clone.meta))],
      why: clone.why,
    },
    ...members.map(create),
    { argv: ['resource', 'group', 'add', group.id, ...group.members], why: group.why },
    ...(group.meta.length > 0
      ? [{ argv: ['resource', 'meta', group.id, ...pairs(group.meta)], why: group.why }]
      : []),
    {
      argv: [
        ...['constraint', 'colocation', 'add', group.id, 'with', 'Promoted', clone.id],
        ...['score=INFINITY', `id=${colocation.id}`],
      ],
      why: colocation.why,
    },
    {
      argv: ['constraint', 'order', 'promote', clone.id, 'then', 'start', group.id, `id=${order.id}`],
      why: order.why,
    },
    ...(alert ? [{ argv: ['alert', 'create', `path=${alert.path}`, `id=${alert.id}`], why: alert.why }] : []),
  ];
}

const pairs = (named: Named): Argv => named.map(([name, value]) => `${name}=${value}`);

/** The command says it itself. */
const withoutPromotable = (meta: Named): Named => meta.filter(([name]) => name !== 'promotable');

/** Every operation is said: what pcs adds by itself depends on which agents are installed. */
const create = ({ id, type, parameters, operations, why }: Resource): PcsCommand => ({
  argv: [
    ...['resource', 'create', id, type, ...pairs(parameters)],
    ...operations.flatMap(({ name, interval, timeout, role }) => [
      ...['op', name, `interval=${interval}`, `timeout=${timeout}`],
      ...(role === null ? [] : [`role=${role}`]),
    ]),
    '--no-default-ops',
  ],
  why,
});
