import type { Params } from '../../lib/contract/params.ts';
import { tidyPath } from '../../lib/host/storage/mounts.ts';
import { readSeconds, readSignals } from './force.ts';
import type { params } from './params.ts';

/** What is wrong with the parameters on any host. */
export function rules(given: Params<typeof params>): readonly string[] {
  const { device, directory, signal_delay } = given;
  const wrong: string[] = [];
  if (device !== device.trim()) wrong.push(`device "${device}" begins or ends with white space`);
  if (directory !== directory.trim()) wrong.push(`directory "${directory}" begins or ends with white space`);
  if (!directory.trim().startsWith('/')) wrong.push(`directory "${directory}" is not an absolute path`);
  else if (tidyPath(directory.trim()) === '/')
    wrong.push('directory is /, the root of this node: it cannot be a resource');
  if (given.statusfile_prefix.split('/').includes('..'))
    wrong.push(`statusfile_prefix="${given.statusfile_prefix}" leads out of the filesystem`);
  for (const name of ['term_signals', 'kill_signals'] as const)
    if (readSignals(given[name]).includes(undefined))
      wrong.push(`${name}="${given[name]}" names a signal that does not exist`);
  if (readSeconds(signal_delay) === undefined)
    wrong.push(`signal_delay="${signal_delay}" is not a number of seconds`);
  return wrong;
}
