import type { Host } from '../host.ts';

/** `mnt:[4026532281]` of a process or a thread, by its path below /proc; `undefined` for one that is gone, or that we may not look at. */
export const mountNamespace = (host: Host, task: number | string): Promise<string | undefined> =>
  host.sys.target(`/proc/${task}/ns/mnt`).catch(() => undefined);
