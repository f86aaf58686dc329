import type { Pair } from '../configuration/pair.ts';
import type { Language } from '../output/terminal.ts';
import { say } from '../output/words.ts';
import { type Argv, shellLine } from '../stack.ts';
import { wantedOf } from './cluster.ts';
import { crmEntries } from './crm.ts';
import { type DrbdGeneration, drbdFile, drbdResource, nfsConf, nfsConfFile } from './files.ts';
import { pcsCommands } from './pcs.ts';
import { type PlanWords, planWords } from './words.ts';

type Tool = 'pcs' | 'crm';

const versions: { readonly [generation in DrbdGeneration]: string } = { 8: '8.4', 9: '9' };
const comment = (text: string): readonly string[] => ['', `# ${text}`];
const heredoc = (head: string, text: string): readonly string[] => [`${head} <<'END'`, text.trimEnd(), 'END'];

/**
 * Everything that makes the pair, as lines of a shell, with the reason before each. `generation` is null where
 * this node has no DRBD; `disks` is what its disks show.
 */
export function planScript(
  pair: Pair,
  tool: Tool,
  generation: DrbdGeneration | null,
  language: Language,
  disks: readonly string[] = [],
): readonly string[] {
  const words = planWords(language);
  const conf = nfsConf(pair);
  const directories = [...new Set(pair.exports.map(({ directory }) => directory))];
  const fencing = fencingCommands(pair, tool);
  return [
    `# ${say(words.title, { name: pair.name, tool })}`,
    ...comment(`${words.bothNodes}: ${words.drbdFile}`),
    `# ${generation === null ? words.drbdGuessed : say(words.drbdFound, { version: versions[generation] })}`,
    ...disks.map((disk) => `# ${words.here}: ${disk}`),
    ...(pair.state === null ? [`# ${words.stateShared}`] : []),
    ...heredoc(`cat > ${drbdFile(pair)}`, drbdResource(pair, generation ?? 8)),
    ...(conf === null
      ? []
      : [...comment(`${words.bothNodes}: ${words.nfsFile}`), ...heredoc(`cat > ${nfsConfFile}`, conf)]),
    ...comment(`${words.bothNodes}: ${words.corosync}`),
    ...['#   quorum {', '#     provider: corosync_votequorum', '#     two_node: 1', '#   }'],
    ...comment(words.directories),
    `#   ${shellLine(['mkdir', '-p', ...directories])}`,
    ...comment(fencing.length === 0 ? words.noFencing : words.fencing),
    ...fencing.map((line) => `#   ${line}`),
    ...comment(`${words.once}. ${words.oneTransaction}`),
    ...(tool === 'pcs' ? pcsScript(pair, words) : crmScript(pair, words)),
  ];
}

function pcsScript(pair: Pair, words: PlanWords): readonly string[] {
  const [draft, before] = [`${pair.name}.xml`, `${pair.name}.before.xml`];
  const pcs = (argv: Argv) => shellLine(['pcs', '-f', draft, ...argv]);
  return [
    `# ${words.untilOneFails}`,
    ...['(', 'set -e'],
    `pcs cluster cib ${draft}`,
    `cp ${draft} ${before}`,
    ...pcsCommands(wantedOf(pair)).flatMap(({ argv, why }) => [`# ${words[why]}`, pcs(argv)]),
    `pcs cluster cib-push ${draft} diff-against=${before}`,
    ')',
  ];
}

const crmScript = (pair: Pair, words: PlanWords): readonly string[] =>
  heredoc(
    'crm configure load update -',
    crmEntries(wantedOf(pair))
      .flatMap(({ text, why }) => [`# ${words[why]}`, text])
      .join('\n'),
  );

/** Of the node that serves, where both want to fence each other: longer than a device needs. */
const headStart = '15s';

/** A node is switched off by a device that does not run on it. */
function fencingCommands({ fencing }: Pair, tool: Tool): readonly string[] {
  if (!fencing) return [];
  const each = Object.entries(fencing).flatMap(([node, { agent, options }]) => {
    const id = `fence-${node}`;
    const given = Object.entries(options).map(([name, value]) => `${name}=${value}`);
    const parameters = [`pcmk_host_list=${node}`, ...given];
    return tool === 'pcs'
      ? [
          shellLine(['pcs', 'stonith', 'create', id, agent, ...parameters]),
          shellLine(['pcs', 'constraint', 'location', id, 'avoids', node]),
        ]
      : [
          shellLine(['crm', 'configure', 'primitive', id, `stonith:${agent}`, 'params', ...parameters]),
          shellLine(['crm', 'configure', 'location', `${id}-elsewhere`, id, '-inf:', node]),
        ];
  });
  const properties = ['stonith-enabled=true', `priority-fencing-delay=${headStart}`];
  return [
    ...each,
    shellLine(
      tool === 'pcs'
        ? ['pcs', 'property', 'set', ...properties]
        : ['crm', 'configure', 'property', ...properties],
    ),
  ];
}
