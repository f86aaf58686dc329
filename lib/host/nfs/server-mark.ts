import type { Host } from '../host.ts';
import { isStillThere } from '../process-table.ts';

/**
 * What tells a server from one before or after it. Threads come and go: their number is changed while they run, and newer kernels change
 * it themselves. The sockets that it listens on stay as long as it does. A thread is the cheaper one to look for.
 */
export type ServerMark = {
  /** When the server's threads began, in ticks since boot. */
  readonly threadsSince: number;
  readonly pid?: number;
  /** When the thread `pid` began, where the first one has ended since. */
  readonly begun?: number;
  readonly sockets?: readonly string[];
};

/** Whether the thread that was marked still runs. */
export const isThreadThere = async (host: Host, { pid, begun, threadsSince }: ServerMark): Promise<boolean> =>
  pid !== undefined && isStillThere(host, { pid, startTime: begun ?? threadsSince });
