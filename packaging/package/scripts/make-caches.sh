# What Node makes of the agents once and for all; without it they take a little longer.
tsha_make_caches() {
  for agent in @AGENTS@; do
    env -i /usr/bin/node @PROGRAMS@/cached.cjs --make @AGENTDIR@/"$agent" 2>/dev/null || tsha_remove_cache "$agent"
  done
}
tsha_remove_cache() {
  rm -f @PROGRAMS@/"$1".v8 @PROGRAMS@/"$1".v8.new
}
tsha_remove_caches() {
  for agent in @AGENTS@; do tsha_remove_cache "$agent"; done
}
