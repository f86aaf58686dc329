import { anywhere, between, byShell, type Kind, mustShell } from '../kind.ts';
import { isOn, switchOn } from '../power.ts';

const daemons = ['based', 'execd', 'attrd', 'schedulerd', 'controld', 'fenced'].map(
  (name) => `pacemaker-${name}`,
);
/** Whoever is not in the cluster cannot be asked what he runs: the other one tries, and DRBD does not let it. */
const explains = /^(Data (promote|demote|notify|monitor|start)|(NFS|nfs-\w+|nfs_ip|fence-\w+) monitor)$/;
/** `ps` shows fifteen letters of a name. */
const named = (name: string): string => `"^(/usr/lib/pacemaker/|/usr/sbin/)${name}"`;

/** A daemon dies with its whole cluster manager, or with it a node that the other one fences: it is on when it is asked to be. */
const startAgain: Kind['heal'] = async (scene) => {
  const { run, nodes, signal } = scene;
  if (run.plan.campaign === 'fenced') await scene.sleep(12);
  for (const node of nodes)
    if (isOn(run, node)) await run.lab.machine(node).ask('systemctl start corosync pacemaker', { signal });
    else await switchOn(run, node, signal);
};

const killed = (name: string): Kind => ({
  ...{ name: `${name} killed`, on: anywhere, explains, bound: 240, fences: true },
  inject: async (scene) => await mustShell(scene, `pkill -KILL -f ${named(name)}`),
  heal: startAgain,
});

const frozen = (name: string): Kind => ({
  ...{ name: `${name} frozen`, on: anywhere, explains, bound: 240, fences: true },
  inject: async (scene) => {
    await mustShell(scene, `pkill -STOP -f ${named(name)}`);
    await scene.sleep(between(scene, [2, 25]));
    for (const node of scene.nodes)
      if (isOn(scene.run, node))
        await scene.run.lab.machine(node).ask(`pkill -CONT -f ${named(name)}`, { signal: scene.signal });
  },
  heal: startAgain,
});

/** Pacemaker's daemons and corosync die and stand still. */
export const daemonKinds: readonly Kind[] = [
  ...daemons.map(killed),
  killed('pacemakerd'),
  killed('corosync'),
  ...['pacemaker-controld', 'pacemaker-execd', 'pacemaker-based', 'corosync'].map(frozen),
  byShell({
    ...{ name: 'systemd begins anew', on: anywhere, fails: true },
    shell: 'systemctl daemon-reexec; systemctl daemon-reload',
  }),
];
