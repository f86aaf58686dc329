import { exportedFolder } from '../cluster/configuration.ts';
import { mendDisk, releaseDisk } from '../cluster/disk.ts';
import type { Run } from '../scenarios/run.ts';
import { type NodeName, nodes } from '../settings.ts';
import { isOn, switchOn } from './power.ts';

/** Whatever stands still goes on. */
const letAllGoOn = "for pid in $(ps -eo pid=,stat= | awk '$2 ~ /^T/ {print $1}'); do kill -CONT $pid; done";

const noNetem = 'for card in vec0 vec1; do tc qdisc del dev $card root 2>/dev/null; done; true';

/** The configuration as it was before the first fault. */
export interface Baseline {
  resources: string;
  constraints: string;
  /** These, and all else: properties, defaults, what is set for nodes. */
  configuration: string;
}

const queryScope = async (
  { lab }: Run,
  node: NodeName,
  scope: keyof Baseline,
  signal: AbortSignal,
): Promise<string> => await lab.machine(node).run(`cibadmin --query --scope ${scope}`, { signal });

export async function baselineOf(run: Run, node: NodeName, signal: AbortSignal): Promise<Baseline> {
  const query = (scope: keyof Baseline): Promise<string> => queryScope(run, node, scope, signal);
  return {
    resources: await query('resources'),
    constraints: await query('constraints'),
    configuration: await query('configuration'),
  };
}

/** What the configuration has now that it had not, and the other way round. */
export async function changesSince(
  run: Run,
  { configuration }: Baseline,
  node: NodeName,
  signal: AbortSignal,
): Promise<string[]> {
  return configurationChanges(configuration, await queryScope(run, node, 'configuration', signal));
}

/** Pacemaker writes these by itself. */
const itsOwn =
  /<nvpair [^>]*name="(dc-version|cluster-infrastructure|cluster-name|have-watchdog|last-lrm-refresh)"[^>]*>/g;
/** What was set and taken away leaves a set of nothing. */
const emptySet =
  /<(instance_attributes|meta_attributes|utilization|cluster_property_set|node)( [^>]*[^>/])?><\/\1>/g;
const emptyElement = /<(instance_attributes|meta_attributes|utilization) [^>]*\/>/g;

function elementsOf(xml: string): string[] {
  let text = xml.replace(/\s*\n\s*/g, '').replace(itsOwn, '');
  for (let before = ''; before !== text; ) {
    before = text;
    text = text.replace(emptySet, '<$1$2/>').replace(emptyElement, '');
  }
  return text.split(/(?=<)/);
}

export function configurationChanges(was: string, is: string): string[] {
  const [before, after] = [elementsOf(was), elementsOf(is)];
  const missing = (some: readonly string[], others: readonly string[]): string[] => {
    const rest = [...others];
    return some.filter((one) => {
      const at = rest.indexOf(one);
      if (at >= 0) rest.splice(at, 1);
      return at < 0;
    });
  };
  const changes = [
    ...missing(after, before).map((one) => `now there: ${one}`),
    ...missing(before, after).map((one) => `gone: ${one}`),
  ];
  if (changes.length === 0 && before.join('') !== after.join('')) return ['in another order'];
  return changes.slice(0, 6).map((change) => change.slice(0, 300));
}

/** After a fault that did not end well: everything that any fault may have done is undone from outside. */
export async function mendEverything(
  run: Run,
  { resources, constraints }: Baseline,
  signal: AbortSignal,
): Promise<void> {
  const { lab, cluster } = run;
  for (const node of nodes)
    for (const network of ['cluster', 'replication'] as const) await lab.network.mend(node, network);
  for (const node of nodes) {
    const answers = isOn(run, node) && (await lab.machine(node).ask('echo here', { signal })) === 'here';
    if (!answers) await switchOn(run, node, signal);
    const undo = [
      ...[letAllGoOn, noNetem, releaseDisk, mendDisk, 'dmsetup remove held'],
      ...[`date -s @${Math.round(Date.now() / 1000)}`, `rm -f /run/filling ${exportedFolder}/filling`],
      ...[`xfs_freeze -u ${exportedFolder}`, `mount -o remount,rw ${exportedFolder}`],
    ];
    await lab.machine(node).ask(`{ ${undo.join('; ')}; } > /dev/null 2>&1`, { signal });
  }
  await cluster.start(nodes, signal);
  const commands = [
    'until crm_node -p | grep -q .; do sleep 1; done',
    ...(['resources', 'constraints'] as const).map((scope) => {
      const text = scope === 'resources' ? resources : constraints;
      return `cibadmin --replace --scope ${scope} --xml-pipe <<'END'\n${text}\nEND\n`;
    }),
    'crm_attribute --name maintenance-mode --delete',
    ...nodes.map((node) => `crm_attribute --node ${node} --name maintenance --delete`),
  ];
  for (const command of commands) await lab.machine('node1').ask(command, { signal, timeout: 60_000 });
  await cluster.forget('node1', signal);
  for (const node of lab.nodes) await node.ask('drbdadm adjust data', { signal });
}
