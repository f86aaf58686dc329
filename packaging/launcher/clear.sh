# What steers the runtime must not come from outside: Node with NODE_OPTIONS=--bogus ends with 9, "failed while promoted".
exported=$(export -p)
case $exported in
  *' NODE_'* | *' BUN_'* | *' OPENSSL_'*)
    set -f
    IFS='
'
    for line in $exported; do
      name=${line#export }
      name=${name%%=*}
      case $name in
        *[!A-Za-z0-9_]*) ;;
        NODE_* | BUN_* | OPENSSL_*) unset "$name" ;;
      esac
    done
    unset IFS
    set +f
    ;;
esac

# "Not installed" bans the resource from this node; of a stop it would say nothing but "failed".
cannot_run() {
  printf '%s%s\n' "${OCF_EXIT_REASON_PREFIX:-ocf-exit-reason:}" "$2" >&2
  [ "$1" = stop ] && exit 1
  exit 5
}
