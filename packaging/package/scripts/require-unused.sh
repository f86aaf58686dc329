# Without its agents a node fails monitors and stops, and is fenced: while the cluster names them they stay, unless it looks away.
tsha_stays() {
  echo "@PACKAGE@ stays: $1" >&2
  exit 1
}

tsha_pacemaker_runs() {
  for dir in /proc/[0-9]*; do
    [ "$dir/root" -ef / ] || continue # of a container
    case $(cat "$dir/comm") in pacemaker-based | pacemaker-remot*) return 0 ;; esac
  done 2>/dev/null
  return 1
}

# Prints what the CIB has for an XPath; nothing if it has nothing (105, or 6 of older ones: no such object).
tsha_query() {
  code=0
  timeout 30 cibadmin --query --local --xpath "$1" 2>/dev/null || code=$?
  case $code in
    6 | 105) return 0 ;;
    *) return "$code" ;;
  esac
}

# One value at least, and all of them true in Pacemaker's spelling.
tsha_all_true() {
  values=$(printf '%s\n' "$1" | sed -n 's/.*<nvpair.* value="\([^"]*\)".*/\1/p' | tr '[:upper:]' '[:lower:]')
  [ -n "$values" ] || return 1
  for value in $values; do
    case $value in true | yes | on | y | 1) ;; *) return 1 ;; esac
  done
}

tsha_require_unused() {
  tsha_pacemaker_runs || return 0
  # not //*: the status of a node that is offline keeps resources that have been deleted
  used=$(tsha_query "//configuration//*[@provider='tsha']") ||
    tsha_stays "Pacemaker runs here, and cibadmin cannot tell whether resources use the agents (exit code $?). Stop the cluster on this node first: pcs cluster stop"
  [ -n "$used" ] || return 0
  cluster=$(tsha_query "//crm_config//nvpair[@name='maintenance-mode']") || cluster=
  ! tsha_all_true "$cluster" || return 0
  node=$(timeout 30 crm_node --name 2>/dev/null) || node=$(uname -n)
  here=$(tsha_query "//node[@uname='$node']//nvpair[@name='maintenance']") || here=
  ! tsha_all_true "$here" || return 0
  ids=$(printf '%s\n' "$used" | sed -n 's/.*<[a-z]* .*\bid="\([^"]*\)".* provider="tsha".*/\1/p; s/.* provider="tsha".*\bid="\([^"]*\)".*/\1/p' | sort -u | tr '\n' ' ')
  tsha_stays "the cluster has resources of ocf:tsha: (${ids% }). Their monitors and stops would fail without the agents, and this node would be fenced. First delete them, or: pcs property set maintenance-mode=true. The other flavour takes the place of this one in one step: @REPLACE@"
}
