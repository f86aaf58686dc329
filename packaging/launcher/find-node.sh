# is_new FILE: a Node that the agents run with; one that is older is remembered for the reason.
is_new() {
  [ -x "$1" ] || return 1
  version=$("$1" -v 2>/dev/null) || [ $? -lt 128 ] || end 1 "$1 does not tell its version"
  case $version in
    v[2-9][0-9].* | v[1-9][0-9][0-9].*) return 0 ;;
    v*) old=", $1 is too old" ;;
  esac
  return 1
}
# The installation fixes the path of Node.js. Otherwise whatever is new enough is taken: pcs gives its agents no more of a PATH
# than /bin:/usr/bin, and a bare environment gives none.
runtime=
old=
if [ ! -x "$runtime" ]; then
  for runtime in "$(command -v node)" @NODES@ ''; do
    ! is_new "$runtime" || break
  done
fi
