# The installation fixes the path of the program; until then it lies beside this file.
runtime=
program=${runtime:-${0%/*}/@PROGRAM@}
[ -x "$program" ] || cannot_run "$1" "$program is not installed"
# Compiling to machine code costs a program of a few milliseconds more than it saves, and 3 MB.
export BUN_JSC_useJIT=0
exec "$program" @NAME@ "$@"
