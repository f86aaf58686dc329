import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { nativeProgram } from '../../packaging/launcher.ts';
import { projectFolder } from '../../packaging/products.ts';
import { expectModes, maintenance, must, onCopy, pacemaker, used } from '../packages/machine.ts';
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
      flavour === 'native' ? /^Depends: libc6 \(>= 2\.17\)/m : /^Depends: nodejs \(>= 20\)/m,
    );
  });

  test('removed without a rest where no cluster runs', async () => {
    const { code, stdout } = await onCopy(
      `named() { find /usr /etc /var -xdev -name '*tsha*' | sort; }
      named >/tmp/before
      ins ${debs[flavour]()}
      dpkg --no-triggers --purge tsha-resource-agents tsha-resource-agents-nodejs >/dev/null 2>&1
      named | comm -13 /tmp/before -`,
      { packages },
    );
    expect([code, stdout]).toEqual([0, '']);
  });
});

test('the program in the package is the one that was built and tested: nothing has stripped it', async () => {
  const root = sandbox();
  await must('dpkg-deb', '-x', join(packages, debs.native()), root);
  const program = join(root, 'usr/lib/ocf/lib/tsha', nativeProgram);
  expect(sha256(program)).toBe(sha256(agentOf('native', nativeProgram)));
});

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
  ])('%s', async (_what, cib, refusal) => {
    const { stdout } = await onCopy(
      `ins ${debs.script()}; /fake/pacemaker-based 600 & dpkg --no-triggers --remove tsha-resource-agents-nodejs 2>&1 || :; echo "left: $(ls /usr/lib/ocf/resource.d/tsha 2>/dev/null | wc -l)"; kill $!`,
      { packages, bin: pacemaker(cib) },
    );
    if (refusal) expect(stdout).toMatch(refusal);
    expect(stdout).toMatch(refusal ? /^left: 6$/m : /^left: 0$/m);
  });
});
