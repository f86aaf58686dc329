import type { Machine } from '../machines/machine.ts';
import { debs, packagesFolder } from '../packages.ts';
import { type NodeName, nodes, peerOf } from '../settings.ts';
import { startCluster } from './bring-up.ts';
import type { Run } from './run.ts';

// The packages on plain nodes, under a cluster whose monitors come every second.

const agents = '/usr/lib/ocf/resource.d/tsha';
const logFile = '/var/log/pacemaker/pacemaker.log';

/** How a package manager's command ended, and what it said. */
interface Answer {
  code: number;
  said: string;
}

/** Unpacking a hundred megabytes takes a virtual machine its time. */
const timeout = 400_000;

async function manage(machine: Machine, command: string, signal: AbortSignal): Promise<Answer> {
  const line = `cd ${packagesFolder}; export DEBIAN_FRONTEND=noninteractive; ${command} 2>&1; echo "exit $?"`;
  const text = await machine.run(line, { signal, timeout });
  const [, said = '', code = ''] = /^([\s\S]*?)\n?exit (\d+)\s*$/.exec(text) ?? [];
  return { code: Number(code), said };
}

const apt = (words: string): string => `apt-get -q -y ${words}`;

/** Monitors that have ended on a node so far, as its executor tells when it is told to tell everything. */
async function monitorsOn(machine: Machine, signal: AbortSignal): Promise<number> {
  const count = await machine.ask(`grep -c 'log_finished.* monitor (' ${logFile}`, { signal });
  return Number(count || 0);
}

/** Does something to a node's packages while the monitors go on: they must go on, and none may fail. */
async function underMonitors(run: Run, node: NodeName, title: string, command: string): Promise<Answer> {
  const { steps, lab } = run;
  const machine = lab.machine(node);
  const before = await steps.run('monitors so far', 30, (signal) => monitorsOn(machine, signal));
  const answer = await steps.run(`${node}: ${command}`, 420, (signal) => manage(machine, command, signal));
  await steps.run('three more monitors', 120, async (signal) => {
    const reached = (await monitorsOn(machine, signal)) + 3;
    while ((await monitorsOn(machine, signal)) < reached) await machine.run('sleep 0.5', { signal });
  });
  const after = await steps.run('monitors now', 30, (signal) => monitorsOn(machine, signal));
  await expectNoFailure(run, node, `${title}, ${after - before} monitors meanwhile`);
  return answer;
}

async function expectNoFailure(
  { checks, steps, cluster }: Run,
  node: NodeName,
  title: string,
): Promise<void> {
  const state = await steps.run('state of the cluster', 60, (signal) => cluster.seenFrom(node, signal));
  const failures = (state?.failures ?? []).map(
    ({ resource, task, node: on, reason, status }) => `${resource} ${task} on ${on}: ${reason || status}`,
  );
  const counts = (state?.failCounts ?? []).map(({ resource, count }) => `${resource}: ${count}`);
  checks.add(
    `${node}: ${title}: no failed action`,
    state !== undefined && failures.length + counts.length === 0,
    [...failures, ...counts].join('; '),
  );
}

const addAnswer = ({ checks }: Run, title: string, { code, said }: Answer, expected = /(?:)/): void =>
  checks.add(title, code === 0 && expected.test(said), `${code}: ${said}`);

async function install(run: Run): Promise<void> {
  const { checks, steps, lab } = run;
  checks.begin('packages: install');
  for (const name of nodes) {
    const machine = lab.machine(name);
    const answer = await steps.run(`${name}: apt-get install`, 420, (signal) =>
      manage(machine, apt(`install ./${debs.native}`), signal),
    );
    addAnswer(run, `${name}: apt installs it`, answer);
    await steps.run('Pacemaker tells of every monitor', 60, (signal) =>
      machine.run('echo PCMK_debug=pacemaker-execd >> /etc/default/pacemaker', { signal }),
    );
  }
  const home = await startCluster(run);
  checks.add('the cluster of the README works', true, `on ${home}`);
}

async function upgrade(run: Run): Promise<void> {
  const { checks, steps, cluster } = run;
  checks.begin('packages: upgrade');
  const home = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  for (const node of [peerOf(home), home]) {
    const answer = await underMonitors(run, node, 'upgrade by apt', apt(`install ./${debs.next}`));
    addAnswer(run, `${node}: apt upgrades it`, answer, /\+next/);
  }
}

async function otherFlavour(run: Run): Promise<void> {
  const { checks, steps, cluster } = run;
  checks.begin('packages: the other flavour');
  const home = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  const steppings = [
    [
      'the script flavour in place of the native one',
      `dpkg -i ${debs.node} && dpkg -i ${debs.script}`,
      /-nodejs/,
    ],
    ['the native flavour in place of the script one', `dpkg -i ${debs.next}`, /tsha-resource-agents /],
  ] as const;
  for (const [title, command, expected] of steppings)
    for (const node of [peerOf(home), home]) {
      const answer = await underMonitors(run, node, title, command);
      const installed = await steps.run('what is installed', 30, (signal) =>
        run.lab.machine(node).run("dpkg -l 'tsha*' | grep ^ii", { signal }),
      );
      addAnswer(run, `${node}: ${title}, by dpkg -i`, answer);
      checks.add(
        `${node}: nothing but the new one is installed`,
        expected.test(installed) && installed.trim().split('\n').length === 1,
        installed,
      );
    }
}

async function refused(run: Run): Promise<void> {
  const { checks, steps, cluster, lab } = run;
  checks.begin('packages: removal refused');
  const home = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  for (const [title, command] of [
    ['apt-get remove', apt('remove tsha-resource-agents')],
    ['apt-get install of the other flavour', apt(`install ./${debs.script}`)],
  ] as const) {
    const { code, said } = await underMonitors(run, home, title, command);
    const left = await steps.run('agents that are left', 30, (signal) =>
      lab.machine(home).run(`ls ${agents} | wc -l`, { signal }),
    );
    checks.add(
      `${home}: ${title} is refused with a sentence`,
      code !== 0 &&
        /stays: the cluster has resources of ocf:tsha: \(.*nfs_ip.*maintenance-mode=true/.test(said),
      `${code}: ${said}`,
    );
    checks.add(`${home}: all agents are still there`, Number(left) === 6, left);
  }
}

/** Everything that has our name outside of logs, Pacemaker's own memory and what this scenario brought. */
const ours =
  "find / -xdev -name '*tsha*' -not -path '/var/log/*' -not -path '/var/lib/pacemaker/*' -not -path '/root/*'";

/** What nfsserver has made for its server, which runs on, and takes away when that stops. */
const isOfServer = (path: string): boolean =>
  path.startsWith('/var/lib/tsha') || path === '/etc/nfs.conf.d/zz-tsha-nfsserver.conf';

async function removed(run: Run): Promise<void> {
  const { checks, steps, cluster, lab } = run;
  checks.begin('packages: removed in maintenance mode');
  const home = await steps.run('which node is active', 60, (signal) => cluster.allStarted(signal));
  await steps.run('maintenance mode', 60, async (signal) => {
    await lab.machine(home).run('crm_attribute --name maintenance-mode --update true', { signal });
    const quiet = async (): Promise<boolean> => {
      const before = await monitorsOn(lab.machine(home), signal);
      await lab.machine(home).run('sleep 4', { signal });
      return (await monitorsOn(lab.machine(home), signal)) === before;
    };
    while (!(await quiet())) signal.throwIfAborted();
  });
  for (const node of nodes) {
    const answer = await steps.run(`${node}: apt-get purge`, 420, (signal) =>
      manage(lab.machine(node), apt("purge 'tsha-resource-agents*'"), signal),
    );
    addAnswer(run, `${node}: removal`, answer);
    const left = await steps.run('what is left', 120, (signal) =>
      lab.machine(node).run(ours, { signal, timeout: 100_000 }),
    );
    const others = left.split('\n').filter((path) => path !== '' && !(node === home && isOfServer(path)));
    checks.add(`${node}: nothing is left but what the running server has`, others.length === 0, left);
  }
  const serving = await steps.run('the service meanwhile', 30, (signal) =>
    lab
      .machine(home)
      .ask('mountpoint /nfsdata && exportfs | grep -c nfsdata && ip -o address | grep 10.77.0.20', {
        signal,
      }),
  );
  checks.add('the service goes on without the agents', serving !== '', serving);

  for (const node of nodes) {
    const answer = await steps.run(`${node}: apt-get install`, 420, (signal) =>
      manage(lab.machine(node), apt(`install ./${debs.native}`), signal),
    );
    addAnswer(run, `${node}: installed again`, answer);
  }
  await steps.run('maintenance mode ends', 60, (signal) =>
    lab.machine(home).run('crm_attribute --name maintenance-mode --delete', { signal }),
  );
  const still = await steps.run('everything where it was', 120, (signal) => cluster.allStarted(signal, home));
  await steps.run('every recurring monitor', 120, (signal) => cluster.monitorsGreen(still, signal));
  await expectNoFailure(run, home, 'removed and installed again');
}

/** Nodes as Debian makes them; by name only: `test --suite bookworm --campaign packages`. */
export const packagesScenarios = [install, upgrade, otherFlavour, refused, removed];
