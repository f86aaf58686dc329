import { Failure } from '../../lib/contract/outcome.ts';
import { firstLine, type Host } from '../../lib/host/host.ts';
import type { Argv } from '../../lib/host/sys/sys.ts';
import { type Cib, type Primitive, readCib, readTime } from './cib.ts';
import { attribute, below, type Element, isTrue, parseXml, within } from './xml.ts';

/** The cluster as this node's manager sees it. */
export type Cluster = {
  readonly name: string | null;
  /** Null while none is elected, or nobody may be: then nothing is decided. */
  readonly dc: string | null;
  readonly version: string | null;
  readonly hasQuorum: boolean;
  /** When it was asked, by its own word, in milliseconds since 1970. */
  readonly askedAt: number | null;
  readonly maintenance: boolean;
  readonly nodes: readonly ClusterNode[];
  readonly instances: readonly Instance[];
  readonly failures: readonly FailedAction[];
  readonly cib: Cib;
};

export type ClusterNode = {
  readonly name: string;
  /** It has a cluster manager of its own, unlike remote nodes and the guests in containers. */
  readonly isMember: boolean;
  readonly online: boolean;
  readonly pending: boolean;
  readonly unclean: boolean;
  readonly standby: 'no' | 'forever' | 'reboot';
  readonly maintenance: boolean;
  readonly isDc: boolean;
  /** Of the cluster's protocol; null before Pacemaker 2.1.5. */
  readonly featureSet: string | null;
};

/** A resource at one place, one of several where it runs twice; an instance of a clone that runs nowhere has no node. */
export type Instance = {
  readonly id: string;
  readonly agent: string;
  /** Started, Stopped, Promoted, Unpromoted, Starting, Stopping…; Pacemaker 2.0's words are translated. */
  readonly role: string;
  readonly node: string | null;
  readonly active: boolean;
  readonly failed: boolean;
  readonly blocked: boolean;
  readonly managed: boolean;
  readonly orphaned: boolean;
  /** What Pacemaker does with it at this moment, in its own word. */
  readonly pending: string | null;
  readonly targetRole: string | null;
};

export type FailedAction = {
  readonly resource: string;
  readonly node: string;
  readonly action: string;
  /** In the agent's own words where it said any, else Pacemaker's. */
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly at: number | null;
};

const askMs = 10_000;

/** Throws `Failure`, with a sentence, when there is no cluster here or it does not answer. */
export async function lookAtCluster(host: Host): Promise<Cluster> {
  const [cib, mon] = await Promise.all([
    ask(host, ['cibadmin', '--query']),
    ask(host, ['crm_mon', '--output-as=xml', '--one-shot', '--inactive']),
  ]);
  return readCluster(parseXml(mon), parseXml(cib));
}

async function ask(host: Host, argv: Argv): Promise<string> {
  const output = await host.tryRun(argv, { timeoutMs: askMs });
  const [name] = argv;
  if (output.code === 0 && output.stdout.trim() !== '') return output.stdout;
  if (output.missing)
    throw new Failure('notInstalled', `${name} is not installed: Pacemaker is not on this machine`);
  if (output.hung)
    throw new Failure('failed', `${name} did not answer within ${askMs / 1000} s (${output.hung})`);
  const said = firstLine(output.stderr) || errorIn(output.stdout) || `exit ${output.code}`;
  const sentence = noCluster.test(said) ? notHere : 'the cluster does not answer';
  throw new Failure('failed', `${sentence} (${name}: ${said})`);
}

const notHere = 'the cluster does not run on this node';
/** Of a reason why nothing is known of the cluster. */
export const isNotHere = (why: string): boolean => why.startsWith(notHere);

const noCluster =
  /not available on this node|Connection refused|Transport endpoint|Not connected|cluster is not running/i;

/** Pacemaker's tools put their errors into the document they were asked for. */
const errorIn = (xml: string): string =>
  /<error>([^<]*)<\/error>/.exec(xml)?.[1] ??
  [...xml.matchAll(/<status ([^>]*)/g)]
    .map(([, attributes = '']) => /\bmessage="([^"]*)"/.exec(attributes)?.[1])
    .find((message) => message !== undefined) ??
  '';

/** Puts `crm_mon --output-as=xml --inactive` and the configuration together. */
function readCluster(mon: Element, whole: Element): Cluster {
  const cib = readCib(whole);
  const [summary] = below(mon, 'summary');
  const [dc] = summary ? below(summary, 'current_dc') : [];
  const [asked] = summary ? below(summary, 'last_update') : [];
  const [options] = summary ? below(summary, 'cluster_options') : [];
  return {
    name: cib.properties['cluster-name'] || null,
    dc: (dc && attribute(dc, 'name')) || null,
    version: (dc && attribute(dc, 'version')) || null,
    // without a DC crm_mon does not say it
    hasQuorum:
      dc && attribute(dc, 'with_quorum')
        ? isTrue(dc, 'with_quorum')
        : attribute(whole, 'have-quorum') === '1',
    askedAt: asked ? readMonTime(attribute(asked, 'time')) : null,
    maintenance: options ? isTrue(options, 'maintenance-mode') : false,
    nodes: below(mon, 'nodes', 'node').map((node) => clusterNode(node, cib)),
    instances: below(mon, 'resources').flatMap((resources) =>
      within(resources, 'resource').flatMap(instances),
    ),
    failures: below(mon, 'failures', 'failure').map(failedAction),
    cib,
  };
}

function clusterNode(node: Element, cib: Cib): ClusterNode {
  const name = attribute(node, 'name');
  const configured = cib.nodes.get(name);
  const standby = configured?.standby ?? 'no';
  return {
    name,
    isMember: !/^(remote|guest)$/.test(attribute(node, 'type')),
    online: isTrue(node, 'online'),
    pending: isTrue(node, 'pending'),
    unclean: isTrue(node, 'unclean'),
    // a standby after a failed stop is in neither place
    standby: standby === 'no' && isTrue(node, 'standby') ? 'forever' : standby,
    maintenance: isTrue(node, 'maintenance'),
    isDc: isTrue(node, 'is_dc'),
    featureSet: attribute(node, 'feature_set') || configured?.transient['#feature-set'] || null,
  };
}

const newRoles: { readonly [word: string]: string } = { Master: 'Promoted', Slave: 'Unpromoted' };

function instances(element: Element): readonly Instance[] {
  const role = attribute(element, 'role');
  const places = below(element, 'node').map((node) => attribute(node, 'name') || null);
  return (places.length > 0 ? places : [null]).map((node) => ({
    id: attribute(element, 'id').replace(/:\d+$/, ''),
    agent: attribute(element, 'resource_agent').replace(/::/g, ':'),
    role: newRoles[role] ?? role,
    node,
    active: isTrue(element, 'active'),
    failed: isTrue(element, 'failed'),
    blocked: isTrue(element, 'blocked'),
    managed: attribute(element, 'managed') !== 'false',
    orphaned: isTrue(element, 'orphaned'),
    pending: attribute(element, 'pending') || null,
    targetRole: attribute(element, 'target_role') || null,
  }));
}

/** `op_key` is resource_action_interval; a resource may hold underscores, and two actions do. */
function failedAction(element: Element): FailedAction {
  const [, resource = '', action = ''] =
    /^(.*?)_(migrate_(?:to|from)|[a-z-]+)_\d+$/.exec(attribute(element, 'op_key')) ?? [];
  return {
    resource: resource.replace(/:\d+$/, ''),
    node: attribute(element, 'node'),
    action,
    reason:
      attribute(element, 'exitreason') || attribute(element, 'exitstatus') || attribute(element, 'status'),
    at: readMonTime(attribute(element, 'last-rc-change')),
  };
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Sat Nov 28 19:35:02 2026 +00:00`; without a zone, as before Pacemaker 2.1.5, it is this node's. */
function readMonTime(text: string): number | null {
  const [, name = '', day = '', time, year, zone] =
    /^\w{3} (\w{3}) +(\d+) (\d\d:\d\d:\d\d) (\d{4})(?: (Z|[+-]\d\d:?\d\d))?$/.exec(text) ?? [];
  const month = months.indexOf(name) + 1;
  if (time === undefined || month === 0) return readTime(text);
  const date = `${year}-${String(month).padStart(2, '0')}-${day.padStart(2, '0')}`;
  const at = zone === undefined ? Date.parse(`${date}T${time}`) : readTime(`${date} ${time}${zone}`);
  return Number.isNaN(at) ? null : at;
}

/** The cluster's resources of a type that are said to run on a node, at rest. */
export const startedOn = ({ cib, instances }: Cluster, node: string, type: RegExp): readonly Primitive[] =>
  cib.primitives.filter(
    ({ id, type: own }) =>
      type.test(own) &&
      instances.some((one) => one.id === id && one.node === node && one.role === 'Started' && !one.pending),
  );
