import { type Ending, exitStatus } from '../exit.ts';
import { envelope } from './json.ts';
import { print, printLines } from './print.ts';
import type { ChangeData, ChangeEvent, ChangeKind } from './schema.ts';
import type { Terminal } from './terminal.ts';

type Facts = Partial<Omit<ChangeData, 'event' | 'text'>>;

/** Tells a step: its lines to people, one JSON object to programs. `ending` is how the command would end with it. */
export type Narrate = (event: ChangeEvent, lines: readonly string[], facts?: Facts, ending?: Ending) => void;

/** What a command that changes something says while it is at work, in the order in which it happens. */
export const narrator =
  (
    { terminal, json }: { readonly terminal: Terminal; readonly json: boolean },
    kind: ChangeKind,
    node: string,
  ): Narrate =>
  (event, lines, facts = {}, ending = 'well') => {
    if (!json) {
      printLines(lines.map((line) => terminal.marks(line)));
      return;
    }
    const data: ChangeData = {
      event,
      text: lines.map((line) => line.trim()).join('\n'),
      from: facts.from ?? null,
      to: facts.to ?? null,
      commands: facts.commands ?? [],
      seconds: facts.seconds ?? null,
      secondCopy: facts.secondCopy ?? null,
    };
    const object = envelope({ kind, time: Date.now(), node, findings: [], level: exitStatus[ending], data });
    print(1, `${JSON.stringify(object)}\n`);
  };
