import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
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
 * dpkg install a package, without its dependencies: the Node of the script flavour is this machine's own.
 */
export function onCopy(lines: string, { packages, bin = sandbox(), beside }: Copy): Promise<Answer> {
  const copy = sandbox();
  for (const name of ['layer', 'root']) mkdirSync(join(copy, name));
  const enter = `
    mount -t tmpfs tmpfs "$COPY/layer"
    mkdir "$COPY/layer/upper" "$COPY/layer/work"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$COPY/layer/upper,workdir=$COPY/layer/work" "$COPY/root"
    mount -t proc proc "$COPY/root/proc"; mount --bind /dev "$COPY/root/dev"; mount -t tmpfs tmpfs "$COPY/root/run"
    mkdir -p "$COPY/root/p" "$COPY/root/fake"
    mount --bind "$PACKAGES" "$COPY/root/p"; mount --bind "$BIN" "$COPY/root/fake"
    [ "$BESIDE" ] || exec env R= chroot "$COPY/root" sh -ec "$LINES"
    mount -t proc proc /proc
    R="$COPY/root" exec sh -ec "$LINES"`;
  return run(['unshare', '-mpf', '--kill-child', 'sh', '-ec', enter], {
    ...env,
    PATH: `/fake:${env.PATH}`,
    COPY: copy,
    PACKAGES: packages,
    BIN: bin,
    BESIDE: beside ? '1' : '',
    LINES: `cd /
ins() { dpkg --force-depends --force-unsafe-io --no-triggers -i "/p/$1" >/tmp/ins.log 2>&1 || { cat /tmp/ins.log >&2; return 1; }; }
${lines}`,
  });
}

/** A Pacemaker that answers queries: `cib` has what each kind of query prints; the code is 105 where it is empty. */
export function pacemaker(cib: {
  readonly used?: string;
  readonly maintenance?: string;
  readonly code?: number;
}): string {
  const bin = sandbox();
  const answer = (text: string | undefined) =>
    text ? `printf '%s\\n' '${text}'; exit ${cib.code ?? 0}` : `exit ${cib.code ?? 105}`;
  writeFileSync(
    join(bin, 'cibadmin'),
    `#!/bin/sh\ncase "$*" in\n  *@provider*) ${answer(cib.used)} ;;\n  *maintenance-mode*) ${answer(cib.maintenance)} ;;\n  *) exit 105 ;;\nesac\n`,
  );
  writeFileSync(join(bin, 'crm_node'), '#!/bin/sh\necho alpha\n');
  for (const name of ['cibadmin', 'crm_node']) chmodSync(join(bin, name), 0o755);
  copyFileSync('/bin/sleep', join(bin, 'pacemaker-based'));
  chmodSync(join(bin, 'pacemaker-based'), 0o755);
  return bin;
}
export const used = '<primitive id="nfs_ip" class="ocf" provider="tsha" type="IPaddr2"/>';
export const maintenance = (value: string) => `<nvpair id="x" name="maintenance-mode" value="${value}"/>`;
