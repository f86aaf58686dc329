import { Failure } from '../../contract/outcome.ts';
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

export function parseConfiguration(xml: string): Configuration {
  const hosts = [...xml.matchAll(/<host name="([^"]+)">\s*<volume/g)].flatMap(([, names = '']) =>
    names.split(/\s+/),
  );
  const handlers = [...xml.matchAll(/<section name="handlers">(.*?)<\/section>/gs)].flatMap(([, text = '']) =>
    [...text.matchAll(/<option name="([^"]+)" value="([^"]*)"/g)].map(
      ([, event = '', command = '']) => [event, unescaped(command)] as const,
    ),
  );
  return {
    hosts,
    twoPrimaries: allowsTwoPrimaries(xml),
    fencing: optionIn(xml, 'fencing') ?? 'dont-care',
    quorum: optionIn(xml, 'quorum') ?? 'off',
    handlers: new Map(handlers),
  };
}

/** A connection's own word goes before the resource's. */
function allowsTwoPrimaries(xml: string): boolean {
  const connections = xml.match(/<connection>.*?<\/connection>/gs) ?? [];
  const common = twoPrimariesIn(
    connections.reduce((rest, connection) => rest.replace(connection, () => ''), xml),
  );
  return connections.length === 0
    ? common === true
    : connections.every((connection) => twoPrimariesIn(connection) ?? common ?? false);
}

const twoPrimariesIn = (xml: string): boolean | undefined => {
  const value = /<option name="allow-two-primaries"(?: value="(\w+)")?\s*\/>/.exec(xml);
  return value ? value[1] !== 'no' : undefined;
};

const optionIn = (xml: string, option: string): string | undefined =>
  new RegExp(`<option name="${option}" value="([^"]*)"`).exec(xml)?.[1];

const unescaped = (text: string): string =>
  text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
