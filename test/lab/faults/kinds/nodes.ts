import { exportedFolder } from '../../cluster/configuration.ts';
import { peerOf } from '../../settings.ts';
import { anywhere, between, byShell, type Kind, type Scene } from '../kind.ts';
import { isDown, isOn, switchOff, switchOn } from '../power.ts';

const moves = 240;
/** A node that is taken from the middle of an action leaves a promotion of the other that could not know yet. */
const explains = /^Data (promote|notify|monitor)$/;

/** Where the cluster fences, it boots what it had to switch off; elsewhere a person does. */
async function bootThem(scene: Scene): Promise<void> {
  const { run, nodes, signal } = scene;
  for (const node of nodes) if (!isOn(run, node)) await switchOn(run, node, signal);
}

async function bootUnlessFenced(scene: Scene): Promise<void> {
  const { run, nodes } = scene;
  if (run.plan.campaign === 'fenced' && nodes.length === 1)
    while (!nodes.every((node) => isOn(run, node))) await scene.sleep(0.3);
  else await bootThem(scene);
}

const dies = (name: string, on: Kind['on'], command?: string): Kind => ({
  ...{ name, on, bound: moves, explains, fences: true },
  inject: async (scene) => {
    const { run, nodes, signal } = scene;
    if (command) await Promise.race([scene.shell(command), scene.sleep(1)]);
    else await Promise.all(nodes.map((node) => switchOff(run, node)));
    for (const node of nodes) await isDown(run, node, signal);
    await scene.sleep(between(scene, [0, 25]));
  },
  heal: bootUnlessFenced,
});

const ended = (name: string, command: string): Kind => ({
  ...{ name, on: anywhere, bound: moves, explains, fences: true },
  inject: async (scene) => {
    await scene.shell(command);
    for (const node of scene.nodes) await isDown(scene.run, node, scene.signal);
    await scene.sleep(between(scene, [0, 15]));
  },
  heal: bootThem,
});

/** Nodes die, fail, are rebooted, and are taken out of service; the service is moved. */
export const nodeKinds: readonly Kind[] = [
  dies('death of a node', anywhere),
  dies('power failure of both nodes', ['both']),
  dies('panic of the kernel', anywhere, 'echo c > /proc/sysrq-trigger'),
  ended('orderly reboot', 'systemctl reboot'),
  {
    ...{
      name: 'orderly shutdown of both, one after the other',
      on: ['both'],
      bound: moves,
      explains,
      fences: true,
    },
    inject: async (scene) => {
      const { run, active, standby, signal } = scene;
      for (const node of [standby, active]) {
        await run.lab.machine(node).ask('systemctl poweroff', { signal });
        await isDown(run, node, signal);
      }
    },
    heal: async ({ run, active, standby, signal, sleep }) => {
      await switchOn(run, standby, signal);
      await sleep(5);
      await switchOn(run, active, signal);
    },
  },
  {
    ...{ name: 'standby and back', on: anywhere, bound: moves },
    inject: async (scene) => {
      const { run, nodes, signal } = scene;
      for (const node of nodes) {
        await run.cluster.standby(node, signal);
        await scene.sleep(between(scene, [2, 40]));
        await run.cluster.unstandby(node, signal);
      }
    },
  },
  {
    ...{ name: 'the service moved by hand', on: ['active'], bound: moves },
    inject: async ({ run, standby, signal, shell }) => {
      const move = `crm_resource --move --promoted --resource DataClone --node ${standby}`;
      await run.lab.machine(standby).run(move, { signal });
      await run.cluster.allStarted(signal, standby);
      await shell('crm_resource --clear --resource DataClone');
    },
  },
  {
    ...{ name: 'a move with a process in the export that ignores TERM', on: ['active'], bound: moves },
    inject: async ({ run, standby, signal, shell }) => {
      await shell(
        `cd ${exportedFolder}; setsid sh -c 'trap "" TERM; while :; do sleep 1; done' > /dev/null 2>&1 < /dev/null &`,
      );
      const move = `crm_resource --move --promoted --resource DataClone --node ${standby}`;
      await run.lab.machine(standby).run(move, { signal });
      await run.cluster.allStarted(signal, standby);
      await shell('crm_resource --clear --resource DataClone');
    },
  },
  {
    ...{ name: 'a move called back at a random moment', on: ['active'], bound: moves },
    inject: async (scene) => {
      const { run, standby, signal, sleep, shell } = scene;
      const move = `crm_resource --move --promoted --resource DataClone --node ${standby}`;
      await run.lab.machine(standby).run(move, { signal });
      await sleep(between(scene, [0.5, 8]));
      await shell('crm_resource --clear --resource DataClone');
    },
  },
  byShell({
    ...{ name: 'the cluster manager stopped and started', on: anywhere, bound: moves, explains },
    shell: 'systemctl stop pacemaker corosync',
    ...{ for: [1, 20], back: 'systemctl start corosync pacemaker' },
  }),
  {
    ...{ name: 'a node dies while the service moves to it', on: ['standby'], bound: moves, fences: true },
    explains: /^(Data|NFS|nfs-\w+|nfs_ip) /,
    inject: async (scene) => {
      const { run, nodes, standby, signal } = scene;
      const move = `crm_resource --move --promoted --resource DataClone --node ${standby}`;
      await run.lab.machine(standby).run(move, { signal });
      await scene.sleep(between(scene, [0.5, 7]));
      for (const node of nodes) await switchOff(run, node);
      const clear = 'crm_resource --clear --resource DataClone';
      await run.lab.machine(peerOf(standby)).ask(clear, { signal, timeout: 60_000 });
    },
    heal: bootUnlessFenced,
  },
];
