import { agentFolder, exportedFolder } from '../cluster/configuration.ts';
import type { Run } from './run.ts';

const [source, target, image] = ['vol', 'pub', 'disk'].map((name) => `${exportedFolder}/nested-${name}`) as [
  string,
  string,
  string,
];

/** A Filesystem each, below the exported one: what mount(8) of this Debian is given there is /proc/PID/fd/N/. and not a name. */
const resources: readonly (readonly [what: string, ...parameters: string[]])[] = [
  ['a bind mount', `device=${source}`, 'fstype=none', 'options=bind'],
  ['a bind mount that is read-only', `device=${source}`, 'fstype=none', 'options=bind,ro,nosuid'],
  ['an image', `device=${image}`, 'fstype=ext4', 'options=loop'],
  ['a tmpfs', 'device=tmpfs', 'fstype=tmpfs', 'options=size=1m'],
];

const actions = ['monitor', 'start', 'monitor', 'stop', 'monitor'] as const;
const expected = '7 0 0 0 7';

/** The node that serves also mounts below what it exports. libmount uses move_mount(2) from util-linux 2.39 on. */
export async function mountBelow({ checks, cluster, lab, steps }: Run): Promise<void> {
  checks.begin('nested');
  const machine = lab.machine(
    await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal)),
  );
  await steps.run('something to mount', 60, (signal) =>
    machine.run(
      `mkdir ${source} ${target} && truncate -s 8M ${image} && mkfs.ext4 -q -F ${image} && mount --version`,
      { signal },
    ),
  );
  for (const [what, ...parameters] of resources) {
    const environment = [
      'OCF_ROOT=/usr/lib/ocf',
      'OCF_RESOURCE_INSTANCE=nested',
      'OCF_RESKEY_CRM_meta_timeout=60000',
      ...[...parameters, `directory=${target}`].map((setting) => `'OCF_RESKEY_${setting}'`),
    ];
    const calls = actions.map(
      (action) => `env ${environment.join(' ')} ${agentFolder}/Filesystem ${action}; codes="$codes $?"`,
    );
    const said = await steps.run(what, 300, (signal) =>
      machine.run(`exec 2>&1; codes=; ${calls.join('; ')}; echo "codes:$codes"`, {
        signal,
        timeout: 280_000,
      }),
    );
    checks.add(
      `${what} below the exported filesystem: not there, started, there, stopped, not there`,
      said.includes(`codes: ${expected}`),
      said,
    );
  }
  await steps.run('and away with it', 60, (signal) =>
    machine.run(`rm -r ${source} ${target} ${image}`, { signal }),
  );
}
