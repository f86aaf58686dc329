import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { projectFolder } from '../../packaging/products.ts';
import { agents } from '../contract/agents.ts';
import { type Answer, run, sandbox } from '../contract/call.ts';

// A copy of this machine that packages are installed on, and a Pacemaker that answers their scripts.

export const env = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
};

/** What a command printed; it must succeed. */
export async function must(...argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(argv, env);
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  return stdout;
}

/** Everything in the .deb is root’s; programs may be run by everybody, the rest is read; every agent is there. */
export async function expectModes(deb: string): Promise<void> {
  const lines = (await must('dpkg-deb', '-c', deb)).trim().split('\n');
  for (const line of lines) {
    const [mode = '', owner = '', , , , path = ''] = line.split(/\s+/);
    const isProgram = /resource\.d\/tsha\/\w+$|sbin\/tsha$|tsha-agents$|alerts\/\w+\.sh$/.test(path);
    expect([path, mode, owner]).toEqual([
      path,
      path.endsWith('/') ? 'drwxr-xr-x' : isProgram ? '-rwxr-xr-x' : '-rw-r--r--',
      'root/root',
    ]);
  }
  for (const name of agents)
    expect(lines.some((line) => line.endsWith(` ./usr/lib/ocf/resource.d/tsha/${name}`))).toBe(true);
}

export type Copy = {
  /** Appears as /p. */
  readonly packages: string;
  /** Commands that come before the machine's own; appears as /fake. */
  readonly bin?: string;
  /** Runs the lines beside the copy, which is $R there, and not in it. */
  readonly beside?: true;
};

/**
 * Runs shell lines on a copy of this machine that is thrown away; nothing but its processor and its kernel are shared. `ins FILE` has
 * dpkg install a package, without its dependencies: the Node of the script flavour is this machine's own. This project is /checkout.
 */
export function onCopy(lines: string, { packages, bin = sandbox(), beside }: Copy): Promise<Answer> {
  const copy = sandbox();
  for (const name of ['layer', 'root']) mkdirSync(join(copy, name));
  const enter = `
    mount -t tmpfs tmpfs "$COPY/layer"
    mkdir "$COPY/layer/upper" "$COPY/layer/work"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$COPY/layer/upper,workdir=$COPY/layer/work" "$COPY/root"
    mount -t proc proc "$COPY/root/proc"; mount --bind /dev "$COPY/root/dev"; mount -t tmpfs tmpfs "$COPY/root/run"
    mkdir -p "$COPY/root/p" "$COPY/root/fake" "$COPY/root/checkout"
    mount --bind "$PACKAGES" "$COPY/root/p"; mount --bind "$BIN" "$COPY/root/fake"; mount --bind "$CHECKOUT" "$COPY/root/checkout"
    [ "$BESIDE" ] || exec env R= chroot "$COPY/root" sh -ec "$LINES"
    mount -t proc proc /proc
    R="$COPY/root" exec sh -ec "$LINES"`;
  return run(['unshare', '-mpf', '--kill-child', 'sh', '-ec', enter], {
    ...env,
    PATH: `/fake:${env.PATH}`,
    COPY: copy,
    PACKAGES: packages,
    BIN: bin,
    CHECKOUT: projectFolder,
    BESIDE: beside ? '1' : '',
    LINES: `cd /
ins() { dpkg --force-depends --force-unsafe-io --no-triggers -i "/p/$1" >/tmp/ins.log 2>&1 || { cat /tmp/ins.log >&2; return 1; }; }
${lines}`,
  });
}

/** A Pacemaker that runs, with this configuration; `code` is what cibadmin fails with. */
export function pacemaker({ cib = '', code = 0 }: { readonly cib?: string; readonly code?: number }): string {
  const bin = sandbox();
  const add = (name: string, text: string) => {
    writeFileSync(join(bin, name), text);
    chmodSync(join(bin, name), 0o755);
  };
  add('cib.xml', cib || cibOf({}));
  copyFileSync('/usr/sbin/cibadmin', join(bin, 'real-cibadmin'));
  add(
    'cibadmin',
    code ? `#!/bin/sh\nexit ${code}\n` : '#!/bin/sh\nCIB_file=/fake/cib.xml exec /fake/real-cibadmin "$@"\n',
  );
  add('crm_node', '#!/bin/sh\necho alpha\n');
  copyFileSync('/bin/sleep', join(bin, 'pacemaker-based'));
  chmodSync(join(bin, 'pacemaker-based'), 0o755);
  return bin;
}

/** The configuration of two nodes, of which alpha is the copy. */
const cibOf = (parts: {
  readonly resources?: string;
  readonly properties?: string;
  readonly attributes?: string;
  readonly status?: string;
}): string => `<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.0" epoch="1" num_updates="0" admin_epoch="0">
  <configuration>
    <crm_config><cluster_property_set id="properties">${parts.properties ?? ''}</cluster_property_set></crm_config>
    <nodes>
      <node id="1" uname="alpha"><instance_attributes id="of-alpha">${parts.attributes ?? ''}</instance_attributes></node>
      <node id="2" uname="beta"/>
    </nodes>
    <resources>${parts.resources ?? ''}</resources>
    <constraints/>
  </configuration>
  <status>${parts.status ?? ''}</status>
</cib>
`;

const resources = `<group id="nfsshare"><primitive id="nfs_ip" class="ocf" provider="tsha" type="IPaddr2"><operations>
  <op id="nfs_ip-monitor" name="monitor" interval="10s"/></operations></primitive></group>`;
const maintenance = (name: string, value: string) => `<nvpair id="x" name="${name}" value="${value}"/>`;
export const cibs = {
  used: cibOf({ resources }),
  unused: cibOf({}),
  maintenance: (value: string) => cibOf({ resources, properties: maintenance('maintenance-mode', value) }),
  nodeMaintenance: cibOf({ resources, attributes: maintenance('maintenance', 'true') }),
  /** Deleted while beta was offline: its status keeps what it has had until it comes back. */
  deleted: cibOf({
    status: `<node_state id="2" uname="beta" in_ccm="false" crmd="offline"><lrm id="2"><lrm_resources>
      <lrm_resource id="nfs_ip" type="IPaddr2" class="ocf" provider="tsha"/></lrm_resources></lrm></node_state>`,
  }),
} as const;

/** The copy's Node as it may be: none, another at its place, another elsewhere. */
export const nodes = {
  none: 'rm -f /usr/bin/node /usr/bin/nodejs /usr/local/bin/node /usr/lib/tsha/bin/node',
  old: (at: string) => `printf '#!/bin/sh\\necho v18.20.4\\n' >${at}; chmod 755 ${at}`,
} as const;
