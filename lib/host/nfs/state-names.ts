// What this project makes in the NFS server's state directory, beside what nfs-utils and the kernel make there themselves.

/** Of the kernel's own tracking of NFSv4 clients; where it is missing the state is new. */
export const recovery = 'v4recovery';

/** Its blocks are room for what a move must write though the filesystem is full. */
export const reserve = 'reserve';

/** exportfs locks export-lock here wherever etab is: it must not have to create it in a directory that may be exported. */
export const stateFiles = ['etab', 'xtab', 'rmtab', 'export-lock', reserve] as const;

/** Where records of NFSv3 clients lie, in statd's directory: with a monitor's copies where statd cannot be made to keep them. */
export const recordLists = (hasCallout: boolean): readonly string[] => [
  'sm',
  'sm.bak',
  ...(hasCallout ? [] : ['sm.tsha']),
];
