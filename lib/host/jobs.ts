import * as clients from './nfs/client-list.ts';
import * as nsm from './nfs/nsm-jobs.ts';
import * as state from './nfs/state-jobs.ts';
import type { Job, OpenDirectory, RunTool, Trouble } from './storage/file-jobs.ts';
import * as files from './storage/file-jobs.ts';
import type { Anchored } from './sys/directory.ts';

/** Every piece of work below a directory of others', by the name that a child of ours is asked for it. */
export const jobs = {
  readFile: files.readFile,
  replaceFile: files.replaceFile,
  writeFile: files.writeFile,
  appendFile: files.appendFile,
  createFile: files.createFile,
  removeFile: files.removeFile,
  follow: files.follow,
  mountAt: files.mountAt,
  writeAndRead: files.writeAndRead,
  keep: nsm.keep,
  retire: nsm.retire,
  hasRetiredSince: nsm.hasRetiredSince,
  waiting: nsm.waiting,
  settle: nsm.settle,
  readNsmState: nsm.readState,
  advance: nsm.advance,
  furnish: state.furnish,
  furnishStatd: state.furnishStatd,
  furnishBoth: state.furnishBoth,
  prepareNotify: state.prepareNotify,
  giveRoom: state.giveRoom,
  markOrderly: state.markOrderly,
  takeRoom: state.takeRoom,
  changeClientList: clients.changeClientList,
} satisfies { readonly [name: string]: Job };

export type Jobs = typeof jobs;
export type JobName = keyof Jobs;
/** What a job is asked, and what it answers. */
export type Ask<Name extends JobName> =
  Parameters<Jobs[Name]> extends [unknown, infer A, ...unknown[]] ? A : Record<string, never>;
export type Answer<Name extends JobName> = ReturnType<Jobs[Name]>;

/** What a child of ours is told on its standard input, as JSON. */
export type Order = Anchored & {
  readonly job: JobName;
  readonly ask: unknown;
};

/** What it says on its standard output. */
export type Told = { readonly answer: unknown } | Trouble;

/** Does the work; never throws. */
export function perform({ job, ask, ...place }: Order, open: OpenDirectory, run: RunTool): Told {
  try {
    const work = jobs[job] as Job<unknown>;
    return { answer: work(files.existing(place, open), ask, run, open) ?? null };
  } catch (error) {
    return files.troubleOf(error);
  }
}
