import { anywhere, between, type Kind, mustShell, type Scene } from '../kind.ts';

const all = /^(Data|NFS|nfs-\w+|nfs_ip) /;

/** A parameter that cannot be, for some seconds; then as it was, and what Pacemaker remembers of it is forgotten. */
const wrong = (resource: string, parameter: string, value: string, was: string): Kind => ({
  ...{
    name: `${parameter}=${value} for ${resource}`,
    on: ['active'],
    explains: all,
    bound: 240,
    errors: true,
  },
  inject: async (scene) => {
    const set = (to: string): Promise<void> =>
      mustShell(
        scene,
        `crm_resource --resource ${resource} --set-parameter ${parameter} --parameter-value '${to}'`,
      );
    await set(value);
    await scene.sleep(between(scene, [4, 20]));
    await set(was);
    await scene.shell('crm_resource --cleanup');
  },
});

const meanwhile = (name: string, begin: string, end: string, accident: string): Kind => ({
  ...{ name, on: ['active'], explains: /^nfs-\w+ monitor$/ },
  inject: async (scene: Scene) => {
    await mustShell(scene, begin);
    await mustShell(scene, accident);
    await scene.sleep(between(scene, [4, 15]));
    await scene.shell(end);
  },
});

/** Administrators at work on the cluster's configuration. */
export const configurationKinds: readonly Kind[] = [
  wrong('nfs-root', 'options', 'rw,nonsense', 'rw,sync,no_root_squash'),
  wrong('nfs_ip', 'cidr_netmask', '99', '24'),
  wrong('NFS', 'fstype', 'ext9', 'xfs'),
  {
    ...{ name: 'cleanup while all is well', on: anywhere },
    inject: async (scene) => await mustShell(scene, 'crm_resource --cleanup && crm_resource --refresh'),
  },
  meanwhile(
    'a helper dies in maintenance mode',
    'crm_attribute --name maintenance-mode --update true',
    'crm_attribute --name maintenance-mode --delete',
    'pkill -KILL -x rpc.mountd',
  ),
  meanwhile(
    'resources stopped and started by hand',
    'crm_resource --resource nfs-root --meta --set-parameter target-role --parameter-value Stopped',
    'crm_resource --resource nfs-root --meta --delete-parameter target-role',
    'true',
  ),
];
