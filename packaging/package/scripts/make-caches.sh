# What Node makes of the agents once and for all; without it they take a little longer.
tsha_make_caches() {
  for agent in @AGENTS@; do
    env -i /usr/bin/node @PROGRAMS@/cached.cjs --make @AGENTDIR@/"$agent" 2>/dev/null || rm -f @PROGRAMS@/"$agent".v8
  done
}
tsha_remove_caches() {
  for agent in @AGENTS@; do rm -f @PROGRAMS@/"$agent".v8; done
}
