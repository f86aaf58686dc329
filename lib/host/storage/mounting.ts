import { commandLine, type Host } from '../host.ts';
import { usersOf } from '../host-daemons.ts';
import { isAbsence, listIfThere, readIfThere, targetIfThere, undeleted } from '../local-files.ts';
import { type ProcessIdentity, processIds, processName } from '../process-table.ts';
import { parseStat } from '../sys/process-stat.ts';
import { numberOf } from './block-devices.ts';
import { mounts, tidyPath } from './mounts.ts';

// SIGKILL does not reach mount(8) in the kernel: it dies there when it has mounted. Until then the mount table shows nothing of it.

/** What a mount is for: the texts that its command names, and block devices by number. */
export type Aim = {
  /** Mount points, by whatever path. */
  readonly directories: readonly string[];
  /** The source as mount(8) is told it: it decides where the mount point is an open directory of a process that is gone. */
  readonly source?: string;
  /** Of what umount and fsck may be told instead of a directory; as they are asked for: a name may lead nowhere by now. */
  readonly sources?: readonly string[];
  readonly numbers?: readonly string[];
  /** umount(8) as well, of a disk, whose data is on it only when that has ended. */
  readonly unmounts?: boolean;
  /** The resource whose own fsck counts, too: not one that somebody runs by hand. */
  readonly instance?: string;
};

export type Mounting = ProcessIdentity & {
  readonly program: string;
  readonly command: string;
  readonly state: string;
};

/**
 * Processes of root's, in our mount namespace, that are mount(8) or a helper of it and are still at work for one of these. By real
 * user, so that nobody else can bring it about with a setuid program, and by what has been executed, not by what it calls itself.
 * Throws `Failure` where that cannot be found out. Who asks looks at the mount table afterwards: it may have ended by then.
 */
export async function mountingFor(host: Host, aim: Aim): Promise<readonly Mounting[]> {
  const programs = aim.unmounts ? /^u?mount(\..+)?$/ : /^mount(\..+)?$/;
  const directories = aim.directories.map(tidyPath);
  const found: Mounting[] = [];
  for (const pid of await processIds(host)) {
    const program = await programOf(host, pid);
    if (program === undefined) continue;
    const isCheck = aim.instance !== undefined && program.includes('fsck');
    if (!isCheck && !programs.test(program)) continue;
    if ((await usersOf(host, pid))[0] !== 0) continue;
    const words = await wordsIn(host, `/proc/${pid}/cmdline`);
    // mount(8) of the same disk on another directory is another resource's, as of another subvolume
    const isByDisk = !program.startsWith('mount');
    const isFor = (word: string) =>
      (isByDisk && aim.sources?.includes(word)) ||
      (word.startsWith('/') &&
        (directories.includes(tidyPath(word)) ||
          (isByDisk && leadsTo(host, word, aim)) ||
          (isPinned.test(word) && pinnedFor(host, word, directories, aim.source, words))));
    if (!(await anyOf(words.slice(1), isFor)) || !(await isHere(host, pid))) continue;
    if (
      isCheck &&
      !(await wordsIn(host, `/proc/${pid}/environ`)).includes(`OCF_RESOURCE_INSTANCE=${aim.instance}`)
    )
      continue;
    const stat = parseStat((await readIfThere(host, `/proc/${pid}/stat`)) ?? '');
    if (!stat || (program !== 'mount' && (await isDriver(host, pid)))) continue;
    const { state, startTime } = stat;
    found.push({ pid, startTime, program, command: commandLine(words).trim(), state });
  }
  return found;
}

/** `mount (pid 4711) of a start before this is still in the kernel, state D: mount -t btrfs /dev/sdb1 /srv` */
export const describeMounting = ({ program, pid, state, command }: Mounting): string =>
  `${program} (pid ${pid}) of a ${program.startsWith('umount') ? 'stop' : 'start'} before this is still in the kernel, state ${state}: ${command.slice(0, longestCommand)}`;

const longestCommand = 120;

/** The name of what a process executes; `undefined` of a thread of the kernel, and of one that has ended. */
async function programOf(host: Host, pid: number): Promise<string | undefined> {
  const exe = await host.sys
    .target(`/proc/${pid}/exe`)
    .catch((error: unknown) => (isAbsence(error) ? undefined : ''));
  // in a container without the right to look there
  if (exe === '') return processName(host, pid);
  return exe === undefined ? undefined : undeleted(exe).split('/').at(-1);
}

/** Words that end with a NUL each. */
const wordsIn = async (host: Host, file: string): Promise<readonly string[]> =>
  ((await readIfThere(host, file)) ?? '').split('\0');

async function anyOf(
  words: readonly string[],
  is: (word: string) => boolean | undefined | Promise<boolean>,
): Promise<boolean> {
  for (const word of words) if (await is(word)) return true;
  return false;
}

const isPinned = /^\/proc\/\d+\/fd\/\d+(?:\/\.)?$/;

/** What file-jobs' `mountAt` gives to mount(8) leads to the directory as long as the child that holds it lives. */
async function pinnedFor(
  host: Host,
  word: string,
  directories: readonly string[],
  source: string | undefined,
  words: readonly string[],
): Promise<boolean> {
  const place = await targetIfThere(host, word.replace(/\/\.$/, ''));
  if (place !== undefined) return directories.includes(place);
  return source !== undefined && words.includes(source);
}

async function leadsTo(host: Host, path: string, { numbers = [] }: Aim): Promise<boolean> {
  if (numbers.length === 0 || !path.startsWith('/dev/')) return false;
  return numbers.includes((await numberOf(host, path, await mounts(host))) ?? '');
}

const isHere = async (host: Host, pid: number): Promise<boolean> => {
  const [there, here] = await Promise.all(
    [pid, 'self'].map((one) => targetIfThere(host, `/proc/${one}/ns/mnt`)),
  );
  return there !== undefined && there === here;
};

/** Some helpers stay as the driver of what they have mounted; a disk that one has open is looked at elsewhere. */
async function isDriver(host: Host, pid: number): Promise<boolean> {
  const descriptors = await listIfThere(host, `/proc/${pid}/fd`);
  return anyOf(
    descriptors,
    async (fd) => (await targetIfThere(host, `/proc/${pid}/fd/${fd}`)) === '/dev/fuse',
  );
}
