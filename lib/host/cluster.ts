import { isByHand } from '../contract/request.ts';
import { type Host, outputTrouble } from './host.ts';
import type { Argv, Output } from './sys/sys.ts';
import { readXml } from './xml.ts';
import { all } from './xml-element.ts';

/** What the cluster's own tools must know of the caller. */
export type Caller = { readonly instance: string; readonly featureSet: string | undefined };

/** Pacemaker 2.1.0: promotion scores without crm_master, new role names, XML from every tool. */
const promotionTools = [3, 10, 0] as const;

/** Whether a feature set, e.g. `3.16.2`, is at least the one of Pacemaker 2.1.0. */
function isPacemaker21(featureSet: string): boolean {
  const given = featureSet.split('.').map(Number);
  for (const [index, least] of promotionTools.entries()) {
    const part = given[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

/** OCF's codes for "degraded" are success for Pacemaker, and a failure for everybody else. */
export const knowsDegraded = ({ featureSet }: Pick<Caller, 'featureSet'>): boolean =>
  featureSet !== undefined && featureSet !== '' && isPacemaker21(featureSet);

/** Called outside a cluster's action there is no feature set: then the old tool is used where it exists, and newer ones keep it. */
export const isModern = async (host: Host, featureSet: string | undefined): Promise<boolean> =>
  featureSet ? isPacemaker21(featureSet) : !(await host.sys.has(tool(host, 'crm_master')));

/** HA_SBIN_DIR is where the cluster says its tools are. */
export const tool = (host: Host, name: string): string => {
  const dir = host.sys.env['HA_SBIN_DIR'];
  return dir ? `${dir}/${name}` : name;
};

/** The cluster's manager must not keep an action from its own work. */
const longestMs = 5000;
export const bounded = (host: Host, argv: Argv): Promise<Output> =>
  host.tryRun(argv, { timeoutMs: Math.min(longestMs, host.left() / 2) });

/**
 * Writes this node's promotion score of the caller, or deletes it: a transient attribute, gone when the node leaves the cluster.
 * Returns what went wrong, `undefined` when nothing did; never throws and never takes longer than 5 s.
 */
export async function writePromotionScore(
  host: Host,
  { featureSet }: Caller,
  score: number | 'none',
): Promise<string | undefined> {
  if (isByHand(host.sys.env)) return undefined;
  const command = (await isModern(host, featureSet))
    ? ([tool(host, 'crm_attribute'), '--promotion'] as const)
    : ([tool(host, 'crm_master'), '-l', 'reboot'] as const);
  const argv = [...command, ...(score === 'none' ? ['-D'] : ['-v', String(score)])] as const;
  const output = await bounded(host, argv);
  return output.code === 0 ? undefined : explain(argv, output);
}

/** Writes or deletes an attribute of this node that is gone when the node leaves the cluster. As `writePromotionScore`. */
export async function writeNodeAttribute(
  host: Host,
  name: string,
  value: string | 'none',
): Promise<string | undefined> {
  if (isByHand(host.sys.env)) return undefined;
  const change = value === 'none' ? ['-D'] : ['-U', value];
  const argv = [tool(host, 'attrd_updater'), '-n', name, ...change] as const;
  const output = await bounded(host, argv);
  return output.code === 0 ? undefined : explain(argv, output);
}

/** The constraints of the cluster's configuration, as XML; `undefined` when it cannot be asked. */
export const constraintsXml = (host: Host): Promise<string | undefined> =>
  answerOf(host, ['cibadmin', '--query', '--scope', 'constraints']);

/** The caller's own part of the cluster's configuration, with its operations; `undefined` when there is none yet. */
export const resourceXml = (host: Host, { instance }: Caller): Promise<string | undefined> =>
  answerOf(host, ['crm_resource', '--resource', instance, '--query-xml']);

const resourcesXml = (host: Host): Promise<string | undefined> =>
  answerOf(host, ['cibadmin', '--query', '--scope', 'resources']);

/**
 * The names of all primitive resources in the cluster's configuration; `undefined` when it cannot be asked. By the text: who asks has no
 * reader of XML in its executable.
 */
export async function resourceNames(host: Host): Promise<readonly string[] | undefined> {
  const text = await resourcesXml(host);
  if (text === undefined || !/<\/?resources\b/.test(text)) return undefined;
  return [...text.matchAll(/<primitive\s(?:[^<>]*\s)?id="([^"<]*)"/g)].map(([, name = '']) => name);
}

/** The clone that the caller is an instance of; `undefined` when the cluster cannot be asked, or it is none. */
export async function cloneOf(host: Host, { instance }: Caller): Promise<string | undefined> {
  const primitive = instance.replace(/:\d+$/, '');
  const text = await resourcesXml(host);
  const root = text === undefined ? undefined : await readXml(text);
  if (root === undefined) return undefined;
  const clones = [...all(root, 'clone'), ...all(root, 'master')];
  return clones.find((clone) =>
    all(clone, 'primitive').some(({ attributes }) => attributes['id'] === primitive),
  )?.attributes['id'];
}

/** The names of all nodes the cluster knows; `undefined` when it cannot be asked. */
export async function clusterNodes(host: Host): Promise<readonly string[] | undefined> {
  const text = await answerOf(host, ['crm_node', '-l']);
  return text?.split('\n').flatMap((line) => /^\d+ (\S+)/.exec(line)?.[1] ?? []);
}

async function answerOf(host: Host, [name, ...args]: Argv): Promise<string | undefined> {
  const output = await bounded(host, [tool(host, name), ...args]);
  return output.code === 0 ? output.stdout : undefined;
}

/** The nodes where the cluster believes the caller to be promoted; `undefined` when it cannot be asked. */
export async function promotedNodes(
  host: Host,
  { instance, featureSet }: Caller,
): Promise<readonly string[] | undefined> {
  const modern = await isModern(host, featureSet);
  const argv = ['--resource', instance, '--locate', ...(modern ? ['--output-as=xml'] : [])];
  const output = await bounded(host, [tool(host, 'crm_resource'), ...argv]);
  if (output.code !== 0) return undefined;
  return modern ? promotedInXml(output.stdout) : promotedInText(output.stdout);
}

/** `<node state="promoted">alpha</node>` */
export async function promotedInXml(text: string): Promise<readonly string[] | undefined> {
  const root = await readXml(text);
  return (
    root &&
    all(root, 'node').flatMap(({ attributes, text: name }) =>
      attributes['state'] === 'promoted' ? [name] : [],
    )
  );
}

/** `resource x is running on: alpha Master`, from 2.1 `Promoted`. */
export const promotedInText = (text: string): readonly string[] =>
  [...text.matchAll(/ is running on: (\S+) (?:Master|Promoted)\b/g)].map(([, node = '']) => node);

const explain = ([command]: Argv, output: Output): string =>
  output.missing ? `${command} is not installed` : `${command}: ${outputTrouble(output)}`;
