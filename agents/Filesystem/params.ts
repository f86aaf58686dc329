import { paramTable } from '../../lib/contract/params.ts';
import type { Context } from '../../lib/ocf/agent.ts';
import { traceParams } from '../../lib/ocf/trace.ts';

export const params = paramTable({
  device: {
    type: 'string',
    required: true,
    uniqueGroup: 'mount',
    short: 'What to mount: block device, UUID= or LABEL=, server:/path, or a directory for a bind mount',
  },
  directory: {
    type: 'string',
    required: true,
    uniqueGroup: 'mount',
    short: 'Mount point; created when absent',
  },
  fstype: { type: 'string', short: 'Filesystem type; mount guesses it when unset' },
  options: { type: 'string', default: '', short: 'Mount options, comma separated, as for mount -o' },
  statusfile_prefix: {
    type: 'string',
    default: '.Filesystem_status/',
    reloadable: true,
    short: 'Where below the mount point the monitor of depth 20 writes its file',
  },
  run_fsck: {
    type: 'string',
    default: 'auto',
    reloadable: true,
    short: 'Check the filesystem before mounting: auto, force or no',
  },
  fast_stop: {
    type: 'boolean',
    default: false,
    reloadable: true,
    short: 'Give up a stop after 6 seconds instead of shortly before its timeout',
  },
  force_clones: {
    type: 'boolean',
    default: false,
    reloadable: true,
    short: 'Let a filesystem that is not cluster-aware run as a clone',
  },
  force_unmount: {
    type: 'string',
    default: 'true',
    mayBeEmpty: true,
    reloadable: true,
    short: 'End the processes that keep the filesystem busy on stop: true, safe or false',
  },
  term_signals: {
    type: 'string',
    default: 'TERM',
    reloadable: true,
    short: 'Signals of the first half of a stop, in order',
  },
  kill_signals: {
    type: 'string',
    default: 'KILL',
    reloadable: true,
    short: 'Signals of the second half of a stop, in order',
  },
  signal_delay: {
    type: 'string',
    default: '1',
    reloadable: true,
    short: 'Seconds between a signal and the next attempt to unmount; fractions allowed',
  },
  ...traceParams,
});

export type Ctx = Context<typeof params>;
