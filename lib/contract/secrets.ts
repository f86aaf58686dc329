// What is nobody's business: one vocabulary for reasons, log, trace and report. Time goes with the length of a text: others write them.

/** In the place of what is not shown. */
export const veil = '***';

const secretName =
  /passw|passphrase|(?<!com)pass\d?$|secret|token|community|credential|private|privkey|key\d?$|keyring|(?:^|[_-])(?:pin|kg)$/i;

/**
 * Whether a parameter, a variable or an option of this name has a secret for its value. A script or file that holds one is named like it,
 * and is veiled as well.
 */
export const isSecretName = (name: string): boolean => secretName.test(name);

/** Two commas are one within a value of mount.cifs(8); a quote that nothing follows is not of the value. */
const inText = /(?:"[^"\n]*"|'[^'\n]*'|,,|["';](?=[^\s,])|[^\s,"';])+/y;
/** Of `--password=` a blank alone ends the value. */
const inOption = /(?:"[^"\n]*"|'[^'\n]*'|[^\s"'])+/y;
/** Of one argument nothing but a comma ends a value: it may hold blanks. A quote that nobody closes is open to the end, as libmount has it. */
const inArgument = /(?:"[^"]*(?:"|$)|,,|[^,"])+/y;

/** A text of whatever origin: `username=u,password=***` */
export const veiled = (text: string): string => veiledBy(inText, text);

/** One argument of a command, or one value. */
export const veiledArgument = (text: string): string => veiledBy(inArgument, text);

function veiledBy(value: RegExp, text: string): string {
  let done = '';
  let at = 0;
  for (const { 0: whole, 1: name = '', index } of text.matchAll(/(?<![\w.-])([\w.-]+)=/g)) {
    if (index < at || !isSecretName(name)) continue;
    const ofIt = value === inText && name.startsWith('--') ? inOption : value;
    ofIt.lastIndex = index + whole.length;
    if (!ofIt.test(text)) continue;
    done += text.slice(at, index) + whole + veil;
    at = ofIt.lastIndex;
  }
  return (done + text.slice(at)).replace(inAddress, `$1${veil}@`);
}

/** `https://admin:hunter2@bmc`; the last @ ends the password. */
const inAddress = /(\/\/[^\s/:@<>"']{1,200}:)[^\s/<>"']{1,200}@/g;
