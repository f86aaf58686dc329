import { setTimeout as sleep } from 'node:timers/promises';
import { exportedFolder } from '../cluster/configuration.ts';
import type { Lab } from '../machines/lab.ts';
import { type MachineName, type NodeName, serviceAddress } from '../settings.ts';
import { type Attempt, ofOutcome, parseJournal } from './journal.ts';
import { lockFile, mounts, type Protocol, recordsFile, slug } from './workload.ts';

/** What a user wants of a server: to go on writing; something new, as a client that was there before; to come for the first time. */
export const wishes = ['write', 'open', 'create', 'lock', 'mount'] as const;
export type Wish = (typeof wishes)[number];

/** Which clients there are. */
export type Clients = {
  readonly name: string;
  readonly protocols: readonly Protocol[];
  /** Whether clients of NFSv3 hold locks; without, nobody of NFSv3 is on record. */
  readonly v3Locks: boolean;
};

export const clientsOfAllKinds: readonly Clients[] = [
  { name: 'NFSv4.2 only', protocols: ['NFSv4.2'], v3Locks: false },
  { name: 'NFSv3 only, no lock', protocols: ['NFSv3'], v3Locks: false },
  { name: 'NFSv3 only', protocols: ['NFSv3'], v3Locks: true },
  { name: 'both, no NFSv3 lock', protocols: ['NFSv4.2', 'NFSv3'], v3Locks: false },
  { name: 'both', protocols: ['NFSv4.2', 'NFSv3'], v3Locks: true },
];

/** Whose locks are kept or lost. */
export const lockers = ({ protocols, v3Locks }: Clients): readonly Protocol[] =>
  protocols.filter((protocol) => protocol !== 'NFSv3' || v3Locks);

/** An attempt that takes longer has waited for the server, not for a busy machine. */
const slowSeconds = 1;

/**
 * When a wish came true again, seconds after `happened`: with the first success that ends all trouble. Trouble is an attempt that failed, or
 * had to wait: the one that was under way at the event may end well before those begun after it do. `undefined` where nothing has
 * succeeded since.
 */
export function grantedAfter(attempts: readonly Attempt[], happened: number): number | undefined {
  const since = attempts.filter(({ end }) => end >= happened);
  const isSlow = ({ start, end }: Attempt) => end - start > slowSeconds;
  const last = since.findLastIndex((attempt) => attempt.outcome !== 'ok' || isSlow(attempt));
  const granted = since.slice(Math.max(0, last)).find(({ outcome }) => outcome === 'ok');
  return granted && granted.end - happened;
}

const journals = '/root/lab/wish';
const pids = '/root/lab/pids';
/** Files to open, one after another. */
const there = 2000;

/** The client, the rival and the newcomer at work for one event: all of it is made anew for the next. */
export class Wishes {
  readonly #lab: Lab;
  readonly clients: Clients;

  constructor(lab: Lab, clients: Clients) {
    this.#lab = lab;
    this.clients = clients;
  }

  /** On the node that serves: what the wishes are about. Whoever was on record for NFSv3 is forgotten where nobody is to be. */
  async furnish(active: NodeName, signal: AbortSignal): Promise<void> {
    const { protocols, v3Locks } = this.clients;
    const made = protocols.map(
      (protocol) =>
        `mkdir -p made-${slug(protocol)}; touch lock-${slug(protocol)}; rm -f ../${recordsFile(protocol)} ../${lockFile(protocol)}`,
    );
    await this.#lab
      .machine(active)
      .run(
        [
          `mkdir -p ${exportedFolder}/wishes/there && cd ${exportedFolder}/wishes`,
          `[ -e there/${there} ] || (cd there && seq 0 ${there} | xargs touch)`,
          ...made,
          'sync',
        ].join('\n'),
        { signal },
      );
    await this.#asRoot('newcomer', 'modprobe -q nfsv4; modprobe -q nfsv3; systemctl start rpc-statd', signal);
    if (!v3Locks) await this.forgetRecords(active, signal);
  }

  /** lockd and statd forget a client that they hear nothing of, in time. */
  async forgetRecords(active: NodeName, signal: AbortSignal): Promise<void> {
    await this.#asRoot(
      active,
      'rm -f /var/lib/nfs/sm/* /var/lib/nfs/sm.bak/* /var/lib/nfs/sm.tsha/* /var/lib/nfs/sm.told/*',
      signal,
    );
  }

  async start(signal: AbortSignal): Promise<void> {
    const { protocols } = this.clients;
    await Promise.all(
      (['client', 'rival'] as const).map(async (machine) => {
        for (const protocol of protocols) {
          const { folder, options, path } = mounts[protocol];
          await this.#asRoot(
            machine,
            `mkdir -p ${folder}; mountpoint -q ${folder} || mount -t nfs -o ${options} ${serviceAddress}:${path} ${folder}`,
            signal,
          );
        }
      }),
    );
    await this.#asRoot('client', `rm -f ${journals}-*`, signal);
    await this.#asRoot('rival', `rm -f ${journals}-*`, signal);
    for (const protocol of protocols) {
      const { folder } = mounts[protocol];
      const mine = `${journals}-${slug(protocol)}`;
      // a lone writer gets a delegation: its locks never come to the server
      await this.#launch(
        'rival',
        `sh -c 'exec 9<>${folder}/wishes/lock-${slug(protocol)}; exec sleep 1000000'`,
        signal,
      );
      await this.#launch(
        'client',
        `python3 /root/lab/writer.py ${folder}/${recordsFile(protocol)} ${mine}-write`,
        signal,
      );
      await this.#launch('client', `python3 /root/lab/wishes.py ${folder} ${slug(protocol)} ${mine}`, signal);
    }
    for (const protocol of lockers(this.clients)) {
      const file = `${mounts[protocol].folder}/${lockFile(protocol)}`;
      await this.#launch(
        'client',
        `python3 /root/lab/holder.py ${file} ${journals}-${slug(protocol)}-holder`,
        signal,
      );
      await this.#since('client', `${slug(protocol)}-holder`, 0, signal);
      await this.#launch(
        'rival',
        `python3 /root/lab/rival.py ${file} ${journals}-${slug(protocol)}-rival`,
        signal,
      );
    }
    await this.granted(['write', 'open', 'create'], 0, signal);
  }

  /** From now on the client wants locks that it had not. */
  async go(signal: AbortSignal): Promise<void> {
    const gates = this.clients.protocols.map((protocol) => `${journals}-${slug(protocol)}-go`);
    await this.#asRoot('client', `touch ${gates.join(' ')}`, signal);
  }

  /** Not before the old server is gone: a client that it knew and that does not come back would hold up the grace period. */
  async come(signal: AbortSignal): Promise<void> {
    const mine = (protocol: Protocol) => {
      const { options, path } = mounts[protocol];
      const folder = `/mnt/new-${slug(protocol)}`;
      return `mkdir -p ${folder}; rm -f ${journals}-${slug(protocol)}-mount; ${detached(`python3 /root/lab/newcomer.py ${serviceAddress}:${path} ${folder} ${options} ${journals}-${slug(protocol)}-mount`)}`;
    };
    await this.#asRoot('newcomer', this.clients.protocols.map(mine).join('\n'), signal);
  }

  /** Every one of these wishes has come true in an attempt that began after a moment. */
  async granted(which: readonly Wish[], since: number, signal: AbortSignal): Promise<void> {
    await Promise.all(
      this.clients.protocols.flatMap((protocol) =>
        which.map((wish) =>
          this.#since(
            machineOf(wish),
            `${slug(protocol)}-${wish}`,
            // the newcomer comes once
            wish === 'mount' ? 0 : since,
            signal,
          ),
        ),
      ),
    );
  }

  async #since(machine: MachineName, journal: string, since: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      const answer = await this.#lab.machine(machine).ask(`tail -n 1 ${journals}-${journal}`, { signal });
      const [last] = parseJournal(`${answer}\n`);
      if (last && last.start > since && last.outcome === 'ok') return;
      await sleep(400, undefined, { signal });
    }
  }

  async journal(
    protocol: Protocol,
    what: Wish | 'holder' | 'rival',
    signal: AbortSignal,
  ): Promise<Attempt[]> {
    const machine = what === 'holder' ? 'client' : what === 'rival' ? 'rival' : machineOf(what);
    const file = `${journals}-${slug(protocol)}-${what}`;
    return parseJournal(`${await this.#lab.machine(machine).ask(`cat ${file}`, { signal })}\n`);
  }

  /** What became of a lock since a moment: of use is only what the other client's machine was told. */
  async fateOf(protocol: Protocol, since: number, signal: AbortSignal) {
    const holder = await this.journal(protocol, 'holder', signal);
    const rival = (await this.journal(protocol, 'rival', signal)).filter(({ end }) => end >= since);
    return {
      errors: holder.filter(({ outcome, end }) => outcome !== 'ok' && end >= since),
      stolen: ofOutcome(rival, 'stolen'),
      refused: ofOutcome(rival, 'refused'),
    };
  }

  /** All programs end, and what is mounted goes: for the next event every client is as new. */
  async stop(signal: AbortSignal): Promise<void> {
    const endAll = `[ ! -e ${pids} ] || { xargs -r kill -KILL < ${pids}; rm ${pids}; }; sleep 0.5`;
    const leave = this.clients.protocols.map(
      (protocol) => `timeout 20 umount ${mounts[protocol].folder} || umount -f -l ${mounts[protocol].folder}`,
    );
    const gone = this.clients.protocols.map((protocol) => `umount -f -l /mnt/new-${slug(protocol)}`);
    await Promise.all([
      this.#asRoot('client', [endAll, ...leave, 'true'].join('; '), signal),
      this.#asRoot('rival', [endAll, ...leave, 'true'].join('; '), signal),
      this.#asRoot('newcomer', [endAll, ...gone, 'true'].join('; '), signal),
    ]);
  }

  async #launch(machine: MachineName, command: string, signal: AbortSignal): Promise<void> {
    await this.#asRoot(machine, detached(command), signal);
  }

  async #asRoot(machine: MachineName, command: string, signal: AbortSignal): Promise<void> {
    await this.#lab.machine(machine).run(command, { signal });
  }
}

const detached = (command: string): string =>
  `setsid ${command} > /dev/null 2>&1 < /dev/null & echo $! >> ${pids}`;
const machineOf = (wish: Wish): MachineName => (wish === 'mount' ? 'newcomer' : 'client');
