/** Where nfs-utils keeps what must move with the service: monitored clients, reclaim records, exports. Compiled in. */
export const stateRoot = '/var/lib/nfs';
