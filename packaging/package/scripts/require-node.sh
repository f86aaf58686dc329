# Agents whose launcher finds no Node fail every monitor and stop, and the node is fenced. dpkg asks for dependencies only once the
# other flavour's agents are gone, and rpm --nodeps never: so nothing is unpacked where no Node is in their place.
tsha_require_node() (
  PATH=/usr/bin:/bin
  end() {
    echo "@PACKAGE@ is not installed: $2. Its agents need Node.js 20 or newer at /usr/bin/node. Whatever is installed now stays" >&2
    exit 1
  }
@FIND@
  is_new "$runtime" || end 5 "Node.js 20 or newer is not installed$old"
)
