import { Failure } from '../../lib/contract/outcome.ts';
import { drbdadm } from '../../lib/host/drbd/admin.ts';
import { minorsUp, type Owner } from '../../lib/host/drbd/owners.ts';
import { diskNumber, rememberedMinors } from './minors.ts';
import type { Ctx } from './params.ts';
import { wanted } from './wanted.ts';

/** Who has a minor of this resource in the kernel although no resource of its name is there; throws `Failure` when it does not say. */
export async function strangeOwner(ctx: Ctx): Promise<Owner | undefined> {
  const up = await minorsUp(ctx.host);
  if ('why' in up) throw new Failure('failed', `the state of DRBD is unknown: ${up.why}`);
  if (up.length === 0) return undefined;
  for (const { minor, disk } of await rememberedMinors(ctx)) {
    const owner = up.find((one) => one.minor === minor);
    if (owner && (disk === '' || disk === (await diskNumber(ctx, minor)))) return owner;
  }
  const configured = await configuredMinors(ctx);
  return up.find(({ minor }) => configured.includes(minor));
}

const configurationMs = 5000;

/** None where the configuration does not have the resource, or drbdadm does not work. */
async function configuredMinors(ctx: Ctx): Promise<readonly number[]> {
  const { resource, file } = wanted(ctx);
  const admin = drbdadm(ctx.host, resource, file);
  const timeoutMs = Math.min(configurationMs, ctx.host.left() / 3);
  const { code, stdout } = await admin.run(['sh-dev', resource], { timeoutMs });
  const paths = code === 0 ? stdout.split('\n').filter((line) => line.startsWith('/')) : [];
  const numbers = paths.map((path) => /^\/dev\/drbd(\d+)$/.exec(path)?.[1]);
  if (numbers.every((number) => number !== undefined)) return numbers.map(Number);
  const asked = await admin.run(['sh-minor', resource], { timeoutMs });
  return asked.code === 0 ? (asked.stdout.match(/^\d+$/gm) ?? []).map(Number) : [];
}
