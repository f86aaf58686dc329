import { start } from '../bring-up.ts';
import type { Run } from '../run.ts';
import { alone } from './alone.ts';
import { reboots } from './reboot.ts';
import { switchovers } from './switchovers.ts';

/** The NFS agents on a kernel that has a server: each by itself first, then as a cluster with clients. */
export const nfsScenarios: ((run: Run) => Promise<void>)[] = [alone, start, reboots, switchovers];
