import { missingDaemons } from '../../lib/host/nfs/daemons.ts';
import { nfsdThreads } from '../../lib/host/nfs/nfsd.ts';
import { stateRoot } from '../../lib/host/nfs/state-directory.ts';
import { type Binding, binding, described } from './infodir.ts';
import { hasClaimedThread } from './instance.ts';
import type { Ctx } from './params.ts';
import { untoldClients } from './records.ts';
import type { Survey } from './survey.ts';

/** What the machine shows of this resource's server. */
export type Seen = { readonly binding: Binding } & (
  | { readonly is: 'serving' }
  /** Threads run, but something is wrong: one sentence each. */
  | { readonly is: 'broken'; readonly problems: readonly string[] }
  /** The server that runs is another resource's. */
  | { readonly is: 'others'; readonly owner: string }
  /** No threads, but the shared state is still in its place: its filesystem cannot go. */
  | { readonly is: 'bound' }
  | { readonly is: 'stopped' }
);

/** Looks at the machine, by /proc and /sys alone. */
export async function look(ctx: Ctx, survey: Survey): Promise<Seen> {
  const { host, memory } = ctx;
  const [server, bound] = await Promise.all([serverHere(ctx), binding(host, memory, survey)]);
  if (server === 'none')
    return { is: bound.is === 'ours' || bound.is === 'moved' ? 'bound' : 'stopped', binding: bound };
  const owner = await otherOwner(ctx, bound);
  if (owner !== undefined) return { is: 'others', owner, binding: bound };
  const problems = [
    ...misplaced(survey, bound),
    ...(await missingDaemons(host, survey.daemons)),
    ...(server === 'claimed' ? [] : await untoldClients(ctx, survey)),
  ];
  return problems.length > 0 ? { is: 'broken', problems, binding: bound } : { is: 'serving', binding: bound };
}

/** A server of this network namespace. A steady monitor finds the thread that it knows, and starts no process for it. */
async function serverHere({ host, memory }: Ctx): Promise<'none' | 'claimed' | 'runs'> {
  if ((await nfsdThreads(host)) === 0) return 'none';
  if (await hasClaimedThread(host, memory)) return 'claimed';
  const { ownThreads } = await import('../../lib/host/nfs/nfsd-threads.ts');
  return (await ownThreads(host)) > 0 ? 'runs' : 'none';
}

/** The other resource whose server runs and is none of our business. Most nodes have no other. */
export async function otherOwner(ctx: Ctx, binding: Binding): Promise<string | undefined> {
  const others = await ctx.memory.others();
  if (others.length === 0) return undefined;
  const { ownerBeside } = await import('./owner.ts');
  return ownerBeside(ctx, binding, others);
}

/** What an operator is told of it. */
export function sentence({ infodir }: Survey, seen: Seen): string {
  switch (seen.is) {
    case 'serving':
      return 'the NFS server runs';
    case 'broken':
      return seen.problems.join('; ');
    case 'others':
      return `the NFS server of this node is ${seen.owner}'s`;
    case 'bound':
      return `no nfsd threads, but ${seen.binding.is === 'moved' ? described(seen.binding.mount) : infodir} is still mounted on ${stateRoot}`;
    case 'stopped':
      return 'the kernel has no nfsd threads';
  }
}

function misplaced({ infodir }: Survey, bound: Binding): readonly string[] {
  if (bound.is === 'ours' || bound.is === 'unasked' || infodir === undefined) return [];
  const said = `the NFS server runs, but not with ${infodir} on ${stateRoot}`;
  switch (bound.is) {
    case 'nothing':
      return [`${said}: its state is local`];
    case 'foreign':
      return [`${said}: ${bound.mount.source} is mounted there`];
    case 'moved':
      return [`${described(bound.mount)} is on ${stateRoot}, not ${infodir}: was it renamed or removed?`];
  }
}
