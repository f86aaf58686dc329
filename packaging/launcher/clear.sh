# A shell that cannot go on ends with 2, which would ban the resource from this node: now it says 1, and what it was about to do.
trouble='no process can be started'
trap 'end 1 "$trouble"' EXIT
end() {
  trap - EXIT
  printf '%s%s\n' "${OCF_EXIT_REASON_PREFIX:-ocf-exit-reason:}" "$2" >&2
  exit "$1"
}
# "Not installed" bans the resource as well; of a stop it would say nothing but "failed".
not_installed() {
  [ "$1" = stop ] && end 1 "$2"
  end 5 "$2"
}

# Processes are -u for bash, -p for dash.
found=$(ulimit -n; ulimit -s; ulimit -v; ulimit -d; ulimit -f; ulimit -t; ulimit -u 2>/dev/null || ulimit -p; export -p) ||
  end 1 "$trouble"
# What steers the runtime must not come from outside: Node with NODE_OPTIONS=--bogus ends with 9, "failed while promoted".
case $found in
  *' NODE_'* | *' BUN_'* | *' OPENSSL_'*)
    set -f
    IFS='
'
    for line in $found; do
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

# Of limits: descriptors, stack, address space, data, size of files, CPU, processes.
limited=yes
case $found in
  [1-9u][0-9n][0-9l]*'
'[1-9u][0-9n][0-9l][0-9i]*'
unlimited
unlimited
unlimited
unlimited
'[1-9u][0-9n][0-9l][0-9i]*) limited= ;;
esac
# With less, a runtime does not start, or ends without a word, or hangs.
enough() {
  case $1 in unlimited | '') return ;; esac
  [ "$1" -ge "$2" ] || end 1 "$1$3 are not enough to run, it takes at least $2"
}
if [ "$limited" ]; then
  enough "$(ulimit -n)" 32 ' descriptors (ulimit -n)'
  enough "$(ulimit -s)" 256 ' kB of stack (ulimit -s)'
  enough "$(ulimit -v)" 262144 ' kB of address space (ulimit -v)'
  enough "$(ulimit -d)" 65536 ' kB of data (ulimit -d)'
fi

# become PROGRAM ARGUMENT...: under a limit a program may end before it can say a word, so this shell stays and speaks for it.
become() {
  trouble="$1 cannot be run"
  [ "$limited" ] || exec "$@"
  trap : HUP INT TERM # are the program's; it shall not be left alone
  "$@"
  code=$?
  case $code in
    12[6-9] | 1[3-8][0-9]) end 1 "$1 ended with $code under the limits of this process (ulimit -a)" ;; # 190 and 191 are OCF's
  esac
  trap - EXIT
  exit $code
}
