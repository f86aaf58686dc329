import { describe, expect, test } from 'vitest';
import { configure, resourceFile } from '../../lab/cluster/drbd-resource.ts';
import { givenKernel } from '../../lab/image/kernel.ts';
import { tag } from '../../lab/scenarios/drbd/cases.ts';

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
    disk: ['fencing resource-only;'],
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
