import { Failure, type Health, notRunning, type Report } from '../../lib/contract/outcome.ts';
import type { Ctx } from './params.ts';
import { look, sentence } from './seen.ts';
import { type Survey, survey } from './survey.ts';

/** Serving wholly, or not at all; anything between must be stopped before it can be started anywhere. */
export async function monitor(ctx: Ctx): Promise<Health | Report> {
  const facts = await survey(ctx.host, ctx.params);
  const seen = await look(ctx, facts);
  switch (seen.is) {
    case 'serving':
      if (ctx.request.depth > 0) await requireAnswers(ctx, facts);
      if (!ctx.request.probe) await (await import('./look-around.ts')).lookAround(ctx);
      else if (!ctx.request.byPacemaker) await (await import('./delegations.ts')).allowAfterGrace(ctx);
      return 'ok';
    case 'broken':
    case 'bound':
      throw new Failure('failed', sentence(facts, seen));
    case 'stopped':
      await requireStopped(ctx, facts);
      if (ctx.request.probe) await prepareFirstStart(ctx, facts);
      return notRunning(sentence(facts, seen));
    case 'others':
      return notRunning(sentence(facts, seen));
  }
}

async function requireAnswers(ctx: Ctx, facts: Survey): Promise<void> {
  const { unanswered } = await import('./service-check.ts');
  const silent = await unanswered(ctx, facts);
  if (silent.length > 0) throw new Failure('failed', silent.join('; '));
}

/**
 * The state directory may be about to appear by a mount of an earlier start. Without systemd the init script is asked as well: it may
 * know of more than the kernel's threads.
 */
async function requireStopped(ctx: Ctx, facts: Survey): Promise<void> {
  const { host } = ctx;
  const { manager } = facts;
  const { mountingStill } = await import('./late-mount.ts');
  const late = await mountingStill(host, facts);
  if (late !== undefined) throw new Failure('failed', late);
  const seen = await look(ctx, facts);
  if (seen.is !== 'stopped') throw new Failure('failed', sentence(facts, seen));
  if (manager.by !== 'script') return;
  const { scriptStatus } = await import('./by-script.ts');
  const status = await scriptStatus(host, manager.script);
  if (status !== 'stopped') throw new Failure('failed', `no nfsd threads, but ${status.said}`);
}

async function prepareFirstStart(ctx: Ctx, facts: Survey): Promise<void> {
  const { prepare } = await import('./prepare.ts');
  await prepare(ctx, facts);
}
