// Every agent begins as a shell script of its own. It answers meta-data by itself (Pacemaker asks before every start, as an
// ordinary user, and wants it fast), and it clears the environment of what would steer the runtime: once Node has started with
// NODE_OPTIONS=--bogus it has already ended with 9, which Pacemaker reads as "failed while promoted".

/** The line that `install` rewrites with the path that holds on its machine. */
const runtimeLine = /^runtime=.*$/m;

export const setRuntime = (text: string, path: string): string =>
  text.replace(runtimeLine, () => `runtime=${shellQuote(path)}`);

/** The head of a script-flavour agent: shell for /bin/sh, one comment for JavaScript, whose code follows it. */
export function scriptHead(name: string, metadata: string): string {
  const shell = [
    `# ${name}: an OCF resource agent for Pacemaker. To the shell this file ends with exec; to Node all of that is a comment.`,
    ...opening(metadata),
    '',
    '# The path of Node.js is fixed by the installation. Without one, whatever is new enough is taken: pcs gives its agents a PATH',
    '# of /bin:/usr/bin, a bare environment gives none.',
    'runtime=',
    'if [ ! -x "$runtime" ]; then',
    '  old=',
    '  for runtime in "$(command -v node)" /usr/local/bin/node /usr/bin/node /usr/bin/nodejs /usr/lib/tsha/bin/node \\',
    '    /usr/bin/node-[2-9][0-9] /usr/bin/node[2-9][0-9] ""; do',
    '    [ -x "$runtime" ] || continue',
    '    case $("$runtime" -v 2>/dev/null) in',
    '      v[2-9][0-9].* | v[1-9][0-9][0-9].*) break ;;',
    '      v*) old="; $runtime is too old" ;;',
    '    esac',
    '  done',
    'fi',
    `[ -x "$runtime" ] || cannot_run "$1" "Node.js 20 or newer is not installed$old"`,
    'exec "$runtime" "$0" "$@"',
  ].join('\n');
  return `#!/bin/sh\n':' /*\n${shell}\n*/\n`;
}

/** A native-flavour agent: the shell part alone, in front of the one program that holds all agents. */
export const nativeLauncher = (name: string, metadata: string): string =>
  [
    '#!/bin/sh',
    `# ${name}: an OCF resource agent for Pacemaker.`,
    ...opening(metadata),
    '',
    '# Fixed by the installation; beside this file otherwise.',
    'runtime=',
    `program=\${runtime:-\${0%/*}/${nativeProgram}}`,
    `[ -x "$program" ] || cannot_run "$1" "$program is not installed"`,
    `exec "$program" ${name} "$@"`,
    '',
  ].join('\n');

/** The command for people, in the native flavour: no meta-data of its own. */
export const nativeCommand = (name: string): string =>
  [
    '#!/bin/sh',
    ...clearing,
    'runtime=',
    `program=\${runtime:-\${0%/*}/${nativeProgram}}`,
    `exec "$program" ${name} "$@"`,
    '',
  ].join('\n');

export const nativeProgram = 'tsha-agents';

const clearing = [
  "# The runtime's own switches must not come from outside. No command is forked for this, so it costs next to nothing.",
  'exported=$(export -p)',
  'case $exported in',
  "  *' NODE_'* | *' BUN_'*)",
  '    set -f',
  "    IFS='",
  "'",
  '    for line in $exported; do',
  '      name=${line#export }',
  '      name=${name%%=*}',
  '      case $name in',
  '        *[!A-Za-z0-9_]*) ;;',
  '        NODE_* | BUN_*) unset "$name" ;;',
  '      esac',
  '    done',
  '    unset IFS',
  '    set +f',
  '    ;;',
  'esac',
];

const opening = (metadata: string): readonly string[] => [
  'if [ "$1" = meta-data ]; then',
  `  printf '%s' ${shellQuote(metadata)} || exit 1`,
  '  exit 0',
  'fi',
  '',
  ...clearing,
  '',
  '# "Not installed" bans the resource from this node; of a stop it would say nothing but "failed".',
  'cannot_run() {',
  `  printf '%s%s\\n' "\${OCF_EXIT_REASON_PREFIX:-ocf-exit-reason:}" "$2" >&2`,
  '  [ "$1" = stop ] && exit 1',
  '  exit 5',
  '}',
];

/** The empty string between * and / keeps a text from ending the comment that hides the shell part from JavaScript. */
const shellQuote = (text: string): string => `'${text.replaceAll("'", "'\\''").replaceAll('*/', "*''/")}'`;
