// What the agent must know of a filesystem type, one fact per table. A type in none of them is a local filesystem on one block
// device that is mounted on one node at a time and checks itself only when fsck is asked to.

/** Served by another machine or by a process: unmounting lazily loses nothing that could still be saved. */
const served = words(
  'nfs nfs4 efs aznfs cifs smbfs smb3 ceph glusterfs rozofs cvfs lustre 9p afs orangefs beegfs',
);
/** Neither served nor on one block device: whatever `device` says is only a name, or a directory. */
const virtual = words('none tmpfs ramfs overlay overlayfs zfs virtiofs');
/** Made to be mounted on several nodes at once. */
const clusterAware = words('nfs4 nfs aznfs efs smbfs cifs gfs2 glusterfs ceph ocfs2 cvfs lustre');
/** Private to each node, or as shared as what lies below. */
const harmlessClones = words('none overlay overlayfs tmpfs ramfs');
/** Replay their journal on mount, know no fsck, or are checked elsewhere. */
const selfChecking = words(
  'ext4 ext4dev ext3 reiserfs reiser4 nss xfs jfs vfat fat nfs4 nfs aznfs efs cifs smbfs ocfs2 gfs2 none lustre glusterfs ceph tmpfs overlay overlayfs rozofs zfs cvfs',
);
/** Read-only by nature. */
const readOnlyTypes = words('iso9660 squashfs erofs cramfs romfs udf');

/** Spellings of one kind: what mount is asked for, and what the table shows of it. */
const families: readonly ReadonlySet<string>[] = [
  words('nfs nfs4 efs aznfs'),
  words('cifs smbfs smb3 smb'),
  words('overlay overlayfs'),
  words('ext2 ext3 ext4 ext4dev'),
  words('vfat fat msdos'),
  words('ceph-fuse ceph.fuse'),
];
/** Their helpers write addresses where names were given, or the name of their own program. */
const rewritten = words('ceph lustre glusterfs beegfs rozofs cvfs');

/** The name of a type's kind: of NFS whatever its version, of FUSE the program. */
export function familyOf(type: string): string {
  const name = type.replace(/^fuse\./, '').replace(/_(tgt|nodev)$/, '');
  const [first = name] = families.find((family) => family.has(name)) ?? [];
  return first;
}

/** Whether a type, as it is asked for, may show itself as the other. FUSE's own name stands for all of its programs. */
export function areKin(asked: string, shown: string): boolean {
  const isFuse = (type: string) => type === 'fuse' || type.startsWith('fuse.');
  const [one, other] = [familyOf(asked), familyOf(shown)];
  return one === other || (one === 'fuse' && isFuse(shown)) || (other === 'fuse' && isFuse(asked));
}

/** Whether the table may show another name than the one that was asked for. */
export const isRewritten = (family: string, source: string): boolean =>
  rewritten.has(family) || !/[:/]/.test(source);

export const isServed = (type: string): boolean => served.has(type) || /^fuse(\.|$)/.test(type);
/** The driver is a process: an unmounted filesystem may still be on its way to the disk. */
export const isDriven = (type: string): boolean => /^fuse(blk)?(\.|$)/.test(type);
export const isVirtual = (type: string): boolean => virtual.has(type);
export const isClusterAware = (type: string): boolean => clusterAware.has(type);
export const isHarmlessClone = (type: string): boolean => harmlessClones.has(type);
export const checksItself = (type: string): boolean => selfChecking.has(type) || isServed(type);
export const isReadOnlyType = (type: string): boolean => readOnlyTypes.has(type);

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}
