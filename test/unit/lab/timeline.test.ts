import { expect, test } from 'vitest';
import { parseActions, timelineTable } from '../../lab/report/timeline.ts';

const log = `
Nov 22 18:28:15.540 node1 pacemaker-controld  [911] (do_lrm_rsc_op) 	notice: Requesting local execution of stop operation for nfs_ip on node1 | transition_key=50:2:0
Nov 22 18:28:15.610 node1 pacemaker-controld  [911] (log_executor_event) 	info: Result of monitor operation for nfs_ip on node1: Cancelled | graph action confirmed
Nov 22 18:28:15.790 node1 pacemaker-controld  [911] (log_executor_event) 	notice: Result of stop operation for nfs_ip on node1: ok | CIB update 49
Nov 22 18:28:16.540 node1 pacemaker-controld  [911] (do_lrm_rsc_op) 	notice: Requesting local execution of demote operation for Data on node1 | transition_key=5
`;
const at = Date.UTC(2026, 10, 22, 18, 28, 15) / 1000;

test('an action is what begins and ends in the log', () => {
  expect(parseActions('node1', log, 2026)).toEqual([
    { node: 'node1', action: 'stop', resource: 'nfs_ip', from: at + 0.54, to: at + 0.79 },
  ]);
});

test('the table has the actions of its time, and where they lie in it', () => {
  const action = { node: 'node1', action: 'stop', resource: 'x' } as const;
  const table = timelineTable({
    since: 10,
    until: 16,
    actions: [
      { ...action, from: 12, to: 14 },
      { ...action, resource: 'early', from: 7, to: 9 },
      { ...action, action: 'start', from: 10, to: 11 },
    ],
  });
  const [, first = '', second = '', ...rest] = table.split('\n').map((each) => each.trimEnd());
  expect(first.trim()).toMatch(/^0\.0 s +node1 +start x +1\.00 s +█{8}$/);
  expect(second.trim()).toMatch(/^2\.0 s +node1 +stop x +2\.00 s +█{16}$/);
  expect(second.indexOf('█') - first.indexOf('█')).toBe(16);
  expect(rest).toEqual([]);
});
