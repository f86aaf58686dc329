import type { Host } from './host.ts';

/** Where the distributions keep resource-agents' helper programs. */
const dirs = ['/usr/libexec/heartbeat', '/usr/lib/heartbeat', '/usr/lib64/heartbeat'];

/** The path of a helper program such as `send_arp`; `undefined` when the host has none. */
export async function heartbeatProgram({ sys }: Host, name: string): Promise<string | undefined> {
  for (const dir of [sys.env['HA_BIN'] ?? '', ...dirs])
    if (dir !== '' && (await sys.has(`${dir}/${name}`))) return `${dir}/${name}`;
  return undefined;
}
