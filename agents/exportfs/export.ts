import { Failure } from '../../lib/contract/outcome.ts';
import { commandFailure, commandLine, type Host } from '../../lib/host/host.ts';
import { exportArgument } from '../../lib/host/nfs/client-spec.ts';
import type { Ctx } from './params.ts';
import type { SeenDirectory } from './seen-directory.ts';

/**
 * Exports a directory, also one that is exported already: exportfs then puts the new line in the old one's place, in one step and
 * under its own lock, and nothing of the old options is left. Clients keep their mounts and see no moment without the export.
 * Returns the client as exportfs calls it, a host by its canonical name. Throws `Failure` with exportfs' own words.
 */
export async function exportDirectory(
  { host, log }: Ctx,
  client: string,
  { path, options }: SeenDirectory,
): Promise<string> {
  const chosen = options.length > 0 ? ['-o', options.join(',')] : [];
  // -i: nothing from /etc/exports, neither its options nor its errors, nor a wait for DNS about its hosts
  const argv = ['exportfs', '-v', '-i', ...chosen, exportArgument(client, path)] as const;
  const output: Awaited<ReturnType<Host['tryRun']>> = await host.tryRun(argv);
  const words = output.stderr.split('\n').filter(Boolean).join('; ');
  if (output.code !== 0) {
    if (output.hung || output.missing || words === '') throw commandFailure(argv, output);
    throw new Failure('failed', `${words} (${commandLine(argv)})`);
  }
  // a host without an address, for one, is no failure to exportfs: it ends with 0 and has exported nothing
  const name = exportedClient(output.stdout, path);
  if (name === undefined)
    throw new Failure('failed', `${words || 'exportfs ended well'}, but it did not export ${path}`);
  log.info(`${commandLine(argv)}: ${[output.stdout.trim(), words].filter(Boolean).join('; ')}`);
  return name;
}

/** `exporting full.example.com:/srv/a`: the client, an IPv6 address without brackets, and the path. */
function exportedClient(said: string, path: string): string | undefined {
  const [begin, end] = ['exporting ', `:${path}`];
  const line = said.split('\n').find((one) => one.startsWith(begin) && one.endsWith(end));
  return line?.slice(begin.length, -end.length);
}
