# The installation fixes the path of Node.js. Otherwise whatever is new enough is taken: pcs gives its agents no more of a PATH
# than /bin:/usr/bin, and a bare environment gives none.
runtime=
if [ ! -x "$runtime" ]; then
  old=
  for runtime in "$(command -v node)" /usr/local/bin/node /usr/bin/node /usr/bin/nodejs /usr/lib/tsha/bin/node \
    /usr/bin/node-[2-9][0-9] /usr/bin/node[2-9][0-9] ''; do
    [ -x "$runtime" ] || continue
    case $("$runtime" -v 2>/dev/null) in
      v[2-9][0-9].* | v[1-9][0-9][0-9].*) break ;;
      v*) old=", $runtime is too old" ;;
    esac
  done
fi
[ -x "$runtime" ] || cannot_run "$1" "Node.js 20 or newer is not installed$old"
# Beside an installed agent lies what Node has compiled of it.
runner=
[ -r "$runner" ] || runner=
exec "$runtime" ${runner:+"$runner"} "$0" "$@"
