import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { XMLValidator } from 'fast-xml-parser';
import { instance, type NodeName, nodes, peerOf, serviceAddress } from '../../settings.ts';
import { mountOptions } from '../../workload/workload.ts';
import { startCluster } from '../bring-up.ts';
import { activeNode, calm, expectTsha, tsha } from '../operate/tsha.ts';
import { now, type Run } from '../run.ts';

const agent = '/usr/share/pacemaker/alerts/alert_tsha.sh';
const secret = 'Hunter2-never-shown';
const mails = '/run/mails';
const pings = '/run/pings';

/** A cluster with the alert and a recipient, a mail program that keeps what it gets, a secret where fencing has its own, and a client that writes. */
async function withAlert(run: Run): Promise<void> {
  const { checks, lab, steps } = run;
  await startCluster(run);
  checks.begin('alert');
  await steps.run('the alert and a recipient', 120, async (signal) => {
    for (const node of lab.nodes) {
      await node.run('systemd-tmpfiles --create tsha.conf', { signal });
      const sendmail = `#!/bin/sh\n{ echo "--- $*"; cat; } >> ${mails}\n`;
      await node.write('/usr/sbin/sendmail', sendmail, { signal });
      await node.run(`chmod 755 /usr/sbin/sendmail; install -m 666 /dev/null ${mails}`, { signal });
    }
    const fence = `<primitive id="fence" class="stonith" type="fence_dummy"><instance_attributes id="fence-i"><nvpair id="fence-p" name="passwd" value="${secret}"/></instance_attributes><meta_attributes id="fence-m"><nvpair id="fence-t" name="target-role" value="Stopped"/></meta_attributes></primitive>`;
    const alerts = `<alerts><alert id="tsha-alert" path="${agent}"><recipient id="tsha-alert-r" value="root"/></alert></alerts>`;
    await lab
      .machine('node1')
      .run(
        `cibadmin --create --scope configuration --xml-text '${alerts}'; cibadmin --create --scope resources --xml-text '${fence}'`,
        { signal },
      );
  });
  await steps.run('a client mounts and writes', 120, async (signal) => {
    const loop = `while :; do echo x > /mnt/t/ping && sync /mnt/t/ping && date +%s.%N >> ${pings}; sleep 0.2; done`;
    await lab
      .machine('client')
      .run(
        `mkdir -p /mnt/t; mount -t nfs -o vers=4.2,${mountOptions} ${serviceAddress}:/ /mnt/t; setsid sh -c '${loop}' > /dev/null 2>&1 < /dev/null &`,
        { signal },
      );
  });
  const said = await steps.run('tsha check', 120, (signal) => tsha(run, 'node1', 'check', signal));
  checks.add('check misses no alert', !said.said.includes('NO_ALERT'), said.said);
}

interface Told {
  events: {
    node: string;
    resource: string | null;
    action: string;
    kind: string;
    at: string;
    seconds: number | null;
    reason: string;
    source: string;
    failed: boolean;
  }[];
  incidents: {
    cause: string;
    from: string;
    until: string;
    pauses: {
      fromNode: string | null;
      toNode: string | null;
      seconds: number | null;
      isAtLeast: boolean;
      upAt: string | null;
    }[];
  }[];
}

/** What `history` says on a node of what happened since then, as people and as programs read it. */
async function historyOn(run: Run, node: NodeName, since: number): Promise<{ told: Told; text: string }> {
  // the machines' zone is UTC
  const words = `history --since=${new Date(since * 1000 - 5000).toISOString().slice(0, 19)}`;
  const text = await expectTsha(run, {
    node,
    words,
    code: 0,
    says: /Told by: /,
    screen: `history on ${node}`,
  });
  const json = await run.steps.run(`${node}: tsha history --json`, 200, (signal) =>
    run.lab.machine(node).run(`tsha ${words} --json`, { signal, timeout: 180_000 }),
  );
  return { told: JSON.parse(json).data as Told, text: text.said };
}

/** How long the client's writes stopped, at the longest, since then. */
async function clientGap(run: Run, since: number): Promise<number> {
  const text = await run.steps.run('what the client saw', 60, (signal) =>
    run.lab.machine('client').run(`cat ${pings}`, { signal }),
  );
  const times = text
    .split('\n')
    .filter(Boolean)
    .map(Number)
    .filter((time) => time >= since - 2);
  return Math.max(0, ...times.slice(1).map((time, index) => time - (times[index] ?? time)));
}

/** The events of that list, in that order; others may lie between. */
function isInOrder(events: Told['events'], ...expected: readonly string[]): boolean {
  const said = events.map(({ node, resource, action }) => `${node} ${resource} ${action}`);
  let rest = said;
  return expected.every((one) => {
    const at = rest.indexOf(one);
    rest = rest.slice(at + 1);
    return at >= 0;
  });
}

/** Where the CIB still has an action, it took as long as history says. */
async function sameDurations(run: Run, viewer: NodeName, told: Told, title: string): Promise<void> {
  const cib = await run.steps.run('the CIB', 60, (signal) =>
    run.lab.machine(viewer).run('cibadmin --query', { signal }),
  );
  const value = (text: string, name: string) => new RegExp(` ${name}="([^"]*)"`).exec(text)?.[1] ?? '';
  const wrong: string[] = [];
  let compared = 0;
  for (const [op = ''] of cib.matchAll(/<lrm_rsc_op [^>]*>/g)) {
    const began = Number(value(op, 'last-rc-change'));
    const seconds = Number(value(op, 'exec-time')) / 1000;
    const resource = value(op, 'operation_key').replace(/_[a-z]+_\d+$/, '');
    const found = told.events.find(
      (one) =>
        one.source === 'alert' &&
        one.node === value(op, 'on_node') &&
        one.resource === resource &&
        one.action === value(op, 'operation') &&
        Math.abs(Date.parse(one.at) / 1000 - began - seconds) < 4,
    );
    if (!found) continue;
    compared++;
    if (found.seconds !== seconds) wrong.push(`${resource} ${found.action}: ${found.seconds} ${seconds}`);
  }
  run.checks.add(
    `${title}: durations are Pacemaker's own (${compared})`,
    compared >= 5 && wrong.length === 0,
    wrong.join('; '),
  );
}

const stops = ['nfs_ip stop', 'nfs-root stop', 'nfs-daemon stop', 'NFS stop', 'Data demote'];
const starts = ['Data promote', 'NFS start', 'nfs-daemon start', 'nfs-root start', 'nfs_ip start'];
const on = (node: NodeName, actions: readonly string[]) => actions.map((action) => `${node} ${action}`);

/** A standby: both nodes' actions are told on the one that cannot ask the other, by what Pacemaker's decisions were made on. */
async function orderlyMove(run: Run): Promise<void> {
  const { checks, steps, cluster } = run;
  checks.begin('standby');
  const active = await activeNode(run);
  const peer = peerOf(active);
  const since = now();
  await steps.run(`standby of ${active}`, 300, async (signal) => {
    await cluster.standby(active, signal);
    await cluster.allStarted(signal, peer);
    await sleep(3000, undefined, { signal });
  });
  const { told, text } = await historyOn(run, peer, since);
  const [incident] = told.incidents;
  const pause = incident?.pauses[0];
  checks.add('one story: a move', told.incidents.length === 1 && incident?.cause === 'move', text);
  checks.add(
    'from one to the other',
    pause?.fromNode === active && pause.toNode === peer,
    JSON.stringify(pause),
  );
  checks.add('the new node’s actions, in order', isInOrder(told.events, ...on(peer, starts)), text);
  await sameDurations(run, peer, told, 'standby');
  const there = await historyOn(run, active, since);
  checks.add(
    'the old node’s actions, in order',
    isInOrder(there.told.events, ...on(active, stops)),
    there.text,
  );
  const gap = await clientGap(run, since);
  const away = Math.max(pause?.seconds ?? 0, there.told.incidents[0]?.pauses[0]?.seconds ?? 0);
  run.figures.push({
    scenario: 'standby',
    outcome: `away ${away} s; the client stood still for ${gap.toFixed(1)} s`,
  });
  checks.add(
    'the client stood still for as long, or a little longer',
    away > 0 && gap > away - 2,
    `${away} ${gap}`,
  );
  await calm(run);
}

/** Somebody takes the address away: the monitor's reason is in the history on either node, also after a cleanup, and in a mail. */
async function failedMonitor(run: Run): Promise<void> {
  const { checks, lab, steps, cluster } = run;
  checks.begin('failure');
  const active = await activeNode(run);
  await sleep(61_000);
  const since = now();
  await steps.run('the address is gone, and back', 180, async (signal) => {
    await lab
      .machine(active)
      .run(
        `ip address del ${serviceAddress}/24 dev $(ip -o address show to ${serviceAddress} | cut -d' ' -f2)`,
        { signal },
      );
    while (
      !(await lab.machine(active).run(`grep -c 'monitor of nfs_ip' ${mails} || true`, { signal })).match(
        /[1-9]/,
      )
    )
      await sleep(1000, undefined, { signal });
    await cluster.allStarted(signal);
    await lab.machine(active).run('crm_resource --cleanup', { signal });
    await sleep(2000, undefined, { signal });
  });
  const { told, text } = await historyOn(run, active, since);
  const failed = told.events.find((one) => one.failed);
  checks.add(
    'the failure, in the agent’s words',
    failed?.reason === `${serviceAddress} is not configured`,
    text,
  );
  checks.add(
    'and what was done',
    isInOrder(told.events, `${active} nfs_ip monitor`, `${active} nfs_ip stop`, `${active} nfs_ip start`),
    text,
  );
  const mail = await steps.run('the mail', 30, (signal) =>
    lab.machine(active).run(`cat ${mails}`, { signal }),
  );
  checks.add(
    'a mail tells of it',
    /To: root\nSubject: monitor of nfs_ip failed on /.test(mail) &&
      /The agent says: .*is not configured/.test(mail),
    mail,
  );
  const log = await steps.run('the log', 30, (signal) =>
    lab
      .machine(active)
      .run('ls -ld /var/lib/tsha; ls -l /var/lib/tsha; cat /var/lib/tsha/events.jsonl', { signal }),
  );
  checks.add(
    'hacluster’s own',
    /^drwxr-x--- \d hacluster haclient .*[\s\S]*-rw-r----- 1 hacluster haclient .* events.jsonl/.test(log),
    log,
  );
}

/** The active node dies: history and report on the one that survives. */
async function deathOfANode(run: Run): Promise<void> {
  const { checks, lab, steps, cluster } = run;
  checks.begin('death');
  const active = await calm(run);
  const peer = peerOf(active);
  await sleep(61_000);
  const since = now();
  await steps.run(`${active} dies`, 300, async (signal) => {
    await lab.kill(active);
    await cluster.allStarted(signal, peer);
    await sleep(3000, undefined, { signal });
  });
  run.away = active;
  const { told, text } = await historyOn(run, peer, since);
  const [incident] = told.incidents;
  const pause = incident?.pauses[0];
  checks.add(
    'one story: a node was lost',
    told.incidents.length === 1 && incident?.cause === 'node-lost',
    text,
  );
  checks.add(
    'from the dead one to the other, for at least so long',
    pause?.fromNode === active && pause.toNode === peer && pause.isAtLeast,
    JSON.stringify(pause),
  );
  checks.add('its actions, in order', isInOrder(told.events, ...on(peer, starts)), text);
  await sameDurations(run, peer, told, 'death');
  checks.add('that the other one did not answer is said', new RegExp(`Not told: ${active}`).test(text), text);
  const gap = await clientGap(run, since);
  run.figures.push({
    scenario: 'death',
    outcome: `away at least ${pause?.seconds} s; the client stood still for ${gap.toFixed(1)} s`,
  });
  checks.add(
    'the client stood still for as long, or longer',
    gap > (pause?.seconds ?? Infinity) - 2,
    `${pause?.seconds} ${gap}`,
  );
  const mail = await steps.run('the mail', 30, (signal) => lab.machine(peer).run(`cat ${mails}`, { signal }));
  checks.add('a mail tells of it', mail.includes(`Subject: node ${active} is lost`), mail);
}

/** The page and its tar, on the survivor. */
async function reportOfIt(run: Run): Promise<void> {
  const { checks, lab, steps, plan } = run;
  checks.begin('report');
  const dead = run.away ?? nodes[0];
  const peer = peerOf(dead);
  const file = '/run/report.html';
  for (const language of ['en', 'zh'])
    await expectTsha(run, {
      node: peer,
      words: `report --lang ${language} -o ${file.replace('.html', `.${language}.html`)}`,
      code: 0,
      says: /report\.(en|zh)\.html/,
    });
  const keep = instance(plan).folder;
  await mkdir(keep, { recursive: true });
  const pages = await steps.run('the pages', 60, async (signal) => {
    const texts: string[] = [];
    for (const language of ['en', 'zh']) {
      const text = await lab.machine(peer).run(`cat /run/report.${language}.html`, { signal });
      await writeFile(join(keep, `report.${language}.html`), text);
      texts.push(text);
    }
    return texts;
  });
  const [page = '', chinese = ''] = pages;
  const facts = await steps.run('the tar', 60, (signal) =>
    lab
      .machine(peer)
      .run(
        'cd /run && mkdir -p unpacked && tar xzf report.en.tar.gz -C unpacked && ls -l report.* && grep -r . unpacked',
        { signal },
      ),
  );
  checks.add(
    'well-formed',
    XMLValidator.validate(page.replace(/^<!doctype html>/, '')) === true &&
      XMLValidator.validate(chinese.replace(/^<!doctype html>/, '')) === true,
  );
  checks.add(
    'nothing from elsewhere',
    !/<(script|link|img|iframe)|https?:\/\/(?!www\.w3\.org)|url\((?!#)/.test(page),
  );
  checks.add(
    'its sentence',
    page.includes(`${dead} was lost; ${serviceAddress} went from ${dead} to ${peer}`),
    page.slice(0, 4000),
  );
  checks.add(
    'both nodes’ actions in a picture',
    (page.match(/<svg/g) ?? []).length >= 1 && page.includes('Data promote'),
  );
  checks.add('DRBD’s states', /Secondary[\s\S]*Primary/.test(page));
  checks.add('in Chinese', chinese.includes('lang="zh') && chinese.includes(`失去 ${dead}`));
  checks.add('no secret', ![page, chinese, facts].some((text) => text.includes(secret)));
  checks.add('that there was one', facts.includes('name="passwd" value="***"'), facts.slice(0, 3000));
  for (const part of ['cib.xml', 'events.json', 'drbd-log.txt', 'crm_mon.txt'])
    checks.add(`the tar has ${part}`, facts.includes(`/${part}:`), facts.slice(0, 2000));
  checks.add(
    'for root alone',
    /-rw------- .*report\.en\.html/.test(facts) && /-rw------- .*report\.en\.tar\.gz/.test(facts),
    facts.slice(0, 600),
  );
}

export const reportScenarios = [withAlert, orderlyMove, failedMonitor, deathOfANode, reportOfIt];
