import { expect, test } from 'vitest';
import { inEveryLook, parseLook } from '../../../lab/faults/left.ts';

const end = 'end of the answer';
const shell = 'process 901 0 bash -c ps -ww -eo pid=,etimes=,args=';

test.each([
  { what: 'nothing', line: 'process 1 900 /sbin/init', found: [] },
  {
    what: 'a native agent',
    line: 'process 77 90 /usr/lib/ocf/lib/tsha/tsha-agents drbd monitor',
    found: ['an agent that did not end: 77 /usr/lib/ocf/lib/tsha/tsha-agents drbd monitor'],
  },
  {
    what: 'one of the script flavour',
    line: 'process 77 90 /usr/bin/node --v8-pool-size=1 /usr/lib/ocf/lib/tsha/cached.cjs /usr/lib/ocf/resource.d/tsha/drbd monitor',
    found: [
      'an agent that did not end: 77 /usr/bin/node --v8-pool-size=1 /usr/lib/ocf/lib/tsha/cached.cjs /usr/lib/ocf/resource.d/tsha/drbd monitor',
    ],
  },
  {
    what: 'a launcher that waits',
    line: 'process 77 90 /bin/sh /usr/lib/ocf/resource.d/tsha/nfsserver stop',
    found: ['an agent that did not end: 77 /bin/sh /usr/lib/ocf/resource.d/tsha/nfsserver stop'],
  },
  {
    what: 'a monitor that began after the fault',
    line: 'process 77 9 /usr/lib/ocf/lib/tsha/tsha-agents drbd monitor',
    found: [],
  },
  {
    what: "somebody else's agent",
    line: 'process 77 90 /bin/sh /usr/lib/ocf/resource.d/heartbeat/Dummy monitor',
    found: [],
  },
  {
    what: 'a draft',
    line: 'draft: /var/lib/nfs/etab.tsha-77, inode 5',
    found: ['draft: /var/lib/nfs/etab.tsha-77, inode 5'],
  },
  {
    what: 'a mount on the node that does not serve',
    line: 'mounts: 36 22 147:1 / /nfsdata rw',
    found: ['mounts: 36 22 147:1 / /nfsdata rw'],
  },
])('left behind: $what', ({ line, found }) => {
  expect(parseLook(`${shell}\n${line}\n${end}`, 30)).toEqual(found);
});

test.each([
  { what: 'no answer', text: '' },
  { what: 'one that was cut off', text: `${shell}\nprocess 77 90 /usr/lib/ocf/lib/tsha/tsha-agents dr` },
  { what: 'one without a process', text: end },
])('nobody says that nothing is left after $what', ({ text }) => {
  expect(parseLook(text, 30)).toBeUndefined();
});

test.each([
  { what: 'there in every look', looks: [['a', 'b'], ['a']], left: ['a'] },
  { what: 'gone, and another one came', looks: [['a'], ['b']], left: [] },
  { what: 'never looked', looks: [], left: undefined },
])('what is left: $what', ({ looks, left }) => {
  expect(inEveryLook(looks)).toEqual(left);
});
