import type { Host } from '../../lib/host/host.ts';
import { usersOf } from '../../lib/host/host-daemons.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import { beginOf, isStillThere, processName } from '../../lib/host/process-table.ts';
import type { MountUser } from '../../lib/host/storage/mount-users.ts';
import { parseStat } from '../../lib/host/sys/process-stat.ts';

/** So many children that came after others of the same parent were ended are no chance. */
const manyBirths = 3;

/**
 * Who starts the users of a mount anew as fast as they are ended, and need not be on the mount himself. A user's process that does is a
 * user like those. One of root's may be sshd, cron or a shell that people come in by: it is named and left alone.
 */
export class Families {
  readonly #host: Host;
  readonly #seen = new Set<string>();
  /** By the parent's number: who it was then, and how many came. */
  readonly #parents = new Map<number, { readonly startTime: number; births: number }>();
  readonly #told = new Set<number>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** Of users that are to be ended now: those behind them who must go, too. `told` gets a sentence for each that stays, once. */
  async behind(users: readonly MountUser[], told: (sentence: string) => void): Promise<readonly MountUser[]> {
    const isFirst = this.#seen.size === 0;
    for (const { pid, startTime } of users) {
      const key = `${pid} ${startTime}`;
      if (this.#seen.has(key)) continue;
      this.#seen.add(key);
      const { parent = 0 } = (await this.#statOf(pid)) ?? {};
      if (parent > 1 && !isFirst) await this.#count(parent);
    }
    const found: MountUser[] = [];
    for (const [pid, { startTime, births }] of this.#parents) {
      if (births < manyBirths || users.some((user) => user.pid === pid)) continue;
      if (!(await isStillThere(this.#host, { pid, startTime }))) continue;
      const name = (await processName(this.#host, pid)) ?? '?';
      if (await this.#isRoots(pid)) {
        if (!this.#told.has(pid)) told(`${name}[${pid}] starts new ones as fast as they are ended`);
        this.#told.add(pid);
      } else found.push({ pid, startTime, name, how: 'its processes keep coming back' });
    }
    return found;
  }

  /** A later process of the same number begins at nothing. */
  async #count(pid: number): Promise<void> {
    const startTime = await beginOf(this.#host, pid);
    const known = this.#parents.get(pid);
    if (known?.startTime === startTime) known.births++;
    else this.#parents.set(pid, { startTime, births: 1 });
  }

  async #statOf(pid: number) {
    return parseStat((await readIfThere(this.#host, `/proc/${pid}/stat`)) ?? '');
  }

  /** Also where nobody can tell. */
  async #isRoots(pid: number): Promise<boolean> {
    const users = await usersOf(this.#host, pid);
    return users.length === 0 || users.includes(0);
  }
}
