import { setTimeout as sleep } from 'node:timers/promises';
import { peerOf, serviceAddress } from '../../settings.ts';
import { type Attempt, ofOutcome, parseJournal } from '../../workload/journal.ts';
import { mountOptions } from '../../workload/workload.ts';
import { judge } from '../judge.ts';
import { now, type Run } from '../run.ts';
import { move } from './switchovers.ts';

// A client claims again what it had open. Linux gives it a write delegation with that, whether it had one before or not, and under a
// delegation a client locks by itself and believes what it has in its cache. So the order of the claims is made what it may be by chance:
// the one that has only the file open comes first, the one that has it locked comes late.

const versions = ['4.0', '4.2'] as const;
type Version = (typeof versions)[number];

const folder = (version: Version): string => `/mnt/claims-${version}`;
const locked = 'claimed-lock';
const read = 'claimed-data';
const journalOf = (program: string, version: Version): string => `/root/lab/${program}-claims-${version}`;
const lateSeconds = 10;

const background = (command: string): string => `setsid ${command} > /dev/null 2>&1 < /dev/null &`;
const ready = (program: string, version: Version): string =>
  `until [ -s ${journalOf(program, version)}.pid ]; do sleep 0.1; done`;
const begin = (program: string, version: Version): string =>
  `kill -USR1 $(cat ${journalOf(program, version)}.pid)`;

/** Opens the file and looks at it; at USR1 it locks the file and says how long it is. */
const reader = (version: Version): string =>
  background(
    `python3 -c 'import fcntl, os, signal
fd = os.open("${folder(version)}/${read}-${version}", os.O_RDWR)
os.pread(fd, 1000, 0)
signal.signal(signal.SIGUSR1, lambda *_: None)
open("${journalOf('reader', version)}.pid", "w").write(str(os.getpid()))
signal.pause()
fcntl.lockf(fd, fcntl.LOCK_EX)
open("${journalOf('reader', version)}", "w").write("%d\\n" % len(os.pread(fd, 1000, 0)))
signal.pause()'`,
  );

/** A move in which the client with the locks comes after the one that has the same files open. */
export async function lateClaims(run: Run): Promise<void> {
  const { cluster, lab, steps, checks } = run;
  checks.begin('late claims');
  const [client, rival] = [lab.machine('client'), lab.machine('rival')];
  const active = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  const to = peerOf(active);
  await steps.run('files that one has locked and the other open', 120, async (signal) => {
    for (const version of versions) {
      const mount = `mkdir -p ${folder(version)} && mount -t nfs -o vers=${version},${mountOptions} ${serviceAddress}:/ ${folder(version)}`;
      for (const machine of [client, rival]) await machine.run(mount, { signal });
      const file = `${folder(version)}/${locked}-${version}`;
      await client.run(background(`python3 /root/lab/holder.py ${file} ${journalOf('holder', version)}`), {
        signal,
      });
      await attempted(run, 'client', 'holder', version, 0, signal);
      await rival.run(background(`python3 /root/lab/rival.py ${file} ${journalOf('rival', version)} open`), {
        signal,
      });
      await rival.run(ready('rival', version), { signal });

      const data = `${folder(version)}/${read}-${version}`;
      await rival.run(`printf 0123456789 > ${data}`, { signal });
      await rival.run(reader(version), { signal });
      await rival.run(ready('reader', version), { signal });
      await client.run(`head -c 90 /dev/zero >> ${data} && sync ${data}`, { signal });
    }
  });
  const happened = now();
  await steps.run(`${active} to ${to}; the holder of the locks comes late`, 400, async (signal) => {
    await lab.network.cut('client', 'cluster');
    try {
      await move(run, to, signal);
      for (const version of versions) await rival.run(begin('rival', version), { signal });
      await sleep(lateSeconds * 1000, undefined, { signal });
    } finally {
      await lab.network.mend('client', 'cluster');
    }
  });
  const back = now();
  for (const version of versions) {
    const lengths = await steps.run(`NFSv${version}: what is read under a new lock`, 300, async (signal) => {
      const file = journalOf('reader', version);
      await rival.run(`${begin('reader', version)}; until [ -s ${file} ]; do sleep 0.3; done`, { signal });
      return (await rival.run(`cat ${file}`, { signal })).trim();
    });
    checks.add(
      `NFSv${version}: a client reads under its lock what others wrote before the move`,
      lengths === '100',
      `${lengths} of 100 bytes`,
    );
    const [holds, tries] = await steps.run(`NFSv${version}: the lock`, 300, async (signal) => {
      await attempted(run, 'client', 'holder', version, back, signal);
      await attempted(run, 'rival', 'rival', version, now(), signal);
      return [
        await attempts(run, 'client', 'holder', version, signal),
        await attempts(run, 'rival', 'rival', version, signal),
      ] as const;
    });
    const stolen = ofOutcome(tries, 'stolen').map(({ end }) => `${(end - happened).toFixed(1)} s`);
    const errors = ofOutcome([...holds, ...tries], 'error').map(({ message }) => message);
    checks.add(
      `NFSv${version}: who claims late keeps his lock, who has only the file open never gets it`,
      stolen.length === 0 && errors.length === 0 && ofOutcome(tries, 'refused').length > 1,
      [
        `refused ${ofOutcome(tries, 'refused').length} times`,
        ...(stolen.length > 0 ? [`stolen ${stolen.length} times, first after ${stolen[0]}`] : []),
        ...errors.slice(0, 1),
      ].join('; '),
    );
  }
  await steps.run('their programs end', 60, async (signal) => {
    for (const machine of [client, rival]) {
      await machine.run('pkill -f claims-[4]', { signal });
      await machine.run(`umount ${versions.map(folder).join(' ')}`, { signal });
    }
    // Of NFSv4.0 the rival's kernel learns of the restart by the lock that it asks for, and calls that one lost.
    await rival.run('dmesg -C', { signal });
  });
  await judge(run, to, happened, 'late claims');
}

async function attempts(
  { lab }: Run,
  machine: 'client' | 'rival',
  program: string,
  version: Version,
  signal: AbortSignal,
): Promise<Attempt[]> {
  const text = await lab.machine(machine).ask(`cat ${journalOf(program, version)}`, { signal });
  return parseJournal(`${text}\n`);
}

/** Waits for an attempt that began after a moment. */
async function attempted(
  run: Run,
  machine: 'client' | 'rival',
  program: string,
  version: Version,
  since: number,
  signal: AbortSignal,
): Promise<void> {
  while (((await attempts(run, machine, program, version, signal)).at(-1)?.start ?? 0) <= since)
    await sleep(300, undefined, { signal });
}
