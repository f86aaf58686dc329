import { catalogue } from '../metadata/catalogue.ts';

/**
 * What can follow `tsha agent` in a shell: agents, then actions, then parameters as `--name=`, with their short text for zsh, as
 * yargs prints it (`--ip=:Address`). `words` are those of the line from `agent` on; the last one is being typed.
 */
export function agentCompletions(words: readonly string[], forZsh: boolean): readonly string[] {
  const [, name, action] = words;
  const line = (word: string, text: string): string =>
    forZsh ? `${word.replaceAll(':', '\\:')}:${text}` : word;
  if (words.length <= 2) return catalogue.map(({ agent }) => line(agent.name, agent.short));
  const agent = catalogue.find((one) => one.agent.name === name)?.agent;
  if (!agent) return [];
  if (words.length === 3) return [...Object.keys(agent.actions), 'meta-data'];
  const given = new Set(words.slice(3, -1).map((word) => word.replace(/=.*/s, '')));
  return [
    ...Object.entries(agent.params).map(([param, { short }]) => [`--${param}=`, short] as const),
    ['--trace', `${name} ${action}, traced`] as const,
  ]
    .filter(([word]) => !given.has(word.replace('=', '')))
    .map(([word, text]) => line(word, text));
}
