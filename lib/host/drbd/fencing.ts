/** What a fence-peer handler leaves in the cluster's configuration. */
export type FencingConstraint = { readonly id: string; readonly clone: string };

/**
 * The constraints of DRBD's handlers for one resource in `cibadmin --query --scope constraints`: their names are a prefix that
 * can be chosen, the resource, and from DRBD 8.4 on the clone, `drbd-fence-by-handler-r0-p_drbd-clone`.
 */
export function fencingConstraints(xml: string, resource: string): readonly FencingConstraint[] {
  return [...xml.matchAll(/<rsc_location\b[^>]*>/g)]
    .map(([tag]) => ({ id: attribute(tag, 'id'), clone: attribute(tag, 'rsc') }))
    .filter(
      ({ id, clone }) => id.endsWith(`-${resource}-${clone}`) || id === `drbd-fence-by-handler-${resource}`,
    );
}

const attribute = (tag: string, name: string): string =>
  new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? '';

/** How long the handler that comes with DRBD may take, in seconds; `undefined` for any other command. */
export function fenceHandlerSeconds(command: string): number | undefined {
  if (!/crm-fence-peer/.test(command)) return undefined;
  const option = (pattern: string, otherwise: number) =>
    Number(new RegExp(`(?:${pattern})[ =](\\d+)`).exec(command)?.[1] ?? otherwise);
  return Math.max(option('-t|--timeout', 90), option('-d|--dc-timeout', 20));
}
