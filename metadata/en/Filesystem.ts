import type { params } from '../../agents/Filesystem/params.ts';
import type { EnglishProse } from '../../lib/ocf/agent.ts';
import { traceProse } from './trace.ts';

export default {
  long: `
Mounts a filesystem on one node and unmounts it again: a DRBD device or a disk on shared storage, a bind mount, a network
filesystem, a tmpfs.

It never mounts over something else, never reports a filesystem as stopped while it is still mounted (odd characters in the path, a
device node that vanished, a second mount of it in another mount namespace), and never unmounts or kills what does not belong to it.
Storage or a server that stopped answering hangs neither the monitor nor the stop: both end before their timeout and say what hangs.

Monitor depth 0 reads the kernel's mount table and runs no command. It also fails when the kernel has made the filesystem read-only
after an error, unless options contain ro. Depth 10 reads one block from the storage, past the cache. Depth 20 also writes a small
file and reads it back. An operation chooses its depth by the attribute OCF_CHECK_LEVEL.`,
  params: {
    device: `
What to mount. A block device (/dev/drbd1); a label that any node finds by itself, written as UUID=, LABEL=, PARTUUID= or PARTLABEL=
or, as with mount, -U or -L; server:/path or //server/share for a network filesystem; a directory for a bind mount; an image file
when options contain loop; any word for a type such as tmpfs. While mounted, the device is recognised by its number, whatever its
name: when a link below /dev disappears the resource is neither failed nor forgotten.`,
    directory: `
The mount point, an absolute path. It is created, with its parents, when it does not exist. Symbolic links in it are followed.`,
    fstype: `
The filesystem type for mount -t, for example xfs. Use none, with the option bind, for a bind mount. When unset, mount looks at
the device to find out, and fsck runs before every mount.`,
    options: `
Options for mount -o, separated by commas. A bind mount may be made read-only by bind,ro; its source stays writable.`,
    statusfile_prefix: `
Begins the name of the file that the monitor of depth 20 writes, relative to the mount point. A prefix that ends in / is a
directory; it is created when needed.`,
    run_fsck: `
Whether to run fsck -p before mounting. auto: only for types that do not replay a journal by themselves. force: always. no: never.
An error that fsck cannot repair fails the start.`,
    fast_stop: `
Give up a stop after 6 seconds. By default it goes on until shortly before the operation's timeout, because a stop that fails gets
the node fenced.`,
    force_clones: `
Let a filesystem that is not cluster-aware run as a clone. Two nodes that write to the same ordinary filesystem destroy it: use
this only where each node has a device of its own.`,
    force_unmount: `
What to do when processes keep the filesystem busy on stop. true or safe: signal them, term_signals in the first half of the
time, kill_signals in the second. false: wait, and fail when they do not leave by themselves. The users are found in /proc by the
mount itself, so processes of other filesystems are never hit, nor are the cluster's own daemons, init or the parents of the agent.
With move, as in true,move, a stop first moves the mount beside its mount point, from /data to /.data, where programs that are
started again do not find it. That needs a parent mount that is not shared with other namespaces; otherwise it is unmounted in place.
The words xargs, noxargs, ps and nops of the stock agent are accepted and mean nothing here.`,
    term_signals: `
Signals for the first half of a stop, in this order, separated by blanks: names with or without SIG, or numbers.`,
    kill_signals: `
Signals for the second half of a stop, as for term_signals; for a process that ignores every one of those, 3 seconds after them.`,
    signal_delay: `
How long processes may take to react to a signal before the next attempt to unmount, in seconds; fractions are allowed. It ends
early when all of them are gone.`,
    ...traceProse,
  },
} satisfies EnglishProse<typeof params>;
