import { anywhere, between, byShell, type Kind, type Scene } from '../kind.ts';
import { isOn, switchOn } from '../power.ts';

type Link = 'cluster' | 'replication';

const cardOf = { cluster: 'vec0', replication: 'vec1' } as const;
/** The peer believes the node dead, and DRBD does not let it have what is Primary elsewhere. */
const explains = /^Data (promote|demote|notify|monitor)$/;

/** Where the cluster fences, a node may have been switched off meanwhile; it is on its way back, or nobody asked for it. */
async function plugIn({ run, nodes, signal }: Scene, links: readonly Link[]): Promise<void> {
  for (const node of nodes) for (const link of links) await run.lab.network.mend(node, link);
  for (const node of nodes) if (!isOn(run, node)) await switchOn(run, node, signal);
}

const cut = (links: readonly Link[], seconds: readonly [number, number], more: Partial<Kind> = {}): Kind => ({
  name: `${links.join(' and ')} link cut for ${seconds.join(' to ')} s`,
  ...{ on: anywhere, bound: 240, ...(links.includes('cluster') ? { explains, fences: true } : {}), ...more },
  inject: async (scene) => {
    const { run, nodes } = scene;
    for (const node of nodes) for (const link of links) await run.lab.network.cut(node, link);
    await scene.sleep(between(scene, seconds));
  },
  heal: async (scene) => await plugIn(scene, links),
});

const flapping = (link: Link, more: Partial<Kind> = {}): Kind => ({
  ...{ name: `${link} link flapping`, on: anywhere, bound: 240, ...more },
  inject: async (scene) => {
    const { run, nodes } = scene;
    for (let times = 0; times < 6; times++) {
      for (const node of nodes) await run.lab.network.cut(node, link);
      await scene.sleep(between(scene, [0.2, 2.5]));
      for (const node of nodes) await run.lab.network.mend(node, link);
      await scene.sleep(between(scene, [0.2, 4]));
    }
  },
  heal: async (scene) => await plugIn(scene, [link]),
});

const disturbed = (link: Link, name: string, netem: string, more: Partial<Kind> = {}): Kind =>
  byShell({
    ...{ name: `${link} link ${name}`, on: anywhere, ...more },
    shell: `modprobe sch_netem; tc qdisc replace dev ${cardOf[link]} root netem ${netem}`,
    ...{ for: [10, 30], back: `tc qdisc del dev ${cardOf[link]} root` },
  });

/** Cables are pulled, and worse: they carry some of it, late, twice, or altered. */
export const linkKinds: readonly Kind[] = [
  cut(['replication'], [0.5, 3]),
  cut(['replication'], [10, 45]),
  cut(['cluster'], [0.3, 1.5]),
  cut(['cluster'], [12, 40]),
  cut(['cluster', 'replication'], [0.3, 1.2]),
  cut(['cluster', 'replication'], [15, 40], { only: 'fenced' }),
  flapping('replication'),
  flapping('cluster', { explains, fences: true }),
  disturbed('replication', 'slow', 'delay 80ms 40ms'),
  disturbed('replication', 'lossy', 'loss 15%'),
  disturbed('replication', 'altering', 'corrupt 2% duplicate 5% delay 5ms reorder 20%'),
  disturbed('cluster', 'slow', 'delay 80ms 40ms', { explains, fences: true }),
  disturbed('cluster', 'lossy', 'loss 15%', { explains, fences: true }),
];
