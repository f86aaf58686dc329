# Whether the other flavour has taken the place of this one: its package is there, and the agents are its own. A file that somebody left
# behind says neither.
tsha_is_replaced() {
  [ -e @OTHERDOC@/LICENSE ] || return 1
  for agent in @AGENTS@; do
    case $(sed -n 2p @AGENTDIR@/"$agent" 2>/dev/null) in
      "':' /*") [ @FLAVOUR@ = native ] || return 1 ;;
      ?*) [ @FLAVOUR@ = script ] || return 1 ;;
      *) return 1 ;;
    esac
  done
}
