import { isSecretName, veil, veiled } from '../../lib/contract/secrets.ts';
import { veiledXml } from '../../lib/contract/secrets-in-xml.ts';
import { type Element, attribute as of, within } from '../facts/xml.ts';

/** What is too short is also part of innocent words. */
const shortest = 4;

/** `password=hunter2`, `--passwd hunter2`, `shared-secret "hunter2"` */
const value = String.raw`("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s"'<>,;]+)`;
const word = String.raw`(?:passw(?:or)?d|passphrase|secret|community|(?:api|access|secret|auth)[_-]?key|token(?!\s*:\s*\d+\b))`;
const inText: readonly (readonly [pattern: RegExp, put: string])[] = [
  [new RegExp(String.raw`(${word}["']?\s*[=:]\s*)${value}`, 'gi'), `$1${veil}`],
  [new RegExp(String.raw`((?:--?[\w-]{0,40}${word}|shared-secret)\s+)${value}`, 'gi'), `$1${veil}`],
  [new RegExp(String.raw`((?:^|\s)-p\s+)${value}`, 'g'), `$1${veil}`],
];

/** The values that a CIB and the configurations of DRBD and corosync keep secret. */
export function secretsIn(cib: Element | null, drbd: string, corosync = ''): readonly string[] {
  const pairs = cib ? within(cib, 'nvpair') : [];
  const inCib = pairs.flatMap((pair) =>
    isSecretName(of(pair, 'name')) ? [of(pair, 'value')] : secretOptions(of(pair, 'value')),
  );
  const inDrbd = [...drbd.matchAll(/shared-secret\s+(?:"((?:[^"\\\n]|\\.)*)"|([^\s;]+))/g)].flatMap(
    ([, quoted, bare]) => (quoted === undefined ? [bare ?? ''] : [quoted, quoted.replace(/\\(.)/g, '$1')]),
  );
  // corosync.conf(5): the key itself, where no keyfile holds it
  const inCorosync = [...corosync.matchAll(/^[ \t]*key:[ \t]*(\S+)/gm)].map(([, key]) => key ?? '');
  return [...new Set([...inCib, ...inDrbd, ...inCorosync])].filter(Boolean);
}

/** `user=x,pass=hunter2`, as a mount has it. */
const secretOptions = (text: string): readonly string[] =>
  text.split(',').flatMap((option) => {
    const [name = '', ...rest] = option.split('=');
    return isSecretName(name) ? [rest.join('=')] : [];
  });

export type Mask = {
  text(text: string): string;
  /** A CIB's own text: also values that are too short to be looked for elsewhere. */
  xml(text: string): string;
  /** Every text in it. */
  all<T>(value: T): T;
};

const escapes = (secret: string): readonly string[] => {
  const amp = secret.replaceAll('&', '&amp;');
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    amp.replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
    amp,
  ];
};

/** Known secrets wherever they stand, and what looks like one. */
export function maskFor(secrets: readonly string[]): Mask {
  const known = [...new Set(secrets.filter(({ length }) => length >= shortest).flatMap(escapes))].sort(
    (one, other) => other.length - one.length,
  );
  const text = (plain: string): string =>
    inText.reduce(
      (done, [pattern, put]) => done.replace(pattern, put),
      veiled(known.reduce((done, secret) => done.replaceAll(secret, veil), plain)),
    );
  const all = <T>(value: T): T => {
    if (typeof value === 'string') return text(value) as T;
    if (Array.isArray(value)) return value.map(all) as T;
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, all(one)])) as T;
  };
  return { text, xml: (plain) => text(veiledXml(plain)), all };
}
