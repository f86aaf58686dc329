import { isSecretName, veil } from './secrets.ts';

/** A CIB's own text, where a secret stands apart from its name: the passwords of fencing agents are among its resources. */
export const veiledXml = (text: string): string => text.replace(/<nvpair\b[^<>]*>/g, veiledPair);

function veiledPair(pair: string): string {
  const name = /\sname=(?:"([^"]*)"|'([^']*)')/.exec(pair);
  return isSecretName(name?.[1] ?? name?.[2] ?? '')
    ? pair.replace(/(\svalue=)(?:"[^"]*"|'[^']*')/, `$1"${veil}"`)
    : pair;
}
