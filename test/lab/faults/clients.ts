import { setTimeout as sleep } from 'node:timers/promises';
import { exportedFolder } from '../cluster/configuration.ts';
import type { Lab } from '../machines/lab.ts';
import { type NodeName, serviceAddress } from '../settings.ts';
import { type Attempt, longestStall, parseJournal } from '../workload/journal.ts';
import { mountOptions } from '../workload/workload.ts';
import { judgeAppends, judgeLock, judgeReplaced, judgeTurns, reclaimsFailed } from './checker.ts';

const versions = ['3', '4.0', '4.2'] as const;
export type Version = (typeof versions)[number];
const clientMachines = ['client', 'rival'] as const;
type ClientMachine = (typeof clientMachines)[number];

const folderOf = (version: Version): string => `/mnt/v${version}`;
const sourceOf = (version: Version): string => `${serviceAddress}:${version === '3' ? exportedFolder : '/'}`;
const journals = '/root/lab/journals';
const turnsOf = (version: Version): string => `turns-${version}`;
const kept = (version: Version): string => `kept-${version}`;
/** The journals of worker.py, and the program that has to do with the lock that one machine keeps and the other wants. */
const programs = ['append', 'replace', 'read', 'turn'] as const;
const ofLock = { client: 'keeper', rival: 'rival' } as const;
/** For pgrep, and not what the shell is called that looks for it. */
const keeperOf = (version: Version): string => `[k]eeper.py ${folderOf(version)}/`;

/** How often, since the books were read before. */
export interface LockFate {
  /** The keeper was told: of NFSv4 by an error, of NFSv3 in its kernel's log. */
  told: number;
  /** And had been able to use it less than so many seconds before, at least: it was there in time to claim it. */
  soonest: number;
  /** Others got it, and the keeper went on without a word. */
  silently: number;
}

/** What one client has been through since the books were read before. */
export interface ClientFate {
  version: Version;
  /** Seconds that the slowest append took. */
  pause: number;
  errors: Attempt[];
  /** What was read of a file that is replaced as a whole, and was not what had been put there. */
  misread: string[];
  lock: LockFate;
}

/** A program on a lock that said nothing since a moment. */
interface Silent {
  program: string;
  isAlive: boolean;
}

/** What the data are found to be like. */
export interface DataFate {
  acknowledged: number;
  lost: number;
  wrongs: string[];
}

/** Several texts in one answer: a file's name, what a command has of it, and its end. */
const shown = (name: string, command: string): string => `echo "== ${name}"; ${command}; printf '\\n.\\n'`;
const parts = (text: string): Map<string, string> =>
  new Map(
    [...`${text}\n`.matchAll(/^== (\S+)\n([\s\S]*?)\n\.\n/gm)].map(([, name = '', body = '']) => [
      name,
      body,
    ]),
  );

/** Programs on two machines over three versions of NFS. Their journals are on the machines' own disks, and read from there again and again. */
export class FaultClients {
  readonly #lab: Lab;
  readonly #attempts = new Map<string, Attempt[]>();
  readonly #read = new Map<string, number>();
  readonly #told = new Set<string>();
  /** How much of a journal, and of what there is to say of a lock, the books have had already. */
  readonly #judged = new Map<string, number>();
  readonly #locks = new Map<Version, { told: number; silently: number }>();

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  async start(signal: AbortSignal): Promise<void> {
    for (const machine of clientMachines) {
      // a client that finds the new server within seconds, where TCP by itself may wait for half a minute
      const prepare = `sysctl -q -w net.ipv4.tcp_rto_max_ms=2000 || true; mkdir -p ${journals}`;
      await this.#lab.machine(machine).run(prepare, { signal });
      for (const version of versions) {
        const folder = folderOf(version);
        const mount = `mkdir -p ${folder} && mount -t nfs -o vers=${version},${mountOptions} ${sourceOf(version)} ${folder}`;
        await this.#lab.machine(machine).run(mount, { signal });
      }
    }
    for (const version of versions) await this.#launch('client', 'keeper', version, signal);
    while (!versions.every((version) => this.#has('client', 'keeper', version, 'ok', 0)))
      await this.#refresh(signal);
    for (const version of versions) {
      await this.#launch('rival', 'rival', version, signal);
      for (const machine of clientMachines) {
        const who = `${machine}-${version}`;
        const words = `worker.py ${folderOf(version)} ${who} ${journals}/${version} ${turnsOf(version)}`;
        await this.#detached(machine, words, signal);
      }
    }
    await this.working(0, signal);
    await this.taking(0, signal);
    await this.fates(signal);
  }

  async #launch(
    machine: ClientMachine,
    program: string,
    version: Version,
    signal: AbortSignal,
  ): Promise<void> {
    const file = `${folderOf(version)}/${kept(version)}`;
    await this.#detached(machine, `${program}.py ${file} ${journals}/${version}-${program}`, signal);
  }

  async #detached(machine: ClientMachine, words: string, signal: AbortSignal): Promise<void> {
    const command = `cd /root/lab; setsid python3 ${words} > /dev/null 2>> complaints < /dev/null &`;
    await this.#lab.machine(machine).run(command, { signal });
  }

  /** Every program that appends has done so, in an attempt that it began after a moment. */
  async working(since: number, signal: AbortSignal): Promise<void> {
    await this.#all('append', since, signal);
  }

  /** Every program had a lock that others want too: grace is over, for all versions. */
  async taking(since: number, signal: AbortSignal): Promise<void> {
    await this.#all('turn', since, signal);
  }

  async #all(journal: string, since: number, signal: AbortSignal): Promise<void> {
    const done = (): boolean =>
      clientMachines.every((machine) =>
        versions.every((version) => this.#has(machine, journal, version, 'ok', since)),
      );
    for (;;) {
      await this.#refresh(signal);
      if (done()) return;
      await sleep(700, undefined, { signal });
    }
  }

  #has(machine: ClientMachine, journal: string, version: Version, outcome: string, since: number): boolean {
    return this.#of(machine, journal, version).some((one) => one.outcome === outcome && one.start >= since);
  }

  #of(machine: ClientMachine, journal: string, version: Version): Attempt[] {
    return this.#attempts.get(`${machine} ${version}-${journal}`) ?? [];
  }

  /** Reads on in every journal from where it ended the last time. */
  async #refresh(signal: AbortSignal): Promise<void> {
    await Promise.all(clientMachines.map((machine) => this.#readOn(machine, signal)));
  }

  async #readOn(machine: ClientMachine, signal: AbortSignal): Promise<void> {
    const names = versions.flatMap((version) =>
      [...programs, ofLock[machine]].map((journal) => `${version}-${journal}`),
    );
    const one = (name: string): string => {
      const from = (this.#read.get(`${machine} ${name}`) ?? 0) + 1;
      return shown(name, `tail -c +${from} ${journals}/${name} 2>/dev/null`);
    };
    const text = await this.#lab.machine(machine).run(names.map(one).join('; '), { signal });
    for (const [name, body] of parts(text)) {
      const key = `${machine} ${name}`;
      // a last line without its end is still being written, and read again
      const whole = body.slice(0, body.lastIndexOf('\n') + 1);
      this.#read.set(key, (this.#read.get(key) ?? 0) + Buffer.byteLength(whole));
      this.#attempts.set(key, [...(this.#attempts.get(key) ?? []), ...parseJournal(whole)]);
    }
  }

  /** What every client went through since this was asked before. */
  async fates(signal: AbortSignal): Promise<ClientFate[]> {
    await this.#refresh(signal);
    return await Promise.all(
      versions.map(async (version) => {
        const recent = (machine: ClientMachine, journal: string): Attempt[] => {
          const key = `${machine} ${version}-${journal}`;
          const all = this.#attempts.get(key) ?? [];
          const news = all.slice(this.#judged.get(key) ?? 0);
          this.#judged.set(key, all.length);
          return news;
        };
        const lock = await this.#lockOf(version, signal);
        const all = clientMachines.flatMap((machine) =>
          [...programs, ofLock[machine]].map((journal) => ({ journal, attempts: recent(machine, journal) })),
        );
        const of = (wanted: string): Attempt[] =>
          all.filter(({ journal }) => journal === wanted).flatMap(({ attempts }) => attempts);
        return {
          version,
          pause: longestStall(of('append'), 0),
          errors: all.flatMap(({ attempts }) => attempts.filter(({ outcome }) => outcome === 'error')),
          misread: of('read')
            .filter(({ outcome }) => outcome === 'torn' || outcome === 'old')
            .map(({ outcome, message }) => `${outcome}: ${message}`),
          lock,
        };
      }),
    );
  }

  async #lockOf(version: Version, signal: AbortSignal): Promise<LockFate> {
    const keeper = this.#of('client', 'keeper', version);
    const all = judgeLock(keeper, this.#of('rival', 'rival', version));
    const before = this.#locks.get(version) ?? { told: 0, silently: 0 };
    this.#locks.set(version, { told: all.told.length, silently: all.silently });
    const told = all.told.slice(before.told);
    const silently = all.silently - before.silently;
    const fate = { told: told.length, soonest: Math.min(...told), silently };
    if (version !== '3' || silently === 0) return fate;
    const taken = keeper.findLast(({ outcome }) => outcome === 'locked')?.start ?? 0;
    return (await this.#toldByKernel(version, taken, signal))
      ? { told: fate.told + silently, soonest: 0, silently: 0 }
      : fate;
  }

  /** A client of NFSv3 has no other way than its kernel's log to tell that a lock could not be had back. */
  async #toldByKernel(version: Version, since: number, signal: AbortSignal): Promise<boolean> {
    const command = `pgrep -f '${keeperOf(version)}'; echo ==; journalctl -k -b --since @${Math.floor(since)} -o cat`;
    const [pid = '', log = ''] = (await this.#lab.machine('client').run(command, { signal })).split('\n==\n');
    return reclaimsFailed(log, pid.trim()) > 0;
  }

  /** Who has not tried to use, or to get, a kept lock since a moment, a minute later. */
  async silent(since: number, signal: AbortSignal): Promise<Silent[]> {
    const all = versions.flatMap((version) => clientMachines.map((machine) => ({ version, machine })));
    const quiet = () =>
      all.filter(
        ({ version, machine }) =>
          !this.#of(machine, ofLock[machine], version).some(({ start }) => start >= since),
      );
    for (const end = Date.now() + 60_000; ; await sleep(300, undefined, { signal })) {
      await this.#refresh(signal);
      if (quiet().length === 0 || Date.now() > end) break;
    }
    return await Promise.all(
      quiet().map(async ({ version, machine }) => {
        const look = `pgrep -f '[${ofLock[machine][0]}]${ofLock[machine].slice(1)}.py ${folderOf(version)}/' || true`;
        const pids = await this.#lab.machine(machine).run(look, { signal });
        return { program: `the ${ofLock[machine]} of NFSv${version}`, isAlive: pids !== '' };
      }),
    );
  }

  async #filesOn(active: NodeName, signal: AbortSignal): Promise<Map<string, string>> {
    const show = `for file in append-*[0-9] replace-*[0-9] turns-*; do ${shown('$file', 'cat $file')}; done`;
    const text = await this.#lab.machine(active).run(`cd ${exportedFolder} && ${show}`, { signal });
    return parts(text);
  }

  /** First what was acknowledged, then what is on the active node, whatever any client believes. */
  async data(active: NodeName, signal: AbortSignal): Promise<DataFate> {
    await this.#refresh(signal);
    const snapshot = new Map([...this.#attempts].map(([key, attempts]) => [key, [...attempts]]));
    const of = (machine: ClientMachine, journal: string, version: Version): Attempt[] =>
      snapshot.get(`${machine} ${version}-${journal}`) ?? [];
    const files = await this.#filesOn(active, signal);
    await this.#refresh(signal);
    const read = (file: string): string => files.get(file) ?? '';

    const fate: DataFate = { acknowledged: 0, lost: 0, wrongs: [] };
    const wrongs: string[] = [];
    for (const version of versions) {
      const turns = new Map<string, Attempt[]>();
      const laterTurns = new Map<string, Attempt[]>();
      for (const machine of clientMachines) {
        const who = `${machine}-${version}`;
        const appends = of(machine, 'append', version);
        const replaces = of(machine, 'replace', version);
        const result = judgeAppends(appends, read(`append-${who}`), this.#of(machine, 'append', version));
        for (const [what, which] of Object.entries(result) as [string, string[]][])
          wrongs.push(...which.map((one) => `append-${who}: ${what} ${one}`));
        const torn = judgeReplaced(replaces, read(`replace-${who}`), this.#of(machine, 'replace', version));
        if (torn) wrongs.push(`replace-${who}: ${torn}`);
        turns.set(who, of(machine, 'turn', version));
        laterTurns.set(who, this.#of(machine, 'turn', version));
        fate.acknowledged += [...appends, ...replaces, ...(turns.get(who) ?? [])].filter(
          ({ outcome }) => outcome === 'ok',
        ).length;
      }
      wrongs.push(
        ...judgeTurns(turns, read(turnsOf(version)), laterTurns).map(
          (wrong) => `${turnsOf(version)}: ${wrong}`,
        ),
      );
    }
    // what was told after an earlier fault is none of this one's
    const news = wrongs.filter((wrong) => !this.#told.has(wrong));
    for (const wrong of news) this.#told.add(wrong);
    fate.lost = news.filter((wrong) => / lost \d+$/.test(wrong)).length;
    fate.wrongs = news.slice(0, 8);
    return fate;
  }

  /** A lock of NFSv3 that is gone is taken again, as a person would see to who reads the kernel's log. */
  async takeAgain(lost: readonly Version[], signal: AbortSignal): Promise<void> {
    for (const version of lost) {
      const asked = Date.now() / 1000;
      await this.#lab.machine('client').ask(`pkill -HUP -f '${keeperOf(version)}'`, { signal });
      for (const end = asked + 60; Date.now() / 1000 < end; await sleep(300, undefined, { signal })) {
        await this.#refresh(signal);
        if (this.#has('client', 'keeper', version, 'locked', asked)) break;
      }
      // what others took of it until then is the same loss
      const all = judgeLock(this.#of('client', 'keeper', version), this.#of('rival', 'rival', version));
      this.#locks.set(version, { told: all.told.length, silently: all.silently });
    }
  }
}
