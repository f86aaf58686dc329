import type { Params } from '../../lib/contract/params.ts';
import type { params } from './params.ts';
import { directoriesIn, fsidIn, splitOptions } from './wanted.ts';

/** Whether a path below a directory leads nowhere else; a stop asks again, for it goes on with what the rules refuse. */
export const staysBelow = (path: string): boolean => !path.startsWith('/') && !path.split('/').includes('..');

/** What no host could export. Directories are not looked at: their filesystem may not be mounted yet. */
export function rules({
  clientspec,
  options = '',
  directory,
  fsid,
  rmtab_backup,
}: Params<typeof params>): string[] {
  const problems: string[] = [];
  const directories = directoriesIn(directory);
  const numbered = fsid ?? fsidIn(splitOptions(options));
  if (/\s/.test(clientspec))
    problems.push(`clientspec "${clientspec}" must be one client: make a resource for each`);
  if (/[()]/.test(clientspec)) problems.push(`clientspec "${clientspec}" must not carry options`);
  if (/[\s()]/.test(options)) problems.push(`options "${options}" must not contain blanks or parentheses`);
  for (const path of directories)
    if (!path.startsWith('/')) problems.push(`directory ${path} is not an absolute path`);
  if (fsid !== undefined && /[\s,()]/.test(fsid))
    problems.push(`fsid "${fsid}" must not contain a comma or blanks`);
  if (directories.length > 1 && numbered !== undefined && !/^\d+$/.test(numbered))
    problems.push(`fsid "${numbered}" must be a decimal number to count on from for several directories`);
  if (!staysBelow(rmtab_backup))
    problems.push(`rmtab_backup "${rmtab_backup}" must be a path inside the exported directory`);
  return problems;
}
