#compdef tsha
# zsh completion for tsha(8): the command itself knows what can follow.
_tsha() {
  local -a replies values
  local si=$IFS
  IFS=$'\n' replies=($(SHELL=/bin/zsh "${words[1]}" --get-yargs-completions "${(@)words[1,CURRENT]}" 2>/dev/null))
  IFS=$si
  # a parameter's value follows at once
  values=(${(M)replies:#--*=:*})
  replies=(${replies:|values})
  if [[ ${#replies} -gt 0 || ${#values} -gt 0 ]]; then
    _describe 'tsha' replies -- values -S ''
  else
    _default
  fi
}
_tsha "$@"
