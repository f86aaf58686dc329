import { setTimeout as sleep } from 'node:timers/promises';
import { exportedFolder } from '../cluster/configuration.ts';
import type { Lab } from '../machines/lab.ts';
import { type NodeName, serviceAddress } from '../settings.ts';
import { type Attempt, longestStall, parseJournal } from '../workload/journal.ts';
import { mountOptions } from '../workload/workload.ts';
import { judgeAppends, judgeLock, judgeReplaced, judgeTurns, type LockFate } from './checker.ts';

const versions = ['3', '4.0', '4.2'] as const;
export type Version = (typeof versions)[number];
const clientMachines = ['client', 'rival'] as const;
type ClientMachine = (typeof clientMachines)[number];

const folderOf = (version: Version): string => `/mnt/v${version}`;
const sourceOf = (version: Version): string => `${serviceAddress}:${version === '3' ? exportedFolder : '/'}`;
const journals = '/root/lab/journals';
const turnsOf = (version: Version): string => `turns-${version}`;
const kept = (version: Version): string => `kept-${version}`;

/** What one client has been through in a fault. */
export interface ClientFate {
  version: Version;
  /** Seconds that the slowest append took. */
  pause: number;
  errors: string[];
  lock: LockFate;
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
      ['append', 'replace', 'turn', machine === 'client' ? 'keeper' : 'rival'].map(
        (journal) => `${version}-${journal}`,
      ),
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

  /** What every client went through since a moment. */
  async fates(since: number, signal: AbortSignal): Promise<ClientFate[]> {
    await this.#refresh(signal);
    const silent = await this.#toldByKernel(since, signal);
    return versions.map((version) => {
      const recent = (machine: ClientMachine, journal: string): Attempt[] =>
        this.#of(machine, journal, version).filter(({ end }) => end >= since);
      const lock = judgeLock(recent('client', 'keeper'), recent('rival', 'rival'));
      const programs = clientMachines.flatMap((machine) =>
        ['append', 'replace', 'turn'].flatMap((journal) => recent(machine, journal)),
      );
      const failed = [...programs, ...recent('client', 'keeper'), ...recent('rival', 'rival')].filter(
        ({ outcome }) => outcome === 'error',
      );
      return {
        version,
        pause: Math.max(...clientMachines.map((machine) => longestStall(recent(machine, 'append'), since))),
        errors: failed.map(({ message }) => message),
        lock: silent ? { told: lock.told + lock.silently, silently: 0 } : lock,
      };
    });
  }

  /** A client of NFSv3 has no other way than its kernel's log to tell that a lock could not be had back. */
  async #toldByKernel(since: number, signal: AbortSignal): Promise<boolean> {
    const pattern = 'reclaim failed|failed to reclaim|lost .*lock|state manager.*failed';
    const command = `journalctl -k -b --since @${Math.floor(since)} -o cat | grep -cE '${pattern}' || true`;
    return Number(await this.#lab.machine('client').ask(command, { signal })) > 0;
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
    const read = (file: string): string => files.get(file) ?? '';

    const fate: DataFate = { acknowledged: 0, lost: 0, wrongs: [] };
    const wrongs: string[] = [];
    for (const version of versions) {
      const turns = new Map<string, Attempt[]>();
      for (const machine of clientMachines) {
        const who = `${machine}-${version}`;
        const appends = of(machine, 'append', version);
        const replaces = of(machine, 'replace', version);
        const result = judgeAppends(appends, read(`append-${who}`));
        for (const [what, which] of Object.entries(result) as [string, string[]][])
          wrongs.push(...which.map((one) => `append-${who}: ${what} ${one}`));
        const torn = judgeReplaced(replaces, read(`replace-${who}`));
        if (torn) wrongs.push(`replace-${who}: ${torn}`);
        turns.set(who, of(machine, 'turn', version));
        fate.acknowledged += [...appends, ...replaces, ...(turns.get(who) ?? [])].filter(
          ({ outcome }) => outcome === 'ok',
        ).length;
      }
      wrongs.push(
        ...judgeTurns(turns, read(turnsOf(version))).map((wrong) => `${turnsOf(version)}: ${wrong}`),
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
    for (const version of lost)
      await this.#lab.machine('client').ask(`pkill -HUP -f 'keeper.py ${folderOf(version)}/'`, { signal });
  }
}
