import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../machines/lab.ts';
import { type NodeName, serviceAddress } from '../../settings.ts';
import { type Attempt, ofOutcome, parseJournal } from '../../workload/journal.ts';
import { mountOptions } from '../../workload/workload.ts';

/** What the usual workload has not: the older NFSv4 versions, clients that only hold, and delegations. */
export const versions = ['4.0', '4.1'] as const;
export type Version = (typeof versions)[number];

const folder = (version: Version): string => `/mnt/nfs${version}`;
const lockOf = (version: Version): string => `lock-nfs${version}`;
const journalOf = (program: string, version: Version): string => `/root/lab/${program}-nfs${version}`;
/** Opened for reading and left alone, by the client. */
const delegated = 'delegated';
/** Opened and locked, and left alone, by the rival. */
const idle = 'idle-lock';

const lockWhole = (path: string) =>
  `python3 -c 'import fcntl, os; fcntl.lockf(os.open("${path}", os.O_RDWR | os.O_CREAT, 0o644), fcntl.LOCK_EX | fcntl.LOCK_NB)'`;
const lockAndSleep = (path: string) =>
  `setsid python3 -c 'import fcntl, os, time; fd = os.open("${path}", os.O_RDWR | os.O_CREAT, 0o644); fcntl.lockf(fd, fcntl.LOCK_EX, 10, 100); time.sleep(1e6)' > /dev/null 2>&1 < /dev/null &`;
const started = (program: string, version: Version) =>
  `setsid python3 /root/lab/${program}.py ${folder(version)}/${lockOf(version)} ${journalOf(program, version)} > /dev/null 2>&1 < /dev/null &`;

/** Two client machines with locks, opens and delegations over NFSv4.0 and 4.1. */
export class Clients {
  readonly #lab: Lab;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  async start(signal: AbortSignal): Promise<void> {
    const [client, rival] = [this.#lab.machine('client'), this.#lab.machine('rival')];
    for (const machine of [client, rival]) {
      // a client that finds the new server within seconds, where TCP by itself may wait for half a minute: ten moves must fit
      await machine.run('sysctl -q -w net.ipv4.tcp_rto_max_ms=2000 || true', { signal });
      for (const version of versions) await machine.run(mountCommand(version), { signal });
    }
    await client.run(`echo 1 > ${folder('4.1')}/${delegated}`, { signal });
    await client.run(
      `setsid sh -c 'exec 9< ${folder('4.1')}/${delegated}; read first <&9; exec sleep 1000000' > /dev/null 2>&1 < /dev/null &`,
      { signal },
    );
    await rival.run(lockAndSleep(`${folder('4.1')}/${idle}`), { signal });
    for (const version of versions) await client.run(started('holder', version), { signal });
    await this.holding(0, signal);
    for (const version of versions) await rival.run(started('rival', version), { signal });
  }

  /** Every lock has been used in a write that began after a moment. */
  async holding(since: number, signal: AbortSignal): Promise<void> {
    for (const version of versions) await this.#active('client', 'holder', version, since, signal);
  }

  /** The rival has been answered after a moment. */
  async refused(since: number, signal: AbortSignal): Promise<void> {
    for (const version of versions) await this.#active('rival', 'rival', version, since, signal);
  }

  async #active(
    machine: 'client' | 'rival',
    program: string,
    version: Version,
    since: number,
    signal: AbortSignal,
  ): Promise<void> {
    for (;;) {
      const answer = await this.#lab
        .machine(machine)
        .ask(`tail -n 1 ${journalOf(program, version)}`, { signal });
      const [last] = parseJournal(`${answer}\n`);
      if (last && last.start > since) return;
      await sleep(300, undefined, { signal });
    }
  }

  /** What became of a lock: the holder's errors, and how often the rival was refused or got it. */
  async fateOf(version: Version, signal: AbortSignal) {
    const read = async (machine: 'client' | 'rival', program: string): Promise<Attempt[]> =>
      parseJournal(
        `${await this.#lab.machine(machine).run(`cat ${journalOf(program, version)}`, { signal })}\n`,
      );
    const [holder, rival] = [await read('client', 'holder'), await read('rival', 'rival')];
    return {
      writes: ofOutcome(holder, 'ok').length,
      errors: [...holder, ...rival]
        .filter(({ outcome }) => outcome === 'error')
        .map(({ message }) => message),
      refused: ofOutcome(rival, 'refused').length,
      stolen: ofOutcome(rival, 'stolen').length,
    };
  }

  /** Whether the client has a delegation, as the server sees it. */
  async hasDelegation(active: NodeName, signal: AbortSignal): Promise<boolean> {
    const states = await this.#lab.machine(active).ask('cat /proc/fs/nfsd/clients/*/states', { signal });
    return states.split('\n').some((line) => line.includes('type: deleg') && line.includes(`/${delegated}"`));
  }

  /** The rival writes to the file: seconds until it could, and what the client then reads. */
  async recall(text: string, signal: AbortSignal): Promise<{ seconds: number; read: string }> {
    const path = `${folder('4.1')}/${delegated}`;
    const began = Date.now();
    await this.#lab.machine('rival').run(`echo ${text} > ${path} && sync ${path}`, { signal });
    const seconds = (Date.now() - began) / 1000;
    return { seconds, read: await this.#lab.machine('client').run(`cat ${path}`, { signal }) };
  }

  /** Whether somebody else than its idle holder could have the lock now. */
  async idleLockIsFree(signal: AbortSignal): Promise<boolean> {
    const command = `${lockWhole(`${folder('4.1')}/${idle}`)} 2> /dev/null && echo free || echo taken`;
    return (await this.#lab.machine('client').run(command, { signal })) === 'free';
  }

  /** A first mount, and a first file: seconds until it is there. */
  async arrive(signal: AbortSignal): Promise<number> {
    const began = Date.now();
    await this.#lab
      .machine('client')
      .run(
        `mkdir -p /mnt/late && mount -t nfs -o vers=4.2,${mountOptions} ${serviceAddress}:/ /mnt/late && echo late > /mnt/late/late`,
        { signal },
      );
    return (Date.now() - began) / 1000;
  }
}

const mountCommand = (version: Version): string =>
  `mkdir -p ${folder(version)} && mount -t nfs -o vers=${version},${mountOptions} ${serviceAddress}:/ ${folder(version)}`;
