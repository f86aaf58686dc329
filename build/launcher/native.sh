# The installation fixes the path of the program; until then it lies beside this file.
runtime=
program=${runtime:-${0%/*}/@PROGRAM@}
[ -x "$program" ] || cannot_run "$1" "$program is not installed"
exec "$program" @NAME@ "$@"
