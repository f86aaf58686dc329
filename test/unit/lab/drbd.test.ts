import { describe, expect, test } from 'vitest';
import { configure, type Generation, resourceFile } from '../../lab/cluster/drbd-resource.ts';
import { givenKernel } from '../../lab/image/kernel.ts';
import { connectedNodes, outdatedNode } from '../../lab/scenarios/drbd/by-hand/connected.ts';
import { withoutModule } from '../../lab/scenarios/drbd/by-hand/refusals.ts';
import { secondResource } from '../../lab/scenarios/drbd/by-hand/second-resource.ts';
import { onThisDrbd } from '../../lab/scenarios/drbd/by-hand/situations.ts';
import { tag } from '../../lab/scenarios/drbd/cases.ts';
import { policiesOn } from '../../lab/scenarios/drbd/split-brain.ts';

describe('a kernel of the user’s own', () => {
  test.each([{}, { TSHA_LAB_KERNEL: '' }, { TSHA_LAB_KERNEL: 'host' }])('none is given: %j', (env) => {
    expect(givenKernel(env)).toBeUndefined();
  });
  test.each([
    [{ TSHA_LAB_KERNEL: '/boot/vmlinuz' }, 'not a path of a linux.uml'],
    [{ TSHA_LAB_KERNEL: '/opt/drbd9/linux.uml' }, 'needs TSHA_LAB_MODULES'],
    [{ TSHA_LAB_KERNEL: '/no/such/linux.uml', TSHA_LAB_MODULES: '/' }, '/no/such/linux.uml'],
  ])('%j cannot be one', (env, why) => {
    expect(() => givenKernel(env)).toThrow(why);
  });
});

test('the resource of the seed, with what a scenario adds to it', () => {
  const file = resourceFile({
    net: ['after-sb-0pri discard-zero-changes;'],
    fencing: 'resource-only',
  });
  expect(file).toMatch(/^resource data \{\n {2}protocol C;\n {2}device \/dev\/drbd1;/);
  expect(file).toMatch(/net \{[^}]* after-sb-0pri discard-zero-changes;\n/);
  expect(file).toMatch(/disk \{[^}]* fencing resource-only;\n/);
  expect(file).toMatch(/on node2 \{\n {4}address 10\.77\.1\.12:7789;/);
  expect(file).not.toContain('handlers');
});

test('DRBD wants a timeout shorter than the pings and the tries to connect', () => {
  for (const noticesWithin of [1, 3, 10]) {
    const [, timeout = 0] = (/ timeout (\d+);/.exec(resourceFile({ noticesWithin })) ?? []).map(Number);
    expect(timeout / 10).toBeLessThan(noticesWithin);
  }
});

test('as a shell command, the file is written as it is', () => {
  expect(configure()).toContain(`<<'END'\n${resourceFile()}END\n`);
});

test.each([
  ['8.4.11', [88], 'drbd#88 '],
  ['8.4.11', [132, 144], 'drbd#132,144 '],
  ['9.2.9', [88], ''],
  ['9.2.9', [132, 143], 'drbd#132 '],
  [undefined, [], ''],
])('DRBD %s, cases %j: tag "%s"', (drbd, cases, expected) => {
  expect(tag(drbd === undefined ? {} : { drbd }, ...cases)).toBe(expected);
});

const sectionOf = (name: string, file: string): string =>
  new RegExp(`\\n {2}${name} \\{([^}]*)\\}`).exec(file)?.[1] ?? '';

describe('what DRBD 9 wants otherwise', () => {
  test.each<[Generation, string, string]>([
    [8, 'disk', 'net'],
    [9, 'net', 'disk'],
  ])('%i: fencing belongs in %s', (generation, its, others) => {
    const file = resourceFile({ fencing: 'resource-only' }, generation);
    expect(sectionOf(its, file)).toContain('fencing resource-only;');
    expect(sectionOf(others, file)).not.toContain('fencing');
  });
  test('a resync as slow as it is meant to be', () => {
    const file = resourceFile({ resyncRate: 5 });
    expect(sectionOf('disk', file)).toMatch(/resync-rate 5M;\n +c-max-rate 5M;/);
  });
  test('the file is written for the DRBD that is loaded', () => {
    const command = configure({ fencing: 'resource-only' });
    expect(command).toContain(resourceFile({ fencing: 'resource-only' }, 8));
    expect(command).toContain(resourceFile({ fencing: 'resource-only' }, 9));
    expect(command).toMatch(/^if grep -qs '\^version: 9' \/proc\/drbd; then\n/);
  });
  test('the transports leave before the module', () => {
    expect(withoutModule[0]?.make?.[0]?.[1]).toMatch(/drbd_transport_.*rmmod drbd$/);
  });
  test('a resource made by hand has a node id', () => {
    const making = secondResource('node2').flatMap(({ make = [] }) => make.map(([, command]) => command));
    expect(making.filter((command) => command.includes('drbdsetup new-resource'))).toEqual([
      expect.stringContaining("new-resource other $(grep -qs '^version: 9' /proc/drbd && echo 0)"),
    ]);
  });
  test('policies that it does not decide by are left out', () => {
    expect(policiesOn({ drbd: '9.3.3' }).map(({ policy }) => policy)).toEqual(['discard-least-changes']);
    expect(policiesOn({ drbd: '8.4.11' })).toHaveLength(4);
  });
  test('what is left out leaves the nodes as the next situation expects them', () => {
    const on9 = (one: Parameters<typeof onThisDrbd>[1]) => onThisDrbd({ drbd: '9.3.3' }, one);
    const last = connectedNodes.at(-1);
    expect(last?.only84).toBe(true);
    expect(last && on9(last)?.make).toEqual([
      ['node1', 'drbdadm secondary data && drbdadm connect data'],
      ['node2', 'drbdadm down data'],
    ]);
    expect(last && onThisDrbd({ drbd: '8.4.11' }, last)).toBe(last);
    const [first] = outdatedNode;
    expect(first?.make).toEqual([['node2', 'drbdadm up data']]);
    const tidied = secondResource('node2').at(-1);
    expect(tidied && on9(tidied)?.make?.[0]?.[1]).toContain('losetup -d');
    expect(tidied && on9(tidied)).not.toHaveProperty('calls');
  });
});
