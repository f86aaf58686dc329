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
}

export async function baselineOf({ lab }: Run, node: NodeName, signal: AbortSignal): Promise<Baseline> {
  const query = (scope: string): Promise<string> =>
    lab.machine(node).run(`cibadmin --query --scope ${scope}`, { signal });
  return { resources: await query('resources'), constraints: await query('constraints') };
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
  ];
  for (const command of commands) await lab.machine('node1').ask(command, { signal, timeout: 60_000 });
  await cluster.forget('node1', signal);
  for (const node of lab.nodes) await node.ask('drbdadm adjust data', { signal });
}
