import type { Caller } from '../cluster.ts';
import { cloneOf, constraintsXml } from '../cluster.ts';
import type { Host } from '../host.ts';
import { readXml } from '../xml.ts';
import { all, type Element } from '../xml-element.ts';
import type { Configuration } from './configuration.ts';

/** What a fence-peer handler leaves in the cluster's configuration, for a resource and the clone that runs it. */
export type FencingConstraint = { readonly id: string; readonly clone: string };

const defaultPrefix = 'drbd-fence-by-handler';

/**
 * The constraints that the fence-peer handler has left for a resource and the caller's clone; `undefined` when the cluster cannot be
 * asked. `prefixes` tells with what the handler begins their names: the configuration of this node does (`prefixesIn`), and is asked
 * only when there is one that the default does not explain.
 */
export async function fencingConstraints(
  host: Host,
  caller: Caller,
  resource: string,
  prefixes: () => Promise<readonly string[] | 'any'>,
): Promise<readonly FencingConstraint[] | undefined> {
  const xml = await constraintsXml(host);
  const constraints = xml === undefined ? undefined : await readXml(xml);
  if (constraints === undefined) return undefined;
  const candidates: FencingConstraint[] = [];
  for (const { id, clone, forbids } of locations(constraints)) {
    const prefix = prefixOf(id, resource, clone);
    if (prefix === undefined) continue;
    if (prefix === defaultPrefix) candidates.push({ id, clone });
    else if (forbids && !prefix.startsWith(`${defaultPrefix}-`)) {
      const known = await prefixes();
      if (known === 'any' || known.includes(prefix)) candidates.push({ id, clone });
    }
  }
  const own = candidates.length === 0 ? undefined : await cloneOf(host, caller);
  return candidates.filter(({ clone }) => own === undefined || clone === own);
}

type Location = FencingConstraint & {
  /** It has a rule that keeps the clone, or a role of it, away, as the handlers write it. */
  readonly forbids: boolean;
};

/** `<constraints> <rsc_location id="…" rsc="…"> <rule role="Master" score="-INFINITY">…` of `cibadmin --query --scope constraints`. */
const locations = (constraints: Element): readonly Location[] =>
  all(constraints, 'rsc_location').map((location) => ({
    id: location.attributes['id'] ?? '',
    clone: location.attributes['rsc'] ?? '',
    forbids: all(location, 'rule').some(({ attributes }) => attributes['score'] === '-INFINITY'),
  }));

/**
 * What a name begins with that is made of a prefix, the resource and the clone, `drbd-fence-by-handler-r0-p_drbd-clone`; before DRBD
 * 8.4 without the clone. `undefined` for any other name. Each part may hold dashes: only the prefix tells where the resource begins.
 */
function prefixOf(id: string, resource: string, clone: string): string | undefined {
  if (id === `${defaultPrefix}-${resource}`) return defaultPrefix;
  const end = `-${resource}-${clone}`;
  return clone !== '' && id.endsWith(end) ? id.slice(0, -end.length) : undefined;
}

/** Prefixes of the administrator's own: `crm-fence-peer.9.sh --id-prefix my-fence`. */
export const prefixesIn = ({ handlers }: Configuration): readonly string[] =>
  [...handlers.values()].flatMap((command) => {
    const [, options = ''] = /crm-(?:un)?fence-peer(.*)/.exec(command) ?? [];
    return / (?:-i|--id-prefix)[ =](\S+)/.exec(options)?.[1] ?? [];
  });

/** How long the handler that comes with DRBD may take, in seconds; `undefined` for any other command. */
export function fenceHandlerSeconds(command: string): number | undefined {
  if (!/crm-fence-peer/.test(command)) return undefined;
  const option = (pattern: string, otherwise: number) =>
    Number(new RegExp(`(?:${pattern})[ =](\\d+)`).exec(command)?.[1] ?? otherwise);
  return Math.max(option('-t|--timeout', 90), option('-d|--dc-timeout', 20));
}
