// node:os knows them too, and takes a thirtieth of a monitor's time to load.

/** signal(7) from 1 on, as every architecture has them that Linux clusters run on. */
const names =
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
    ' ',
  );
const synonyms: Readonly<Record<string, string>> = { IOT: 'ABRT', POLL: 'IO' };

/** By name, with or without SIG in front, in any case, or by number; `undefined` for one that does not exist. */
export function signalNumber(word: string): number | undefined {
  const name = word.toUpperCase().replace(/^SIG/, '');
  const number = /^\d+$/.test(word) ? Number(word) : names.indexOf(synonyms[name] ?? name) + 1;
  return number >= 1 && number <= names.length ? number : undefined;
}

export function signalName(number: number): string {
  const name = names[number - 1];
  return name === undefined ? String(number) : `SIG${name}`;
}
