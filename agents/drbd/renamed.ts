import { Failure } from '../../lib/contract/outcome.ts';
import { drbdadm } from '../../lib/host/drbd/admin.ts';
import { minorsUp, type Owner } from '../../lib/host/drbd/owners.ts';
import { devicesOf, minorsOf } from './configured.ts';
import { diskNumber, rememberedMinors } from './minors.ts';
import type { Ctx } from './params.ts';
import { wanted } from './wanted.ts';

/**
 * No resource of this name, but a minor of this resource is up as somebody else's: it was renamed in the kernel. `isRemembered`: the
 * agent has seen this resource on that minor; else only the configuration says so.
 */
export type Renamed = { readonly is: 'renamed'; readonly owner: Owner; readonly isRemembered: boolean };

/** No resource of this name, and another resource has a minor that the configuration gives to this one. */
export type Taken = { readonly is: 'absent'; readonly taken: Owner };

/**
 * Who has a minor of this resource in the kernel although no resource of its name is there; throws `Failure` when it does not say. The
 * configuration alone does not tell a resource that was renamed from another one that had the minor before: that one is left to those
 * who know it. Only a Primary whose name no configuration has may be this resource, in use.
 */
export async function strangeOwner(ctx: Ctx, patienceMs: number): Promise<Renamed | Taken | undefined> {
  const up = await minorsUp(ctx.host, patienceMs);
  if ('why' in up) throw new Failure('failed', `the state of DRBD is unknown: ${up.why}`);
  if (up.length === 0) return undefined;
  for (const { minor, disk } of await rememberedMinors(ctx)) {
    const owner = up.find((one) => one.minor === minor);
    if (owner && (disk === '' || disk === (await diskNumber(ctx, minor))))
      return { is: 'renamed', owner, isRemembered: true };
  }
  const { resource, file } = wanted(ctx);
  const configured = await minorsOf(ctx, drbdadm(ctx.host, resource, file));
  const owners = up.filter(({ minor }) => configured.includes(minor));
  for (const owner of owners)
    if (owner.role !== 'Secondary' && !(await isConfigured(ctx, owner)))
      return { is: 'renamed', owner, isRemembered: false };
  const [taken] = owners;
  return taken && { is: 'absent', taken };
}

const isConfigured = async (ctx: Ctx, { name }: Owner): Promise<boolean> =>
  (await devicesOf(ctx, drbdadm(ctx.host, name, wanted(ctx).file))).length > 0;
