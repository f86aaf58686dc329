import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { nativeProgram } from '../../packaging/launcher.ts';
import { projectFolder } from '../../packaging/products.ts';
import { cibs, expectModes, must, nodes, onCopy, pacemaker } from '../packages/machine.ts';
import { agentOf, sandbox } from './call.ts';

// What every change of the packages must keep: whose the files are, that the program is the built one, and that a cluster keeps its
// agents. The rest, which takes a quarter of an hour, is in test/packages.

const packages = join(inject('contractFolder'), 'packages');
const file = (pattern: RegExp): string =>
  readdirSync(packages).find((name) => pattern.test(name)) ?? 'missing';
const debs = { native: () => file(/agents_/), script: () => file(/_all\.deb$/) } as const;
const flavours = ['native', 'script'] as const;
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

beforeAll(async () => {
  const make = join(projectFolder, 'packaging/package/main.ts');
  const tsx = join(projectFolder, 'node_modules/.bin/tsx');
  await must(process.execPath, tsx, make, '--format', 'deb', '--to', packages);
});

describe.each(flavours)('.deb, %s', (flavour) => {
  test('everything is root’s; programs may be run, the rest is read', async () => {
    await expectModes(join(packages, debs[flavour]()));
  });

  test('each takes the place of the other', async () => {
    const other = flavour === 'native' ? 'tsha-resource-agents-nodejs' : 'tsha-resource-agents';
    const control = await must('dpkg-deb', '-f', join(packages, debs[flavour]()));
    for (const field of ['Conflicts', 'Replaces', 'Provides'])
      expect(control).toMatch(new RegExp(`^${field}: ${other}( \\(= .+\\))?$`, 'm'));
    expect(control).toMatch(
      flavour === 'native' ? /^Depends: libc6 \(>= 2\.17\)/m : /^Pre-Depends: nodejs \(>= 20\)$/m,
    );
  });

  test('removed without a rest where no cluster runs', async () => {
    const { code, stdout } = await onCopy(
      `named() { find /usr /etc /var -xdev -name '*tsha*' | sort; }
      rm -rf /var/lib/tsha; named >/tmp/before
      ins ${debs[flavour]()}
      systemctl enable tsha-metrics.timer >/dev/null 2>&1; mkdir -p /var/lib/tsha; echo '{}' >/var/lib/tsha/events.jsonl
      dpkg --no-triggers --remove tsha-resource-agents tsha-resource-agents-nodejs >/dev/null 2>&1
      ls /var/lib/tsha
      dpkg --no-triggers --purge tsha-resource-agents tsha-resource-agents-nodejs >/dev/null 2>&1
      named | comm -13 /tmp/before -`,
      { packages },
    );
    expect([code, stdout]).toEqual([0, 'events.jsonl\n']);
  });

  test('the other flavour in its place keeps what is enabled and what was written down', async () => {
    const other = flavour === 'native' ? 'script' : 'native';
    const [here, there] = flavour === 'native' ? ['', '-nodejs'] : ['-nodejs', ''];
    const { code, stdout } = await onCopy(
      `rm -rf /var/lib/tsha; ins ${debs[flavour]()}
      systemctl enable tsha-metrics.timer >/dev/null 2>&1; mkdir -p /var/lib/tsha; echo '{}' >/var/lib/tsha/events.jsonl
      ins ${debs[other]()}
      dpkg --no-triggers --purge tsha-resource-agents${here} >/dev/null 2>&1
      dpkg-query -W -f '\${Package} \${db:Status-Status}\n' 'tsha-*' | grep ' installed$'
      systemctl is-enabled tsha-metrics.timer; ls /var/lib/tsha`,
      { packages },
    );
    expect([code, stdout]).toEqual([0, `tsha-resource-agents${there} installed\nenabled\nevents.jsonl\n`]);
  });
});

describe('the script flavour is not unpacked over the native one', () => {
  const refused = (lines: string) =>
    onCopy(
      `ins ${debs.native()}; ${lines}
      dpkg --force-depends --no-triggers -i /p/${debs.script()} 2>&1 | grep 'is not installed:' || :
      dpkg-query -W -f '\${Package} \${db:Status-Status}\n' 'tsha-*' | grep ' installed$'
      OCF_RESKEY_device=proc OCF_RESKEY_directory=/proc OCF_RESKEY_fstype=proc OCF_RESOURCE_INSTANCE=x OCF_ROOT=/usr/lib/ocf \
        OCF_RESKEY_CRM_meta_interval=1000 /usr/lib/ocf/resource.d/tsha/Filesystem monitor; echo "monitor $?"`,
      { packages },
    );
  const sentence = (why: string) =>
    `tsha-resource-agents-nodejs is not installed: Node.js 20 or newer is not installed${why}. Its agents need Node.js 20 or newer at /usr/bin/node. Whatever is installed now stays\n`;

  test.each([
    ['without a Node', nodes.none, ''],
    [
      'with one that is too old',
      `${nodes.none}; ${nodes.old('/usr/bin/node')}`,
      ', /usr/bin/node is too old',
    ],
    [
      'with one that is too old where the agents take it from, and a newer one elsewhere',
      `cp /usr/bin/node /usr/local/bin/node.new; ${nodes.none}; mv /usr/local/bin/node.new /usr/local/bin/node; ${nodes.old('/usr/bin/node')}`,
      ', /usr/bin/node is too old',
    ],
  ])('%s', async (_what, lines, why) => {
    const { code, stdout, stderr } = await refused(lines);
    expect([code, stdout, stderr]).toEqual([
      0,
      `${sentence(why)}tsha-resource-agents installed\nmonitor 0\n`,
      '',
    ]);
  });

  test('but is with one elsewhere alone, which the agents find', async () => {
    const elsewhere = `cp /usr/bin/node /usr/local/bin/node.new; ${nodes.none}; mv /usr/local/bin/node.new /usr/local/bin/node`;
    const { code, stdout } = await refused(elsewhere);
    expect([code, stdout]).toEqual([0, 'tsha-resource-agents-nodejs installed\nmonitor 0\n']);
  });
});

test('the program in the package is the one that was built and tested: nothing has stripped it', async () => {
  const root = sandbox();
  await must('dpkg-deb', '-x', join(packages, debs.native()), root);
  const program = join(root, 'usr/lib/ocf/lib/tsha', nativeProgram);
  expect(sha256(program)).toBe(sha256(agentOf('native', nativeProgram)));
});

describe('under a cluster', () => {
  const situations = [
    [
      'resources use the agents',
      { cib: cibs.used },
      /stays: the cluster has resources of ocf:tsha: \(nfs_ip\)\. .* pcs property set maintenance-mode=true/,
    ],
    [
      'maintenance mode is off',
      { cib: cibs.maintenance('false') },
      /stays: the cluster has resources of ocf:tsha: \(nfs_ip\)/,
    ],
    [
      'cibadmin cannot tell',
      { code: 102 },
      /stays: Pacemaker runs here, and cibadmin cannot tell .* \(exit code 102\)/,
    ],
    ['maintenance mode', { cib: cibs.maintenance('true') }, undefined],
    ['maintenance mode, spelt otherwise', { cib: cibs.maintenance('Yes') }, undefined],
    ['maintenance of this node', { cib: cibs.nodeMaintenance }, undefined],
    ['no resource uses the agents', { cib: cibs.unused }, undefined],
    ['only the status of an offline node has such resources', { cib: cibs.deleted }, undefined],
  ] as const;
  const left = 'echo "left: $(ls /usr/lib/ocf/resource.d/tsha 2>/dev/null | wc -l)"';

  test.each(situations)('removal of a package while %s', async (_what, cib, refusal) => {
    const { stdout } = await onCopy(
      `ins ${debs.script()}; /fake/pacemaker-based 600 & dpkg --no-triggers --remove tsha-resource-agents-nodejs 2>&1 || :; ${left}; kill $!`,
      { packages, bin: pacemaker(cib) },
    );
    if (refusal) expect(stdout).toMatch(refusal);
    expect(stdout).toMatch(refusal ? /^left: 6$/m : /^left: 0$/m);
  });

  test.each(situations)('build.sh uninstall while %s', async (_what, cib, refusal) => {
    const { stdout } = await onCopy(
      `/checkout/build.sh install; /fake/pacemaker-based 600 & code=0; /checkout/build.sh uninstall 2>&1 || code=$?; ${left}, $code; kill $!`,
      { packages, bin: pacemaker(cib) },
    );
    if (refusal) expect(stdout).toMatch(refusal);
    expect(stdout).toMatch(refusal ? /^left: 6, 1$/m : /^left: 0, 0$/m);
  });

  test('build.sh uninstall takes away no package’s files', async () => {
    const { stdout } = await onCopy(`ins ${debs.script()}; /checkout/build.sh uninstall 2>&1 || :; ${left}`, {
      packages,
    });
    expect(stdout).toMatch(
      /stays: dpkg --remove tsha-resource-agents-nodejs takes it away\n(?:.*\n)*left: 6$/m,
    );
  });

  test('build.sh install --script leaves the native flavour where it is if there is no Node for the other', async () => {
    // build.sh itself goes on with its own
    const { stdout } = await onCopy(
      `/checkout/build.sh install; mkdir /tmp/own; cp /usr/bin/node /tmp/own/node; ${nodes.none}
      PATH=/tmp/own:$PATH; /checkout/build.sh install --script 2>&1 || echo "code $?"
      OCF_RESKEY_device=proc OCF_RESKEY_directory=/proc OCF_RESKEY_fstype=proc OCF_RESOURCE_INSTANCE=x OCF_ROOT=/usr/lib/ocf \
        OCF_RESKEY_CRM_meta_interval=1000 /usr/lib/ocf/resource.d/tsha/Filesystem monitor; echo "monitor $?"`,
      { packages },
    );
    expect(stdout).toMatch(
      /nothing is installed: there is no Node\.js 20 or newer in any of [^\n]*\ncode 1\nmonitor 0\n$/,
    );
  });
});
