import { agentFolder } from '../../cluster/configuration.ts';
import { anywhere, between, byShell, type Kind, mustShell, NotInjectedError, type Scene } from '../kind.ts';

const all = /^(Data|NFS|nfs-\w+|nfs_ip) /;
const monitors = /^(Data|NFS|nfs-\w+|nfs_ip) monitor$/;
const killer = ({ random }: Scene, seconds: number, actions: string): string =>
  `python3 /root/lab/agent-killer.py ${seconds} '${actions}' ${Math.floor(random() * 1e6)}`;

const killedWhileMoving = (name: string, actions: string, more: Partial<Kind> = {}): Kind => ({
  ...{ name, on: anywhere, explains: all, bound: 240, ours: true, fences: true, ...more },
  inject: async (scene) => {
    const { run, standby, active, signal } = scene;
    const killing = scene.shell(killer(scene, 25, actions));
    const move = `crm_resource --move --promoted --resource DataClone --node ${standby}`;
    await scene.sleep(1);
    await run.lab.machine(active).ask(move, { signal });
    await scene.sleep(between(scene, [10, 20]));
    await run.lab.machine(active).ask('crm_resource --clear --resource DataClone', { signal });
    if (!(await killing)) throw new NotInjectedError('no agent was killed');
  },
});

/** As dpkg does it: everything is unpacked under another name, then each takes its place. */
const replaced = `cd ${agentFolder} && for f in *; do cp -a "$f" "$f.dpkg-new"; done; sleep 1; for f in *.dpkg-new; do mv -f "$f" "\${f%.dpkg-new}"; done`;

/** Our own agents are killed at random moments of their actions, and the command in the middle of its work. */
export const agentKinds: readonly Kind[] = [
  {
    ...{
      name: 'agents killed in monitors',
      on: anywhere,
      explains: monitors,
      stays: true,
      bound: 240,
      ours: true,
    },
    inject: async (scene) => await mustShell(scene, killer(scene, 25, 'monitor')),
  },
  killedWhileMoving('agents killed in starts', 'start|promote|notify'),
  // without fencing a stop that failed is a person's
  killedWhileMoving('agents killed in stops', 'stop|demote', { only: 'fenced' }),
  byShell({
    name: 'agents replaced, as by a package',
    on: [...anywhere, 'both'],
    ours: true,
    shell: replaced,
  }),
  {
    ...{ name: 'agents replaced while they move', on: ['both'], ours: true },
    inject: async (scene) => {
      const { active, standby, run, signal } = scene;
      const move = `crm_resource --move --promoted --resource DataClone --node ${standby}`;
      await run.lab.machine(active).ask(move, { signal });
      await scene.sleep(between(scene, [0, 8]));
      await mustShell(scene, replaced);
      await scene.sleep(5);
      await run.lab.machine(active).ask('crm_resource --clear --resource DataClone', { signal });
    },
  },
  {
    ...{ name: 'the stock agents for a while, by tsha migrate', on: ['active'], ours: true, bound: 240 },
    inject: async (scene) => {
      const { active, run, signal } = scene;
      const migrate = (words: string) =>
        run.lab.machine(active).run(`tsha migrate ${words} -y`, { signal, timeout: 120_000 });
      await migrate('--to=stock --although=PARAMETERS_IGNORED');
      await scene.sleep(between(scene, [2, 20]));
      await migrate('--to=tsha');
    },
  },
  {
    ...{ name: 'tsha switch killed', on: ['active'], bound: 240, ours: true },
    inject: async (scene) => {
      const after = between(scene, [0.3, 9]).toFixed(1);
      await scene.shell(
        `tsha switch ${scene.standby} -y > /dev/null 2>&1 & p=$!; sleep ${after}; kill -KILL $p; wait $p`,
      );
      await scene.sleep(3);
      await scene.shell('crm_resource --clear --resource DataClone');
    },
  },
  {
    ...{ name: 'tsha maintenance killed', on: ['standby'], bound: 240, ours: true },
    inject: async (scene) => {
      const after = between(scene, [0.3, 6]).toFixed(1);
      await scene.shell(
        `tsha maintenance on ${scene.standby} -y > /dev/null 2>&1 & p=$!; sleep ${after}; kill -KILL $p; wait $p`,
      );
      await scene.sleep(3);
      await scene.shell('tsha maintenance off');
    },
  },
];
