import type { Host } from '../../lib/host/host.ts';
import { readIfThere } from '../../lib/host/local-files.ts';

export type Corosync = {
  readonly name: string | null;
  readonly nodes: number;
  readonly twoNode: boolean;
  /** A quorum device votes beside the nodes; it and two_node exclude each other. */
  readonly hasDevice: boolean;
  readonly waitForAll: boolean | null;
  /** Milliseconds until a silent node is missed, and until the others agree that it is gone. */
  readonly token: number;
  readonly consensus: number;
};

/** Null without corosync.conf. */
export const lookAtCorosync = async (host: Host): Promise<Corosync | null> =>
  readCorosync(await readIfThere(host, '/etc/corosync/corosync.conf'));

/** Of corosync 3.1, in milliseconds. */
const defaultToken = 3000;

function readCorosync(text: string | undefined): Corosync | null {
  if (text === undefined) return null;
  const lines = text.replace(/^[ \t]*#.*$/gm, '');
  const value = (key: string) => new RegExp(`^[ \\t]*${key}:[ \\t]*(\\S+)`, 'm').exec(lines)?.[1];
  const twoNode = value('two_node') === '1';
  const waits = value('wait_for_all');
  const token = Number(value('token')) || defaultToken;
  return {
    name: value('cluster_name') ?? null,
    nodes: [...lines.matchAll(/^[ \t]*node\s*\{/gm)].length,
    twoNode,
    hasDevice: /^[ \t]*device\s*\{/m.test(lines),
    waitForAll: waits === undefined ? (twoNode ? true : null) : waits === '1',
    token,
    consensus: Number(value('consensus')) || 1.2 * token,
  };
}
