import { setTimeout as sleep } from 'node:timers/promises';
import { exportedFolder } from '../cluster/configuration.ts';
import { now, type Run } from '../scenarios/run.ts';
import { type NodeName, peerOf, serviceAddress } from '../settings.ts';

/** Seconds: longer than any monitor may take, and those are all that runs when all is well. */
const patience = 120;

/** The native program, what runs the script flavour, and the launcher's shell; none of them lives on by itself. */
const ofAgents = /\/tsha-agents |\/lib\/tsha\/|\/resource\.d\/tsha\//;

/** Where agents and their children write: each file under another name first, in its own directory (lib/host/storage/file-jobs.ts). */
const folders = `/run/tsha* /run/resource-agents /var/lib/nfs ${exportedFolder}`;

const find = (what: string, command: string): string =>
  `found=$(${command}); [ -z "$found" ] || echo "${what}: $(echo $found | cut -c 1-200)";`;

const anywhere = [
  "ps -ww -eo pid=,etimes=,args= | sed 's/^ */process /';",
  `find ${folders} -xdev \\( -name '*.tsha-*' -o -name .tsha \\) -printf 'draft: %p, inode %i\\n';`,
].join(' ');

const ofService = [
  find('mounts', `grep -E ' (${exportedFolder}|/var/lib/nfs) ' /proc/self/mountinfo`),
  find('threads', 'grep -v "^0$" /proc/fs/nfsd/threads'),
  find('address', `ip -4 -o address | grep ' ${serviceAddress}/'`),
  find('exports', `exportfs -v | grep '^${exportedFolder}'`),
  find('helpers', 'pgrep -l "^(rpc.mountd|nfsdcld|rpc.statd)$"'),
].join(' ');

/** Without it the answer was cut off. */
const end = 'end of the answer';

/** What one look at a node found, of agents those that are older; nothing when the node did not say all of it. */
export function parseLook(text: string, olderThan: number): string[] | undefined {
  const lines = text.split('\n');
  const processes = lines.flatMap((line) => {
    const [, pid, age, args = ''] = /^process (\d+) +(\d+) (.*)$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid, age: Number(age), args }];
  });
  if (processes.length === 0 || lines.at(-1) !== end) return undefined;
  return [
    ...processes
      .filter(({ age, args }) => age > olderThan && ofAgents.test(args))
      .map(({ pid, args }) => `an agent that did not end: ${pid} ${args.slice(0, 160)}`),
    ...lines.filter((line) => line !== end && line !== '' && !line.startsWith('process ')),
  ];
}

/** What a node has that nobody needs any more, as it is now; of agents those that began before a moment. */
async function lookAt(
  { lab }: Pick<Run, 'lab'>,
  node: NodeName,
  { serves, since }: { serves: boolean; since: number },
  signal: AbortSignal,
): Promise<string[] | undefined> {
  const commands = serves ? anywhere : `${anywhere} ${ofService}`;
  const text = await lab
    .machine(node)
    .ask(`{ ${commands} } 2> /dev/null; echo '${end}'`, { signal, timeout: 60_000 });
  return parseLook(text, now() - since);
}

/** Only what every look found; nothing when no look found out. */
export const inEveryLook = (looks: readonly string[][]): string[] | undefined =>
  looks[0]?.filter((one) => looks.every((look) => look.includes(one)));

interface Left {
  wrongs: string[];
  /** Nodes that did not say. */
  unseen: NodeName[];
}

/** What a fault left on the nodes: what is there still when whatever runs by right has come to its end. */
export async function leftBehind(
  run: Pick<Run, 'lab'>,
  { home, since }: { home: NodeName; since: number },
  signal: AbortSignal,
): Promise<Left> {
  const of = async (node: NodeName): Promise<string[] | undefined> => {
    const looks: string[][] = [];
    for (const until = now() + patience; ; await sleep(3000, undefined, { signal })) {
      const look = await lookAt(run, node, { serves: node === home, since }, signal);
      if (look) looks.push(look);
      const left = inEveryLook(looks);
      if (left?.length === 0 || now() > until) return left;
    }
  };
  const nodes = [home, peerOf(home)];
  const found = await Promise.all(nodes.map(of));
  return {
    wrongs: nodes.flatMap((node, index) => (found[index] ?? []).map((line) => `${node}: ${line}`)),
    unseen: nodes.filter((_, index) => found[index] === undefined),
  };
}

const planted = '/run/tsha-planted';
const plant = `mkdir -p ${planted} && touch ${planted}/a.tsha-1 ${planted}/.tsha
exec -a /usr/lib/ocf/lib/tsha/tsha-agents sleep 900 > /dev/null 2>&1 < /dev/null & echo $!`;

/** Whether a look sees what is planted there for it: an agent, and a draft of each name. */
export async function seesWhatIsPlanted(
  run: Pick<Run, 'lab'>,
  node: NodeName,
  signal: AbortSignal,
): Promise<string[]> {
  const machine = run.lab.machine(node);
  const pid = (await machine.run(`setsid bash -c '${plant}'`, { signal })).trim();
  try {
    let look: string[] | undefined;
    while (look === undefined)
      look = await lookAt(run, node, { serves: true, since: now() + patience }, signal);
    const wanted = [`did not end: ${pid} `, `${planted}/a.tsha-1,`, `${planted}/.tsha,`];
    return wanted.filter((part) => !look.some((line) => line.includes(part)));
  } finally {
    await machine.run(`kill ${pid}; rm -r ${planted}`, { signal });
  }
}
