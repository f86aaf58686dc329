[ -x "$runtime" ] || not_installed "$1" "Node.js 20 or newer is not installed$old"
# One thread that compiles beside it is enough for a program this short; Node would start four, and waits for ever for one that it
# cannot have. A process within a process shows that there is room for this one and for the clock that comes before it.
threads=--v8-pool-size=1
# For the few files that the kernel may work on for long; where one of these threads cannot be had, Node aborts.
export UV_THREADPOOL_SIZE=1
case $limited in
  '') ( (:) && :) ;;
  *) ( ( (:) && :) && :) ;; # Node itself is one process more where the shell stays
esac || end 1 "$trouble"
# Beside an installed agent lies what runs it with what Node has compiled of it.
runner=
[ ! -r "$runner" ] || become "$runtime" $threads "$runner" "$0" "$@"
# Node would read a file as an ES module when a package.json above it says so: what is evaluated is CommonJS wherever it lies.
become "$runtime" $threads -e 'const file = process.argv[1] = require("path").resolve(process.argv[1]);
const code = require("fs").readFileSync(file, "utf8");
const main = `(function (exports, require, module, __filename) {${code.slice(code.indexOf("\n"))}\n})`;
require("vm").runInThisContext(main, file)(exports, require, module, file)' -- "$0" "$@"
