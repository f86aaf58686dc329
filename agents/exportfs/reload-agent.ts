import { Failure } from '../../lib/contract/outcome.ts';
import type { Ctx } from './params.ts';
import { isListed, look, sentence } from './seen.ts';
import { start } from './start.ts';
import { wanted } from './wanted.ts';

/** New options for what is exported: clients keep their mounts. */
export async function reloadAgent(ctx: Ctx): Promise<void> {
  const want = wanted(ctx);
  const seen = await look(ctx, want);
  if (seen.is === 'unknown') throw new Failure('failed', sentence(want, seen));
  const { directories } = seen;
  const absent = directories.filter((one) => !isListed(one));
  if (absent.length > 0) {
    const words = sentence(want, { is: 'not exported', directories: absent });
    throw new Failure('failed', `${words}: start it instead of reloading it`);
  }
  await start(ctx);
}
