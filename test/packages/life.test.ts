import { chmodSync, copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { projectFolder } from '../../packaging/products.ts';
import { type Answer, run, sandbox } from '../contract/call.ts';

// Packages installed, upgraded, replaced and removed by dpkg itself, on a copy of this machine that is thrown away.

const env = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
};
const dir = join(projectFolder, 'dist/packages');
const deb = (pattern: RegExp): string => readdirSync(dir).find((name) => pattern.test(name)) ?? 'missing';
const native = () => deb(process.arch === 'x64' ? /_amd64\.deb$/ : /agents_.*_arm64\.deb$/);
const script = () => deb(/_all\.deb$/);

beforeAll(async () => {
  const { code, stderr } = await run([join(projectFolder, 'build.sh'), 'package'], env);
  if (code !== 0) throw new Error(stderr);
}, 900_000);

/** Runs shell lines on the copy, with the packages in /p; the dependencies of the script flavour are this machine's own Node. */
function onCopy(lines: string, bin = sandbox()): Promise<Answer> {
  const copy = sandbox();
  for (const name of ['layer', 'root']) mkdirSync(join(copy, name));
  const enter = `
    mount -t tmpfs tmpfs "$COPY/layer"
    mkdir "$COPY/layer/upper" "$COPY/layer/work"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$COPY/layer/upper,workdir=$COPY/layer/work" "$COPY/root"
    mount -t proc proc "$COPY/root/proc"; mount --bind /dev "$COPY/root/dev"; mount -t tmpfs tmpfs "$COPY/root/run"
    mkdir -p "$COPY/root/p" "$COPY/root/fake"
    mount --bind "$PACKAGES" "$COPY/root/p"; mount --bind "$BIN" "$COPY/root/fake"
    exec chroot "$COPY/root" sh -ec "$LINES"`;
  return run(['unshare', '-mpf', '--kill-child', 'sh', '-ec', enter], {
    ...env,
    PATH: `/fake:${env.PATH}`,
    COPY: copy,
    PACKAGES: dir,
    BIN: bin,
    LINES: `cd /\nins() { dpkg --force-depends --force-unsafe-io --no-triggers -i "/p/$1" >/dev/null 2>&1; }\n${lines}`,
  });
}

/** Called all the time while dpkg is at work, more often than any cluster would. */
const storm = `
  monitors() {
    while [ ! -e /tmp/enough ]; do
      code=0
      OCF_RESKEY_device=proc OCF_RESKEY_directory=/proc OCF_RESKEY_fstype=proc OCF_RESOURCE_INSTANCE=x OCF_ROOT=/usr/lib/ocf \\
        OCF_RESKEY_CRM_meta_interval=1000 OCF_RESKEY_CRM_meta_timeout=60000 \\
        /usr/lib/ocf/resource.d/tsha/Filesystem monitor >/tmp/said 2>&1 || code=$?
      echo $code >>/tmp/codes
      [ $code = 0 ] || cat /tmp/said >>/tmp/troubles
    done
  }
  rm -f /tmp/enough /tmp/codes /tmp/troubles; : >/tmp/troubles
  monitors & one=$!
  finish() { sleep 1; : >/tmp/enough; wait $one; echo "monitors: $(sort /tmp/codes | uniq -c | tr -s ' ')"; cat /tmp/troubles; }`;

describe('dpkg', () => {
  test.each([
    ['upgrade', native, native],
    ['the script flavour in place of the native one', native, script],
    ['the native flavour in place of the script one', script, native],
    ['upgrade of the script flavour', script, script],
  ])(
    '%s: no monitor fails meanwhile',
    async (_what, before, after) => {
      const { code, stdout, stderr } = await onCopy(
        `ins ${before()}; ${storm}; sleep 1; ins ${after()}; finish; dpkg-query -W -f '\${Package} \${db:Status-Status}\\n' 'tsha*'`,
      );
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/^monitors: *\d+ 0\n/);
      expect(stdout.match(/ installed$/gm)).toHaveLength(1);
    },
    240_000,
  );

  test.each([
    ['native', native],
    ['script', script],
  ])(
    '%s: removed without a rest where no cluster runs',
    async (_flavour, file) => {
      const { code, stdout } = await onCopy(`
      named() { find /usr /etc /var -xdev -name '*tsha*' | sort; }
      named >/tmp/before
      ins ${file()}
      dpkg --no-triggers --purge tsha-resource-agents tsha-resource-agents-nodejs >/dev/null 2>&1
      named | comm -13 /tmp/before -`);
      expect([code, stdout]).toEqual([0, '']);
    },
    120_000,
  );
});

/** A Pacemaker that answers queries: `cib` has what each kind of query prints; the code is 105 where it is empty. */
function pacemaker(cib: {
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
const used = '<primitive id="nfs_ip" class="ocf" provider="tsha" type="IPaddr2"/>';
const maintenance = (value: string) => `<nvpair id="x" name="maintenance-mode" value="${value}"/>`;

describe('removal under a cluster', () => {
  test.each([
    [
      'resources use the agents',
      { used },
      /stays: the cluster has resources of ocf:tsha: \(nfs_ip\)\. .* pcs property set maintenance-mode=true/,
    ],
    [
      'maintenance mode is off',
      { used, maintenance: maintenance('false') },
      /stays: the cluster has resources/,
    ],
    ['cibadmin cannot tell', { code: 102 }, /stays: Pacemaker runs here, and cibadmin cannot tell/],
    ['maintenance mode', { used, maintenance: maintenance('true') }, undefined],
    ['maintenance mode, spelt otherwise', { used, maintenance: maintenance('Yes') }, undefined],
    ['no resource uses the agents', {}, undefined],
  ])(
    '%s',
    async (_what, cib, refusal) => {
      const { stdout } = await onCopy(
        `ins ${script()}; /fake/pacemaker-based 600 & dpkg --no-triggers --remove tsha-resource-agents-nodejs 2>&1 || :; echo "left: $(ls /usr/lib/ocf/resource.d/tsha 2>/dev/null | wc -l)"; kill $!`,
        pacemaker(cib),
      );
      if (refusal) expect(stdout).toMatch(refusal);
      expect(stdout).toMatch(refusal ? /^left: 6$/m : /^left: 0$/m);
    },
    120_000,
  );

  test('an upgrade and the other flavour are no removal', async () => {
    const { code, stdout } = await onCopy(
      `ins ${native()}; /fake/pacemaker-based 600 & ins ${native()}; ins ${script()}; dpkg-query -W -f '\${Package} \${db:Status-Status}\\n' 'tsha*'; kill $!`,
      pacemaker({ used }),
    );
    expect([code, stdout.match(/^.* installed$/gm)]).toEqual([0, ['tsha-resource-agents-nodejs installed']]);
  }, 120_000);
});
