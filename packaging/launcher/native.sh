# The installation fixes the path of the program; until then it lies beside this file.
runtime=
program=${runtime:-${0%/*}/@PROGRAM@}
[ -x "$program" ] || not_installed "$1" "$program is not installed"
# A shell would take a file of nothing, as a crash may leave it, for a script that does nothing: 0.
[ -s "$program" ] || end 1 "$program is empty"
# Compiling to machine code costs a program of a few milliseconds more than it saves, and 3 MB. A second thread to collect garbage
# saves nothing, and where there is none to be had, Bun aborts.
export BUN_JSC_useJIT=0 BUN_JSC_numberOfGCMarkers=1
become "$program" @NAME@ "$@"
