import { describe, expect, test } from 'vitest';
import { handInstance, readRequest, supportedDepth } from '../../../lib/contract/request.ts';
import { marginMs } from '../../../lib/ocf/run.ts';

describe('what Pacemaker asks', () => {
  test.each([
    ['monitor', undefined, true],
    ['monitor', '0', true],
    ['monitor', '10000', false],
    ['start', '0', false],
    ['status', undefined, false],
  ])('%s with interval %s: probe is %s', (action, interval, probe) => {
    const env = interval === undefined ? {} : { OCF_RESKEY_CRM_meta_interval: interval };
    expect(readRequest(action, env).probe).toBe(probe);
  });

  test.each([
    [undefined, 20_000],
    ['', 20_000],
    ['0', 20_000],
    ['garbage', 20_000],
    ['-5', 20_000],
    ['40000', 40_000],
    ['99999999999', 2 ** 31 - 1],
  ])('CRM_meta_timeout %j is %i ms', (timeout, ms) => {
    const env = timeout === undefined ? {} : { OCF_RESKEY_CRM_meta_timeout: timeout };
    expect(readRequest('start', env).timeoutMs).toBe(ms);
  });

  test.each([
    ['a timeout', { OCF_RESKEY_CRM_meta_timeout: '20000' }, true],
    [
      'a timeout by hand',
      { OCF_RESKEY_CRM_meta_timeout: '20000', OCF_RESOURCE_INSTANCE: handInstance },
      false,
    ],
    ['an interval by hand', { OCF_RESKEY_CRM_meta_interval: '0', OCF_RESOURCE_INSTANCE: handInstance }, true],
    ['none of its words', {}, false],
  ])('told %s', (_what, env, expected) => {
    expect(readRequest('monitor', env).byPacemaker).toBe(expected);
  });

  test.each([
    [{ OCF_CHECK_LEVEL: '10' }, 10],
    [{ OCF_RESKEY_OCF_CHECK_LEVEL: '20' }, 20],
    [{ OCF_CHECK_LEVEL: '10', OCF_RESKEY_OCF_CHECK_LEVEL: '20' }, 10],
    [{ OCF_CHECK_LEVEL: 'abc' }, undefined],
    [{}, undefined],
  ])('check level from %j is %s', (env, level) => {
    expect(readRequest('monitor', env).checkLevel).toBe(level);
  });

  test.each([
    [undefined, 0],
    [0, 0],
    [5, 0],
    [10, 10],
    [15, 10],
    [20, 20],
    [100, 20],
  ])('level %s is served by depth %i of 0, 10, 20', (level, depth) => {
    expect(supportedDepth(level, [0, 10, 20])).toBe(depth);
  });

  test('meta attributes tell unset from empty', () => {
    const request = readRequest('start', { OCF_RESKEY_CRM_meta_notify_start_uname: '' });
    expect([request.meta('notify_start_uname'), request.meta('clone_max')]).toEqual(['', undefined]);
  });
});

test.each([
  [1_000, 333],
  [5_000, 1_000],
  [20_000, 2_000],
  [40_000, 4_000],
  [240_000, 5_000],
])('an operation of %i ms ends by itself %i ms earlier', (timeout, margin) => {
  expect(Math.floor(marginMs(timeout))).toBe(margin);
});
