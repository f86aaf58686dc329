import { Failure } from '../../contract/outcome.ts';
import type { Host } from '../host.ts';
import { readXml } from '../xml.ts';
import { all, type Element } from '../xml-element.ts';
import { type Admin, complaint } from './admin.ts';

/** One resource as drbdadm understands the configuration file. */
export type Configuration = {
  /** By the names that the file gives them; of a stacked resource the hosts of the resource below. */
  readonly hosts: readonly string[];
  readonly twoPrimaries: boolean;
  /** dont-care, resource-only, resource-and-stonith. */
  readonly fencing: string;
  /** off, majority, all, or a number. Not in DRBD 8.4. */
  readonly quorum: string;
  /** Command lines by the name of their event. */
  readonly handlers: ReadonlyMap<string, string>;
};

/** With `-d` drbdadm writes into each resource what it has from the common section. */
export async function configurationOf(admin: Admin): Promise<Configuration> {
  const output = await admin.run(['-d', 'dump-xml', admin.resource]);
  if (output.code !== 0)
    throw new Failure('failed', `drbdadm dump-xml ${admin.resource}: ${complaint(output)}`);
  return parseConfiguration(output.stdout);
}

export type MissingHandler = { readonly handler: string; readonly program: string };

/** Handlers that name a program by its path, where none is. A shell's command line without one cannot be looked for. */
export async function missingHandlers(
  host: Host,
  { handlers }: Configuration,
): Promise<readonly MissingHandler[]> {
  const missing: MissingHandler[] = [];
  for (const [handler, command] of handlers) {
    const [program = ''] = command.trim().split(/\s+/);
    if (program.startsWith('/') && !(await host.sys.has(program))) missing.push({ handler, program });
  }
  return missing;
}

/*
 * <config file="/etc/drbd.conf"> <resource name="data">
 *   <host name="node1"> <volume vnr="0">…</volume> … </host>
 *   <connection> <host name="node1">…</host> <section name="net"> <option name="allow-two-primaries" value="yes"/> </section> </connection>
 *   <section name="handlers"> <option name="fence-peer" value="/usr/lib/drbd/crm-fence-peer.9.sh --timeout 60"/> </section>
 */
export async function parseConfiguration(xml: string): Promise<Configuration> {
  const root = await readXml(xml);
  if (root === undefined)
    throw new Failure('failed', `drbdadm dump-xml answered with no XML: ${xml.slice(0, 200)}`);
  return configurationIn(root);
}

/** The same of a document that was read already. */
export function configurationIn(root: Element): Configuration {
  const options = all(root, 'option');
  const given = (option: string) =>
    options.find(({ attributes }) => attributes['name'] === option)?.attributes['value'];
  return {
    hosts: all(root, 'host')
      .filter(({ children }) => children[0]?.name === 'volume')
      .flatMap(({ attributes }) => (attributes['name'] ?? '').split(/\s+/)),
    twoPrimaries: allowsTwoPrimaries(root),
    fencing: given('fencing') ?? 'dont-care',
    quorum: given('quorum') ?? 'off',
    handlers: new Map(
      all(root, 'section')
        .filter(({ attributes }) => attributes['name'] === 'handlers')
        .flatMap((section) => all(section, 'option'))
        .map(({ attributes: { name = '', value = '' } }) => [name, value] as const),
    ),
  };
}

/** A connection's own word goes before the resource's. */
function allowsTwoPrimaries(root: Element): boolean {
  const connections = all(root, 'connection');
  const theirs = connections.flatMap((connection) => all(connection, 'option'));
  const common = twoPrimariesIn(all(root, 'option').filter((option) => !theirs.includes(option)));
  return connections.length === 0
    ? common === true
    : connections.every((connection) => twoPrimariesIn(all(connection, 'option')) ?? common ?? false);
}

/** An option without a value is a `yes`. */
function twoPrimariesIn(options: readonly Element[]): boolean | undefined {
  const option = options.find(({ attributes }) => attributes['name'] === 'allow-two-primaries');
  return option && option.attributes['value'] !== 'no';
}
