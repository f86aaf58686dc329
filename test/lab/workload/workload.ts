import { setTimeout as sleep } from 'node:timers/promises';
import { exportedFolder } from '../cluster/configuration.ts';
import type { Lab } from '../machines/lab.ts';
import { labFolder, type NodeName, serviceAddress } from '../settings.ts';
import { type Attempt, parseJournal } from './journal.ts';

export const protocols = ['NFSv4.2', 'NFSv3'] as const;
export type Protocol = (typeof protocols)[number];

/** Hard mounts with locking. `timeo` is what a client needs to notice the death of a server within seconds, not minutes. */
export const mountOptions = 'proto=tcp,hard,timeo=50,retrans=2';
export const mounts: Record<Protocol, { folder: string; options: string; path: string }> = {
  'NFSv4.2': { folder: '/mnt/v4', options: `vers=4.2,${mountOptions}`, path: '/' },
  NFSv3: { folder: '/mnt/v3', options: `vers=3,${mountOptions}`, path: exportedFolder },
};

const programs = { writer: 'client', holder: 'client', rival: 'rival' } as const;
export type Program = keyof typeof programs;

export const slug = (protocol: Protocol): string => protocol.toLowerCase();
export const recordsFile = (protocol: Protocol): string => `records-${slug(protocol)}`;
export const lockFile = (protocol: Protocol): string => `lock-${slug(protocol)}`;
const journalFile = (program: Program, protocol: Protocol): string =>
  `/root/lab/${program}-${slug(protocol)}`;

/** Two client machines at work: one writes and holds locks over both protocols, the other wants those locks. */
export class Workload {
  readonly #lab: Lab;

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  async mount(signal: AbortSignal): Promise<void> {
    await Promise.all(
      (['client', 'rival'] as const).map(async (name) => {
        for (const { folder, options, path } of Object.values(mounts)) {
          const target = `${serviceAddress}:${path}`;
          await this.#lab
            .machine(name)
            .run(`mkdir -p ${folder} && mount -t nfs -o ${options} ${target} ${folder}`, { signal });
        }
      }),
    );
  }

  async start(signal: AbortSignal): Promise<void> {
    for (const protocol of protocols) {
      await this.#launch('writer', protocol, recordsFile(protocol), signal);
      await this.#launch('holder', protocol, lockFile(protocol), signal);
    }
    await this.#active(['writer', 'holder'], 0, signal);
    for (const protocol of protocols) await this.#launch('rival', protocol, lockFile(protocol), signal);
    await this.allActive(0, signal);
  }

  async #launch(program: Program, protocol: Protocol, file: string, signal: AbortSignal): Promise<void> {
    const script = `/root/lab/${program}.py`;
    const target = `${mounts[protocol].folder}/${file}`;
    const command = `setsid python3 ${script} ${target} ${journalFile(program, protocol)} > ${journalFile(program, protocol)}.log 2>&1 < /dev/null &`;
    await this.#lab.machine(programs[program]).run(command, { signal });
  }

  /** Every program has finished an attempt that it began after a moment. */
  async allActive(since: number, signal: AbortSignal): Promise<void> {
    await this.#active(['writer', 'holder', 'rival'], since, signal);
  }

  /** Every lock has been used, by a client that needs no other's answer for it. */
  async holding(since: number, signal: AbortSignal): Promise<void> {
    await this.#active(['holder'], since, signal);
  }

  async #active(names: Program[], since: number, signal: AbortSignal): Promise<void> {
    const waiting = protocols.flatMap((protocol) => names.map((program) => ({ program, protocol })));
    await Promise.all(
      waiting.map(async ({ program, protocol }) => {
        const tail = `tail -n 1 ${journalFile(program, protocol)}`;
        for (;;) {
          const answer = await this.#lab.machine(programs[program]).ask(tail, { signal });
          const [last] = parseJournal(`${answer}\n`);
          if (last && last.start > since) return;
          await sleep(500, undefined, { signal });
        }
      }),
    );
  }

  async journal(program: Program, protocol: Protocol, signal: AbortSignal): Promise<Attempt[]> {
    const text = await this.#lab
      .machine(programs[program])
      .run(`cat ${journalFile(program, protocol)}`, { signal });
    return parseJournal(`${text}\n`);
  }

  /** The records as they are on the active node's disk, whatever any client believes. */
  async recordsOn(node: NodeName, protocol: Protocol, signal: AbortSignal): Promise<string> {
    return await this.#lab.machine(node).run(`cat ${exportedFolder}/${recordsFile(protocol)}`, { signal });
  }

  /** Whether the active node's kernel knows of a lock on the file. */
  async lockKnownTo(node: NodeName, protocol: Protocol, signal: AbortSignal): Promise<boolean> {
    const inode = `$(stat -c %i ${exportedFolder}/${lockFile(protocol)})`;
    const answer = await this.#lab
      .machine(node)
      .ask(`grep -c " POSIX .* WRITE .*:${inode} " /proc/locks`, { signal });
    return Number(answer) > 0;
  }

  /** What the clients' kernels say about locks or open files they could not get back. */
  async kernelComplaints(signal: AbortSignal): Promise<string[]> {
    const pattern = 'reclaim failed|failed to reclaim|lost .*lock|state manager.*failed|unhandled error';
    const answers = await Promise.all(
      (['client', 'rival'] as const).map(async (name) => {
        const text = await this.#lab.machine(name).ask(`dmesg | grep -E '${pattern}' || true`, { signal });
        return text
          .split('\n')
          .filter(Boolean)
          .map((line) => `${name}: ${line}`);
      }),
    );
    return answers.flat();
  }
}

export const workloadFolder = `${labFolder}/workload`;
