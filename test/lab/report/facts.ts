import { readFileSync } from 'node:fs';
import { drbdDevice, exportedFolder } from '../cluster/configuration.ts';
import type { Lab } from '../machines/lab.ts';
import type { Machine } from '../machines/machine.ts';

const onNode: [title: string, command: string][] = [
  ['crm_mon', 'crm_mon -1rfn'],
  ['DRBD', 'cat /proc/drbd'],
  ['mounts', `grep -E "${drbdDevice}|/var/lib/nfs|${exportedFolder}|nfsd" /proc/mounts`],
  ['exports', 'exportfs -v'],
  ['nfsd threads', 'cat /proc/fs/nfsd/threads'],
  [
    'who uses them',
    `for folder in ${exportedFolder} /var/lib/nfs; do mountpoint -q $folder && fuser -vm $folder 2>&1; done`,
  ],
  [
    'log of Pacemaker and the agents',
    "journalctl -b --no-pager -o short-precise | grep -E 'pacemaker|tsha|ocf|drbd|nfs|rpc|statd|Filesystem|IPaddr2' | grep -vE 'schedulerd.*(info|Actions)' | tail -n 40 | cut -c 1-300",
  ],
];

const onClient: [title: string, command: string][] = [
  ['last lines of its journals', 'cd /root/lab && tail -n 2 *-nfsv* 2>/dev/null'],
  ['kernel log', 'dmesg | tail -n 12'],
];

/** What a person wants to see first when something went wrong; never waits long, and never fails itself. */
export async function gatherFacts(lab: Lab): Promise<string> {
  const sections = await Promise.all(
    lab.all.map(async (machine) => {
      const facts = await factsOf(machine, lab.nodes.includes(machine) ? onNode : onClient);
      return `\n===== ${machine.name} =====\n${facts}`;
    }),
  );
  return sections.join('\n');
}

async function factsOf(machine: Machine, questions: [string, string][]): Promise<string> {
  const signal = AbortSignal.timeout(30_000);
  try {
    if ((await machine.ask('echo here', { signal, timeout: 10_000 })) !== 'here') return consoleOf(machine);
    const answers: string[] = [];
    for (const [title, command] of questions)
      answers.push(
        `--- ${title}\n${await machine.ask(`timeout 10 sh -c '${command.replaceAll("'", `'\\''`)}'; true`, { signal })}`,
      );
    return answers.join('\n');
  } catch {
    return consoleOf(machine);
  }
}

function consoleOf({ pid, logFile }: Machine): string {
  if (!pid) return 'is not running';
  try {
    return `does not answer; the end of its console:\n${readFileSync(logFile, 'utf8').split('\n').slice(-20).join('\n')}`;
  } catch {
    return 'does not answer, and wrote nothing to its console';
  }
}
