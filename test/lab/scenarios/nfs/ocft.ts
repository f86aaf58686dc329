import type { Machine } from '../../machines/machine.ts';
import type { Run } from '../run.ts';
import { agents } from './situations.ts';

// The cases that the stock agents' authors test them with (ocft, of resource-agents), pointed at ours, on a machine with a server.

const configs = '/usr/share/resource-agents/ocft/configs';
const folder = '/root/ocft';

/** ocft looks once a second whether an agent has ended; now it sees it at once. */
const impatient =
  "sed -i 's|sleep 1$|timeout 1 tail --pid=$pid -s 0.02 -f /dev/null|' /usr/share/resource-agents/ocft/caselib";

/** What Debian 12's cases expect that later releases do not: under systemd the init script has no part in it since 4.17. */
const stale: Readonly<Record<string, readonly [title: string, was: string, is: string]>> = {
  nfsserver: ["invalid 'OCF_RESKEY_nfs_init_script'", 'start OCF_ERR_INSTALLED', 'start OCF_SUCCESS'],
  exportfs: ["no 'OCF_RESKEY_fsid'", 'start OCF_ERR_CONFIGURED', 'start OCF_SUCCESS'],
  'exportfs-multidir': ["no 'OCF_RESKEY_fsid'", 'start OCF_ERR_CONFIGURED', 'start OCF_SUCCESS'],
};

/** For our agents, without what needs a network, and with what is stale in it brought up to date. */
export function adapted(suite: string, text: string): string {
  const [title, was, is] = stale[suite] ?? [];
  const pointed = text
    .replace(/^(\s*)AgentRoot.*\n/m, '')
    .replace(/^(\s*)Agent .*/m, `$&\n$1AgentRoot ${agents}`)
    .replace(/^\s*InstallPackage.*\n/m, '');
  return pointed
    .split(/^(?=CASE ")/m)
    .map((piece) =>
      title && was && is && piece.split('\n')[0]?.includes(title) ? piece.replace(was, is) : piece,
    )
    .join('');
}

export interface OcftResult {
  readonly passed: number;
  readonly failed: readonly string[];
}

/** Reads what `ocft test -v` prints, colours and all. */
export function parseOcft(output: string): OcftResult {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it colours its words
  const plain = output.replace(/\x1b\[\d*m/g, '');
  const cases = plain.split(/^(?=Starting ')/m).filter((text) => text.startsWith("Starting '"));
  const failed = cases.filter(
    (text) => !/^Checking return value: +OK/m.test(text) || /FAILED|ERROR/.test(text),
  );
  return {
    passed: cases.length - failed.length,
    failed: failed.map(
      (text) => `${/case \d+ '(.*)':/.exec(text)?.[1]}: ${/FAILED\. (.*?) See/.exec(text)?.[1]}`,
    ),
  };
}

/** One suite on a node that nothing of the cluster runs on. */
export async function ocft(
  { checks }: Pick<Run, 'checks'>,
  machine: Machine,
  suite: string,
  tags: string,
  signal: AbortSignal,
): Promise<void> {
  const text = await machine.run(`mkdir -p ${folder} /run/resource-agents; cat ${configs}/${suite}`, {
    signal,
  });
  await machine.write(`${folder}/${suite}`, `${adapted(suite, text)}\n`, { signal });
  const output = await machine.run(
    `systemctl reset-failed; ${impatient}; ocft make -d ${folder} ${suite} && ocft test -v ${suite} 2>&1 || true`,
    { signal, timeout: 1_200_000 },
  );
  const { passed, failed } = parseOcft(output);
  const wanted = text.match(/^CASE "/gm)?.length;
  const updated = suite in stale ? ', one of them brought up to date' : '';
  checks.add(
    `ocft ${suite} passes (${tags})`,
    failed.length === 0 && passed === wanted,
    failed.length > 0 ? failed.join('; ') : `${passed} cases${updated}`,
  );
}
