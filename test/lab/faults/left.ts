import { exportedFolder } from '../cluster/configuration.ts';
import type { Run } from '../scenarios/run.ts';
import { type NodeName, peerOf, serviceAddress } from '../settings.ts';

/** Older than the longest action: it will not end by itself any more. */
const oldSeconds = 300;

const find = (what: string, command: string): string =>
  `found=$(${command}); [ -z "$found" ] || echo "${what}: $(echo $found | cut -c 1-200)";`;

const ofAgents = [
  find(
    'agents that did not end',
    `ps -eo pid=,etimes=,args= | awk '$2 > ${oldSeconds} && ($3 ~ /resource.d.tsha/ || $3 ~ /bin.tsha$/)'`,
  ),
  find('drafts', "find /run/tsha* /run/resource-agents -mmin +5 -name '*draft*' -o -mmin +5 -name '*.tmp'"),
].join(' ');

const ofService = [
  find('mounts', `grep -E ' (${exportedFolder}|/var/lib/nfs) ' /proc/self/mountinfo`),
  find('threads', 'grep -v "^0$" /proc/fs/nfsd/threads'),
  find('address', `ip -4 -o address | grep ' ${serviceAddress}/'`),
  find('exports', `exportfs -v | grep '^${exportedFolder}'`),
  find('helpers', 'pgrep -l "^(rpc.mountd|nfsdcld|rpc.statd)$"'),
].join(' ');

/** What the fault left on the nodes that nobody needs any more. */
export async function leftBehind({ lab }: Run, home: NodeName, signal: AbortSignal): Promise<string[]> {
  const ask = async (node: NodeName, commands: string): Promise<string[]> => {
    const text = await lab.machine(node).ask(`{ ${commands} } 2> /dev/null; true`, { signal });
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => `${node}: ${line}`);
  };
  const peer = peerOf(home);
  return [...(await ask(home, ofAgents)), ...(await ask(peer, `${ofAgents} ${ofService}`))];
}
