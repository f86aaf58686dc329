import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { agentDir, programPath } from '../../packaging/files.ts';
import { projectFolder } from '../../packaging/products.ts';
import { agents, validParams } from '../contract/agents.ts';
import { cibs, nodes, onCopy, pacemaker } from './machine.ts';

// Packages upgraded and replaced under monitors, by dpkg and rpm themselves, on a copy of this machine that is thrown away.

const packages = join(projectFolder, 'dist/packages');
const named = (pattern: RegExp): string =>
  readdirSync(packages).find((name) => pattern.test(name)) ?? 'missing';
const [debArch, rpmArch] = process.arch === 'x64' ? ['amd64', 'x86_64'] : ['arm64', 'aarch64'];
const debs = {
  native: () => named(new RegExp(`_${debArch}\\.deb$`)),
  script: () => named(/_all\.deb$/),
} as const;
const rpms = {
  native: () => named(new RegExp(`\\.${rpmArch}\\.rpm$`)),
  script: () => named(/\.noarch\.rpm$/),
} as const;
const names = { native: 'tsha-resource-agents', script: 'tsha-resource-agents-nodejs' } as const;

/** A monitor called all the time while a package is replaced, more often than any cluster would; in the copy, which is $R or here. */
const storm = `
  monitors() {
    while [ ! -e "$R/tmp/enough" ]; do
      code=0
      OCF_RESKEY_device=proc OCF_RESKEY_directory=/proc OCF_RESKEY_fstype=proc OCF_RESOURCE_INSTANCE=x OCF_ROOT=/usr/lib/ocf \\
        OCF_RESKEY_CRM_meta_interval=1000 OCF_RESKEY_CRM_meta_timeout=60000 \\
        \${R:+chroot "$R"} /usr/lib/ocf/resource.d/tsha/Filesystem monitor >"$R/tmp/said" 2>&1 || code=$?
      echo $code >>"$R/tmp/codes"
      [ $code = 0 ] || cat "$R/tmp/said" >>"$R/tmp/troubles"
    done
  }
  rm -f "$R/tmp/enough" "$R/tmp/codes"; : >"$R/tmp/troubles"
  monitors & one=$!
  finish() { sleep 1; : >"$R/tmp/enough"; wait $one; echo "monitors: $(sort "$R/tmp/codes" | uniq -c | tr -s ' ')"; cat "$R/tmp/troubles"; }`;

describe('dpkg', () => {
  test.each([
    ['upgrade', debs.native, debs.native],
    ['the script flavour in place of the native one', debs.native, debs.script],
    ['the native flavour in place of the script one', debs.script, debs.native],
    ['upgrade of the script flavour', debs.script, debs.script],
  ])('%s: no monitor fails meanwhile', async (_what, before, after) => {
    const { code, stdout, stderr } = await onCopy(
      `ins ${before()}; ${storm}; sleep 1; ins ${after()}; finish; dpkg-query -W -f '\${Package} \${db:Status-Status}\\n' 'tsha-*'`,
      { packages },
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^monitors: *\d+ 0\n/);
    expect(stdout.match(/ installed$/gm)).toHaveLength(1);
  });

  test('an upgrade and the other flavour are no removal', async () => {
    const { code, stdout } = await onCopy(
      `ins ${debs.native()}; /fake/pacemaker-based 600 & ins ${debs.native()}; ins ${debs.script()}; dpkg-query -W -f '\${Package} \${db:Status-Status}\\n' 'tsha-*'; kill $!`,
      { packages, bin: pacemaker({ cib: cibs.used }) },
    );
    expect([code, stdout.match(/^.* installed$/gm)]).toEqual([0, ['tsha-resource-agents-nodejs installed']]);
  });
});

/**
 * Lays the files of one package over the other's as dpkg does, one after another, and asks every agent after each: whatever it finds in
 * place of the whole, its answer stays.
 */
const step = (before: string, after: string): string => `
  cd /tmp; ins ${before}
  answers() {
    for agent in ${agents.join(' ')}; do
      code=0
      env ${Object.values(validParams)
        .flatMap((params) => Object.entries(params))
        .map(([name, value]) => `${name}=${value}`)
        .join(' ')} OCF_RESOURCE_INSTANCE=x OCF_ROOT=/usr/lib/ocf OCF_RESKEY_CRM_meta_interval=1000 \\
        OCF_RESKEY_CRM_meta_timeout=60000 ${agentDir}/$agent $1 >/tmp/said 2>&1 || code=$?
      echo "$agent $1 $code"
    done
  }
  answers monitor >/tmp/expected; answers validate-all >>/tmp/expected
  mkdir /tmp/new; dpkg-deb -x /p/${after} /tmp/new
  dpkg-deb --fsys-tarfile /p/${after} | tar -t | sed -n 's|^\\.\\(/usr/lib/ocf/.*[^/]\\)$|\\1|p' | while read -r path; do
    cp -p "/tmp/new$path" "$path.dpkg-new"; mv -f "$path.dpkg-new" "$path"
    { answers monitor; answers validate-all; } >/tmp/found
    cmp -s /tmp/expected /tmp/found || { echo "after $path:"; diff /tmp/expected /tmp/found; cat /tmp/said; }
    echo "laid $path"
  done`;

test.each([
  ['the script flavour over the native one', debs.native, debs.script],
  ['the native flavour over the script one', debs.script, debs.native],
])(
  '%s, file by file: every agent answers as before',
  async (_what, before, after) => {
    const { code, stdout, stderr } = await onCopy(step(before(), after()), { packages });
    const lines = stdout.trim().split('\n');
    expect([code, stderr, lines.filter((line) => !line.startsWith('laid '))]).toEqual([0, '', []]);
    expect(lines.length).toBeGreaterThan(agents.length);
  },
  900_000,
);

describe('rpm', () => {
  const rpm = 'rpm --force-debian --root "$R" --nodeps';
  const install = (one: string) => `${rpm} -i "$R/p/${one}"; [ "$(ls "$R${agentDir}" | wc -l)" = 6 ]`;

  const enable = 'chroot "$R" systemctl --quiet enable tsha-metrics.timer 2>/dev/null';

  test.each(['native', 'script'] as const)('%s: upgrade: no monitor fails meanwhile', async (flavour) => {
    const { code, stdout, stderr } = await onCopy(
      `${install(rpms[flavour]())}; ${storm}; sleep 1; ${rpm} -U --replacepkgs "$R/p/${rpms[flavour]()}"; finish; ${rpm} -V ${names[flavour]}`,
      { packages, beside: true },
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^monitors: *\d+ 0\n$/);
  });

  test.each([
    ['native', 'script'],
    ['script', 'native'],
  ] as const)('%s replaced by %s under a cluster: no monitor fails meanwhile', async (before, after) => {
    const { code, stdout, stderr } = await onCopy(
      `cp "$R"/fake/c* "$R/usr/sbin/"; ${install(rpms[before]())}; chroot "$R" /fake/pacemaker-based 600 & cib=$!; ${storm}; sleep 1
      ${rpm} -i --replacefiles "$R/p/${rpms[after]()}"; ${rpm} -e ${names[before]}
      finish; ${rpm} -V ${names[after]}; rpm --force-debian --root "$R" -qa; kill $cib`,
      { packages, beside: true, bin: pacemaker({ cib: cibs.used }) },
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^monitors: *\\d+ 0\n${names[after]}-\\d\\S+\n$`));
  });

  test.each([
    [
      'resources use the agents',
      '',
      { cib: cibs.used },
      /stays: the cluster has resources of ocf:tsha: \(nfs_ip\)/,
    ],
    [
      'what the other flavour has beside its agents was left behind',
      `: >"$R${programPath}"`,
      { cib: cibs.used },
      /stays: the cluster has resources of ocf:tsha: \(nfs_ip\)/,
    ],
    [
      'cibadmin cannot tell',
      '',
      { code: 102 },
      /stays: Pacemaker runs here, and cibadmin cannot tell .*\(exit code 102\)/,
    ],
    ['maintenance mode', '', { cib: cibs.maintenance('true') }, undefined],
    ['only the status of an offline node has such resources', '', { cib: cibs.deleted }, undefined],
  ] as const)('removal while %s', async (_what, given, cib, refusal) => {
    const { stdout } = await onCopy(
      `named() { find "$R/usr" "$R/etc" "$R/var" -xdev -name '*tsha*' | sort; }
      rm -rf "$R/var/lib/tsha"; cp "$R"/fake/c* "$R/usr/sbin/"; named >"$R/tmp/before"
      ${install(rpms.script())}; ${given || ':'}; mkdir -p "$R/var/lib/tsha"; ${enable}
      chroot "$R" /fake/pacemaker-based 600 &
      ${rpm} -e ${names.script} 2>&1 || :; kill $!
      echo "left: $(named | comm -13 "$R/tmp/before" - | wc -l)"`,
      { packages, beside: true, bin: pacemaker(cib) },
    );
    if (refusal) expect(stdout).toMatch(refusal);
    expect(stdout).toMatch(refusal ? /^left: [1-9]\d*$/m : /^left: 0$/m);
  });

  test.each([
    ['without a Node', nodes.none],
    ['with one that is too old', `${nodes.none}; ${nodes.old('/usr/bin/node')}`],
  ])('%s the script flavour is not unpacked over the native one', async (_what, lines) => {
    const { stdout } = await onCopy(
      `${install(rpms.native())}; chroot "$R" sh -ec '${lines.replaceAll("'", "'\\''")}'
      ${rpm} -i --replacefiles "$R/p/${rpms.script()}" 2>&1 | grep 'is not installed:'
      rpm --force-debian --root "$R" -qa; ${rpm} -V ${names.native}`,
      { packages, beside: true },
    );
    expect(stdout).toMatch(
      new RegExp(
        `^${names.script} is not installed: Node\\.js 20 or newer [^\n]*\n${names.native}-\\d\\S+\n$`,
      ),
    );
  });

  test('the other flavour in its place keeps what is enabled and what was written down', async () => {
    const { stdout } = await onCopy(
      `rm -rf "$R/var/lib/tsha"; ${install(rpms.native())}
      mkdir -p "$R/var/lib/tsha"; echo '{}' >"$R/var/lib/tsha/events.jsonl"; ${enable}
      ${rpm} -i --replacefiles "$R/p/${rpms.script()}"; ${rpm} -e ${names.native}
      chroot "$R" systemctl is-enabled tsha-metrics.timer; ls "$R/var/lib/tsha"`,
      { packages, beside: true },
    );
    expect(stdout).toBe('enabled\nevents.jsonl\n');
  });
});
