import type { Host } from '../../lib/host/host.ts';
import { readIfThere } from '../../lib/host/local-files.ts';
import { processName } from '../../lib/host/process-table.ts';
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
  readonly #births = new Map<number, number>();
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
      const parent = parseStat((await readIfThere(this.#host, `/proc/${pid}/stat`)) ?? '')?.parent ?? 0;
      if (parent > 1 && !isFirst) this.#births.set(parent, (this.#births.get(parent) ?? 0) + 1);
    }
    const found: MountUser[] = [];
    for (const [pid, births] of this.#births) {
      const stat = births < manyBirths ? undefined : await this.#statOf(pid);
      if (!stat || users.some((user) => user.pid === pid)) continue;
      const name = (await processName(this.#host, pid)) ?? '?';
      if (await this.#isRoots(pid)) {
        if (!this.#told.has(pid)) told(`${name}[${pid}] starts new ones as fast as they are ended`);
        this.#told.add(pid);
      } else found.push({ pid, startTime: stat.startTime, name, how: 'its processes keep coming back' });
    }
    return found;
  }

  async #statOf(pid: number) {
    return parseStat((await readIfThere(this.#host, `/proc/${pid}/stat`)) ?? '');
  }

  /** `Uid:	1000	1000	1000	1000`, also where that cannot be read. */
  async #isRoots(pid: number): Promise<boolean> {
    const status = (await readIfThere(this.#host, `/proc/${pid}/status`)) ?? '';
    const ids = /^Uid:\s+(.+)$/m.exec(status)?.[1]?.split(/\s+/) ?? ['0'];
    return ids.includes('0');
  }
}
