import { expect, test } from 'vitest';
import { failuresInLog } from '../../../lab/faults/failures.ts';

const line = (result: string): string =>
  `Nov 30 15:46:40.064 node1 pacemaker-controld  [927] (log_executor_event) \tnotice: Result of ${result} | CIB update 24, graph action confirmed; call=26 key=x rc=0`;

test.each([
  { what: 'a start that went well', result: 'start operation for Data on node1: ok', failed: [] },
  {
    what: 'a monitor of the promoted one',
    result: 'monitor operation for Data on node1: promoted',
    failed: [],
  },
  {
    what: 'one that was called back',
    result: 'monitor operation for nfs_ip on node1: Cancelled',
    failed: [],
  },
  { what: 'a probe', result: 'probe operation for NFS on node1: not running', failed: [] },
  {
    what: 'a monitor that found nothing',
    result: 'monitor operation for nfs-daemon on node1: not running',
    failed: [{ resource: 'nfs-daemon', task: 'monitor', node: 'node1', status: 'not running', reason: '' }],
  },
  {
    what: 'a stop that took too long',
    result: 'stop operation for nfs-root on node2: Timed Out after 120s (it hangs)',
    failed: [
      {
        resource: 'nfs-root',
        task: 'stop',
        node: 'node2',
        status: 'Timed Out after 120s (it hangs)',
        reason: '',
      },
    ],
  },
])('failed actions in the log: $what', ({ result, failed }) => {
  expect(failuresInLog(`something else\n${line(result)}\n`)).toEqual(failed);
});
