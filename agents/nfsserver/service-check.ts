import { readBoolean } from '../../lib/contract/params.ts';
import { firstLine, type Host } from '../../lib/host/host.ts';
import { addressFamily, canonicalIp } from '../../lib/host/net/address-text.ts';
import { isLocal } from '../../lib/host/net/addresses.ts';
import type { Ctx } from './params.ts';
import type { Survey } from './survey.ts';

// Depth 10 asks each service the question that costs nothing (the NULL procedure), depth 20 asks nfsd through every address of the
// service, too. A thread pool that hangs with its disk answers nobody, while every process is there.

/** Per question; all are asked at once. */
const patienceMs = 5000;
const lookUpMs = 3000;

/** Who does not answer, one sentence each. */
export async function unanswered(ctx: Ctx, survey: Survey): Promise<readonly string[]> {
  const { host, request } = ctx;
  const { v3 } = survey;
  const { port, hosts, ways } = howNfsdIsAsked(survey);
  const addresses = hosts.length > 0 ? await addressesOf(ctx, hosts) : ['127.0.0.1'];
  if (ways.length === 0)
    ctx.log.warn('nfsd was not asked: it serves no version by TCP, and not NFSv3 by UDP');
  const through = [...addresses, ...(request.depth >= 20 ? await serviceAddresses(ctx) : [])];
  const answers = await Promise.all([
    ...through.flatMap((address) =>
      ways.map(({ transport, version }) => {
        const where = ['-a', universal(address, port)];
        return nullCall(host, `nfsd (NFSv${version})`, transport, address, where, 100003, version);
      }),
    ),
    ...(v3 ? [nullCall(host, 'rpc.mountd', 'tcp', '127.0.0.1', ['127.0.0.1'], 100005, 3)] : []),
    ...(v3 ? [nullCall(host, 'rpc.statd', 'tcp', '127.0.0.1', ['127.0.0.1'], 100024, 1)] : []),
  ]);
  return answers.filter((answer) => answer !== undefined);
}

/** nfsd has a port of its own, so that rpcbind is not needed; mountd and statd are found through it. */
async function nullCall(
  host: Host,
  who: string,
  transport: Transport,
  address: string,
  where: readonly string[],
  program: number,
  version: number,
): Promise<string | undefined> {
  const netid = addressFamily(address) === 6 ? `${transport}6` : transport;
  const { code, stderr, stdout, hung, missing } = await host.tryRun(
    ['rpcinfo', '-T', netid, ...where, String(program), String(version)],
    { timeoutMs: Math.min(patienceMs, host.left() * 0.8) },
  );
  if (missing) return 'command rpcinfo is not installed: the services cannot be asked';
  if (code === 0) return undefined;
  const why = hung ? `within ${patienceMs / 1000} s` : firstLine(stderr || stdout) || `rpcinfo exit ${code}`;
  return `${who} does not answer on ${address}: ${why}`;
}

/** RFC 5665: the port's two bytes behind the address. */
const universal = (address: string, port: number): string => `${address}.${port >> 8}.${port & 255}`;

type Transport = 'tcp' | 'udp';
type Way = { readonly transport: Transport; readonly version: number };

const minorVersions = ['vers4.0', 'vers4.1', 'vers4.2'];

function howNfsdIsAsked({ nfsd, conf, v3 }: Survey) {
  const get = (key: string) => nfsd[key] ?? conf.get('nfsd', key);
  const is = (key: string, unless: boolean) => readBoolean(get(key) ?? '') ?? unless;
  const v4 = is('vers4', true) && minorVersions.some((key) => is(key, true));
  const tcp: readonly Way[] = [...(v4 ? [4] : []), ...(v3 ? [3] : [])].map((version) => ({
    transport: 'tcp',
    version,
  }));
  // the kernel serves NFSv4 by no transport without congestion control
  const udp: readonly Way[] = v3 && is('udp', false) ? [{ transport: 'udp', version: 3 }] : [];
  const asked = get('port') ?? 'nfs';
  return {
    port: /^\d+$/.test(asked) ? Number(asked) : 2049,
    hosts: (get('host') ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter(Boolean),
    ways: is('tcp', true) ? tcp : udp,
  };
}

/** Of nfsd's own `host`, by address or by name. A name server that is silent makes nobody silent: that name is left out, and told. */
async function addressesOf({ host, log }: Ctx, names: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    names.map(async (name) => {
      const ip = canonicalIp(name);
      if (ip !== undefined) return [ip];
      const { stdout } = await host.tryRun(['getent', 'ahosts', name], { timeoutMs: lookUpMs });
      const all = [
        ...new Set(stdout.split('\n').flatMap((line) => canonicalIp(line.split(/\s/)[0] ?? '') ?? [])),
      ];
      if (all.length === 0) log.warn(`nfsd was not asked through "${name}": its address was not found out`);
      return all;
    }),
  );
  return found.flat();
}

/** Those that are here: an address that comes after the server in its group has a monitor of its own. */
async function serviceAddresses({ host, params }: Ctx): Promise<readonly string[]> {
  const addresses = (params.nfs_ip ?? '').split(',').flatMap((text) => canonicalIp(text.trim()) ?? []);
  const here = await Promise.all(
    addresses.map((ip) => isLocal(host, ip, addressFamily(ip) === 6 ? 'inet6' : 'inet')),
  );
  return addresses.filter((_, index) => here[index] !== false);
}
