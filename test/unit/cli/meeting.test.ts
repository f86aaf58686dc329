import { expect, test } from 'vitest';
import { meetingOf } from '../../../cli/drbd/meeting.ts';

// biome-ignore format: a table
test.each([
  ['not yet',                    'WFConnection',  'Inconsistent/DUnknown',     null],
  ['shaking hands',              'WFReportParams', 'Inconsistent/DUnknown',    null],
  ['9, not yet',                 'Connecting',    'Inconsistent/DUnknown',     null],
  ['9, before disks are told',   'Connected',     'Inconsistent/DUnknown',     null],
  ['attaching there',            'Connected',     'Inconsistent/Negotiating',  null],
  ['both new',                   'Connected',     'Inconsistent/Inconsistent', 'new'],
  ['no disk there',              'Connected',     'Inconsistent/Diskless',     'strange'],
  ['copying',                    'SyncTarget',    'Inconsistent/UpToDate',     'theirs'],
  ['about to copy',              'WFBitMapT',     'Inconsistent/Inconsistent', 'theirs'],
  ['paused',                     'PausedSyncT',   'Inconsistent/Consistent',   'theirs'],
  ['9, copying',                 'Connected',     'Inconsistent/UpToDate',     'theirs'],
  ['an old copy there',          'Connected',     'Inconsistent/Outdated',     'theirs'],
  ['copied',                     'Connected',     'UpToDate/UpToDate',         'theirs'],
  ['copied from',                'SyncSource',    'UpToDate/Inconsistent',     'ours'],
  ['chosen here, alone',         'WFConnection',  'UpToDate/DUnknown',         'ours'],
] as const)('%s', (_what, link, disk, meeting) => {
  expect(meetingOf([link], [disk])).toBe(meeting);
  const withNew = meetingOf([link, 'Connected'], [disk, 'Inconsistent/Inconsistent']);
  expect(withNew, 'beside a volume that is new').toBe(meeting);
});

test('nothing told is no meeting', () => {
  expect(meetingOf([], [])).toBe(null);
  expect(meetingOf(['Connected'], [])).toBe(null);
});
