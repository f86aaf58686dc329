import { Random } from '../../fuzz/random.ts';
import { actionsWithin, logFile, logPattern, parseActions } from '../report/timeline.ts';
import { type NodeName, nodes } from '../settings.ts';
import { judge } from './judge.ts';
import { activeNode, expectTsha, tsha } from './operate/tsha.ts';
import { now, type Run } from './run.ts';

// A cluster of the stock agents changes hands, and back, while clients write and hold locks; whenever it is killed, everything goes on.

type Provider = 'tsha' | 'stock';
const otherOf = (provider: Provider): Provider => (provider === 'tsha' ? 'stock' : 'tsha');

/** Another one for other moments; the same moments are not the same points of a run, but as near as it gets. */
const seed = Number(process.env['TSHA_CAMPAIGN_SEED'] ?? 1);
const points = Number(process.env['TSHA_LAB_KILLS'] ?? 10);

/** What a restart of anything would change: the server's threads and helpers by their begin, mounts by their numbers, the address. */
const lifeSigns = `
  for name in nfsd rpc.statd rpc.mountd nfsdcld; do
    for pid in $(pgrep -x $name | sort -n); do sed 's/^\\([0-9]*\\) (\\([^)]*\\)) \\(.*\\)/\\2 \\1 \\3/' /proc/$pid/stat | awk '{print $1, $2, $22}'; done
  done
  awk '$5 == "/nfsdata" || $5 == "/var/lib/nfs" { print $1, $3, $5 }' /proc/self/mountinfo
  drbdadm role data; ip -brief address show to 10.77.0.20; exportfs -s | sort`;

/** Long details are slow to lay out. */
const differenceOf = (one: string, other: string): string => (one === other ? '' : `${one}\n---\n${other}`);

const alive = ({ lab, steps }: Run, node: NodeName): Promise<string> =>
  steps.run('what runs, by its begin', 60, (signal) => lab.machine(node).run(lifeSigns, { signal }));

/** What Pacemaker did to a resource since then, monitors apart. */
async function touched({ lab, steps }: Run, since: number): Promise<readonly string[]> {
  const until = now();
  return await steps.run('what Pacemaker did', 60, async (signal) => {
    const logs = await Promise.all(
      nodes.map(async (node) => {
        const log = await lab.machine(node).ask(`grep -aE '${logPattern}' ${logFile}`, { signal });
        return parseActions(node, log, new Date(since * 1000).getUTCFullYear());
      }),
    );
    return actionsWithin({ since, until, actions: logs.flat() })
      .filter(({ action }) => !['monitor', 'probe'].includes(action))
      .map(({ action, resource, node }) => `${action} ${resource} (${node})`);
  });
}

const agents = ({ lab, steps }: Run, node: NodeName): Promise<string> =>
  steps.run('whose agents', 60, (signal) =>
    lab
      .machine(node)
      .run(
        "cibadmin --query --scope resources | sed -n 's/.*<primitive .*provider=\"\\([a-z]*\\)\".*/\\1/p' | sort | uniq -c | tr -s ' \\n' ' '",
        { signal },
      ),
  );

const agentsOf: Record<Provider, RegExp> = { tsha: /^ *6 tsha *$/, stock: /^ *5 heartbeat 1 linbit *$/ };

const isInMaintenance = ({ lab, steps }: Run, node: NodeName): Promise<boolean> =>
  steps.run('maintenance mode', 60, async (signal) =>
    /true/.test(
      await lab
        .machine(node)
        .ask('crm_attribute --name maintenance-mode --query --quiet 2> /dev/null', { signal }),
    ),
  );

/** Seconds that the last change took. */
let lastTook = 40;

/** There, back and there again. */
export async function handedOver(run: Run): Promise<void> {
  const { checks } = run;
  for (const to of ['tsha', 'stock', 'tsha'] as const) {
    checks.begin(`to ${to}`);
    const active = await activeNode(run);
    const before = await alive(run, active);
    const happened = now();
    await expectTsha(run, {
      ...{ node: active, words: `migrate --to=${to} -n`, code: 0 },
      says: /→ ocf:[\s\S]*cibadmin --modify[\s\S]*crm_resource --refresh/,
    });
    const began = now();
    await expectTsha(run, {
      ...{ node: active, words: `migrate --to=${to} -y`, code: 0 },
      says: /found everything as it is[\s\S]*nothing was stopped or started/,
      screen: `migrate to ${to}`,
    });
    lastTook = now() - began;
    const [after, left] = [await alive(run, active), await touched(run, happened)];
    checks.add(`to ${to}: nothing was begun anew`, before === after, differenceOf(before, after));
    checks.add(`to ${to}: Pacemaker only looked`, left.length === 0, left.join(', '));
    const whose = await agents(run, active);
    checks.add(`to ${to}: all six`, agentsOf[to].test(whose), whose);
    await expectTsha(run, { node: active, words: `migrate --to=${to} -y`, code: 0, says: /already/ });
    await expectTsha(run, { node: active, words: 'status', code: 0, says: /Nothing to do/ });
    await judge(run, active, happened, `migrate to ${to}`);
  }
}

const signals = ['KILL', 'INT', 'KILL', 'TERM'] as const;

/** Whatever moment it is: everything runs on, `status` tells of it, and the next call comes to an end, there or back. */
export async function killedOnTheWay(run: Run): Promise<void> {
  const { checks, lab, steps } = run;
  checks.begin(`killed, seed ${seed}`);
  const happened = now();
  let whose: Provider = 'tsha';
  // as long as one takes that nobody ends
  const takes = lastTook;
  for (let point = 0; point < points; point++) {
    const random = new Random(seed, point);
    const signalName = signals[point % signals.length] ?? 'KILL';
    const active = await activeNode(run);
    const at = random.chance(0.5) ? active : (nodes.find((name) => name !== active) ?? active);
    const to = otherOf(whose);
    const after = Math.round(random.next() * takes * 11) / 10;
    const title = `${point + 1}: SIG${signalName} after ${after} s`;
    const before = await alive(run, active);
    const began = now();
    const call = `tsha migrate --to=${to} -y > /run/broken 2>&1 & p=$!; sleep ${after}; kill -${signalName} $p 2> /dev/null; wait $p; echo "exit $?"; cat /run/broken`;
    const said = await steps.run(`${at}: migrate to ${to}, ${title}`, 300, (signal) =>
      lab.machine(at).run(call, { signal, timeout: 290_000 }),
    );
    const isLeft = await isInMaintenance(run, at);
    if (isLeft)
      await expectTsha(run, { node: at, words: 'status', code: [1, 2], says: /MIGRATION_UNFINISHED/ });
    else {
      const now = await agents(run, at);
      const isOne = agentsOf.tsha.test(now) || agentsOf.stock.test(now);
      checks.add(`${title}: the agents of one`, isOne, isOne ? '' : `${now} ${said}`);
    }
    checks.add(
      `${title}: only SIGKILL leaves maintenance mode`,
      !isLeft || signalName === 'KILL',
      isLeft ? said : '',
    );
    const wish: Provider = random.chance(0.5) ? to : whose;
    const answer = await steps.run(`${at}: migrate --to=${wish}`, 300, (signal) =>
      tsha(run, at, `migrate --to=${wish} -y`, signal, 280_000),
    );
    checks.add(
      `${title}: then --to=${wish}`,
      answer.code === 0,
      answer.code === 0 ? '' : `${answer.said}\n${said}`,
    );
    whose = wish;
    const [alike, left] = [await alive(run, active), await touched(run, began)];
    checks.add(`${title}: nothing was begun anew`, before === alike, differenceOf(before, alike));
    checks.add(`${title}: Pacemaker only looked`, left.length === 0, left.join(', '));
  }
  await judge(run, await activeNode(run), happened, 'killed on the way');
}
