# bash completion for tsha(8): the command itself knows what can follow.
_tsha() {
  local word IFS=$'\n'
  COMPREPLY=()
  for word in $(SHELL=/bin/bash "${COMP_WORDS[0]}" --get-yargs-completions "${COMP_WORDS[@]:0:COMP_CWORD+1}" 2>/dev/null); do
    [[ $word == "${COMP_WORDS[COMP_CWORD]}"* ]] && COMPREPLY+=("$word")
  done
  # the value follows
  [[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace
  [[ ${#COMPREPLY[@]} -gt 0 ]] || compopt -o default
}
complete -F _tsha tsha
