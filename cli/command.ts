import { Failure } from '../lib/contract/outcome.ts';
import { wordsOf } from '../lib/contract/reason.ts';
import { type Host, hostOn } from '../lib/host/host.ts';
import { type NodeSys, nodeSys } from '../lib/host/sys/node-sys.ts';
import { CommandError, type Ending, exitStatus } from './exit.ts';
import { lockDir } from './facts/at-work.ts';
import { interruptible, type TakeBack, takenBack } from './interrupt.ts';
import { print } from './output/print.ts';
import { languageOf, type Terminal, terminalFor } from './output/terminal.ts';

/** What every command is given besides its own arguments. */
export type Call = {
  readonly host: Host;
  readonly sys: NodeSys;
  readonly terminal: Terminal;
  readonly json: boolean;
  readonly quiet: boolean;
  /** Nothing is to be asked. */
  readonly noInput: boolean;
  /** A person's answer, empty where none came; null where nobody can be asked. */
  readonly ask: ((question: string) => Promise<string>) | null;
  /** What to do before Ctrl-C or a signal ends the command, the latest first. */
  onInterrupt(work: TakeBack): void;
  /** Where it is written down who changes something on this node. */
  readonly lockDir: string;
  /** Whether an NFS server answers at an address within that time; null for what is no address. */
  answersNfs(ip: string, withinMs: number): Promise<boolean | null>;
};

export type CommonOptions = {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly input?: boolean | undefined;
  readonly color?: boolean | undefined;
  readonly lang?: string | undefined;
};

/** Runs a command and ends the process with its exit status; whatever is thrown becomes a sentence. */
export async function perform(
  options: CommonOptions,
  work: (call: Call) => Promise<Ending>,
  withinMs = 60_000,
): Promise<void> {
  const interruption = interruptible(nodeSys(process.env));
  const { sys } = interruption;
  // what programs read is English whatever the language
  const lang = options.json === true ? 'en' : options.lang;
  const terminal = terminalFor(process.env, process.stdout, { lang, color: options.color });
  const cleanup: TakeBack[] = [];
  const call: Call = {
    host: hostOn(sys, sys.now() + withinMs),
    sys,
    terminal,
    json: options.json === true,
    quiet: options.quiet === true,
    noInput: options.input === false,
    ask: options.input === false || options.json === true || !process.stdin.isTTY ? null : askHere,
    onInterrupt: (work) => void cleanup.unshift(work),
    lockDir,
    answersNfs: async (ip, within) => (await import('./facts/nfs-null.ts')).answersNfs(sys, ip, within),
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, async () => {
      const left = (error: unknown) =>
        tell(new CommandError('halfway', isSentence(error) ? error.message : wordsOf(error)), call);
      end(await interruption.interrupt(() => takenBack([...cleanup], left)));
    });
  try {
    end(await interruption.own(() => work(call)));
  } catch (error) {
    sys.killUnderway();
    end(tell(error, call));
  }
}

/** On the terminal. The library is for those who ask. */
async function askHere(question: string): Promise<string> {
  const { createInterface } = await import('node:readline');
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) => {
    dialogue.question(question, resolve);
    dialogue.once('close', () => resolve(''));
  });
  dialogue.close();
  return answer;
}

/** Failures of the host and of commands are written for people; other errors need their names. */
const isSentence = (error: unknown): error is Error =>
  error instanceof CommandError || error instanceof Failure;

/** Says what went wrong; how that ends the command. */
function tell(error: unknown, { json, terminal }: Pick<Call, 'json' | 'terminal'>): Ending {
  const message = isSentence(error) ? error.message : wordsOf(error);
  const [ending, fix] =
    error instanceof CommandError ? [error.ending, error.fix] : (['unknown', []] as const);
  if (json) {
    const level = exitStatus[ending];
    const time = new Date().toISOString();
    print(
      1,
      `${JSON.stringify({ tsha: 1, kind: 'error', time, node: '', level, findings: [], data: { message, fix } })}\n`,
    );
  }
  print(2, terminal.marks([`tsha: ${message}`, ...fix.map((command) => `  → ${command}`), ''].join('\n')));
  return ending;
}

/** The native flavour would otherwise end with what its dispatcher set before. */
export function end(ending: Ending): never {
  process.exit(exitStatus[ending]);
}

export const languageHere = (argv: readonly string[]) => {
  const at = argv.findIndex((word) => word === '--lang' || word.startsWith('--lang='));
  const lang = at < 0 ? undefined : (argv[at]?.split('=')[1] ?? argv[at + 1]);
  return languageOf(process.env, { lang });
};
