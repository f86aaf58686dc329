import { XMLParser } from 'fast-xml-parser';

export interface ClusterNode {
  name: string;
  online: boolean;
  standby: boolean;
  maintenance: boolean;
}

export interface ResourceState {
  id: string;
  role: string;
  node: string | undefined;
  active: boolean;
  failed: boolean;
  blocked: boolean;
  /** Pacemaker does something about it: it is not in maintenance. */
  managed: boolean;
  /** What Pacemaker does with it at this moment, as it words it: Starting, Monitoring… */
  pending: string | undefined;
}

export interface Operation {
  resource: string;
  node: string;
  task: string;
  rc: number;
  recurring: boolean;
}

export interface FailedAction {
  resource: string;
  node: string;
  task: string;
  status: string;
  reason: string;
}

export interface ClusterState {
  hasQuorum: boolean;
  nodes: ClusterNode[];
  resources: ResourceState[];
  operations: Operation[];
  failures: FailedAction[];
  failCounts: { resource: string; node: string; count: string }[];
}

type Tree = { [name: string]: Tree[] | string | undefined };

const attributePrefix = '@';
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: attributePrefix,
  isArray: (_name, _path, _leaf, isAttribute) => !isAttribute,
});

const children = (tree: Tree, name: string): Tree[] => {
  const found = tree[name];
  return Array.isArray(found) ? found.filter((child) => typeof child === 'object') : [];
};
const below = (tree: Tree, ...path: string[]): Tree[] =>
  path.reduce<Tree[]>((trees, name) => trees.flatMap((found) => children(found, name)), [tree]);
const attribute = (tree: Tree, name: string): string => {
  const value = tree[attributePrefix + name];
  return typeof value === 'string' ? value : '';
};
const isTrue = (tree: Tree, name: string): boolean => attribute(tree, name) === 'true';

/** `Data:0` is an instance of the clone of `Data`. */
const withoutInstance = (id: string): string => id.replace(/:\d+$/, '');

/** Reads `crm_mon --output-as=xml --inactive --failcounts --operations`, the same in Pacemaker 2.1 and 3.0. */
export function parseCrmMon(xml: string): ClusterState {
  const [result] = children(parser.parse(xml) as Tree, 'pacemaker-result');
  if (!result) throw new Error(`this is not what crm_mon prints: ${xml.slice(0, 200)}`);

  const containers = below(result, 'resources');
  const resources = [
    ...containers,
    ...containers.flatMap((tree) => [...children(tree, 'clone'), ...children(tree, 'group')]),
  ].flatMap((tree) => children(tree, 'resource'));
  const histories = below(result, 'node_history', 'node').flatMap((node) =>
    children(node, 'resource_history').map((history) => ({ node: attribute(node, 'name'), history })),
  );

  return {
    hasQuorum: below(result, 'summary', 'current_dc').some((dc) => isTrue(dc, 'with_quorum')),
    nodes: below(result, 'nodes', 'node').map((node) => ({
      name: attribute(node, 'name'),
      online: isTrue(node, 'online'),
      standby: isTrue(node, 'standby'),
      maintenance: isTrue(node, 'maintenance'),
    })),
    resources: resources.map(resourceState),
    operations: histories.flatMap(({ node, history }) =>
      children(history, 'operation_history').map((operation) => ({
        resource: withoutInstance(attribute(history, 'id')),
        node,
        task: attribute(operation, 'task'),
        rc: Number(attribute(operation, 'rc')),
        recurring: attribute(operation, 'interval') !== '',
      })),
    ),
    failures: below(result, 'failures', 'failure').map(failedAction),
    failCounts: histories
      .map(({ node, history }) => ({
        resource: withoutInstance(attribute(history, 'id')),
        node,
        count: attribute(history, 'fail-count'),
      }))
      .filter(({ count }) => !['', '0'].includes(count)),
  };
}

const resourceState = (tree: Tree): ResourceState => ({
  id: withoutInstance(attribute(tree, 'id')),
  role: attribute(tree, 'role'),
  node: below(tree, 'node').map((node) => attribute(node, 'name'))[0],
  active: isTrue(tree, 'active'),
  failed: isTrue(tree, 'failed'),
  blocked: isTrue(tree, 'blocked'),
  managed: isTrue(tree, 'managed'),
  pending: attribute(tree, 'pending') || undefined,
});

/** `op_key` is resource_task_interval, and any of the three may hold underscores but the last. */
const failedAction = (tree: Tree): FailedAction => {
  const [, resource = '', task = ''] = /^(.*)_([a-z-]+)_\d+$/.exec(attribute(tree, 'op_key')) ?? [];
  return {
    resource: withoutInstance(resource),
    node: attribute(tree, 'node'),
    task,
    status: attribute(tree, 'exitstatus') || attribute(tree, 'status'),
    reason: attribute(tree, 'exitreason'),
  };
};
