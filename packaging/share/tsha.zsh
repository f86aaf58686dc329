#compdef tsha
# zsh completion for tsha(8): the command itself knows what can follow.
_tsha() {
  local -a replies
  local si=$IFS
  IFS=$'\n' replies=($(SHELL=/bin/zsh "${words[1]}" --get-yargs-completions "${(@)words[1,CURRENT]}" 2>/dev/null))
  IFS=$si
  if [[ ${#replies} -gt 0 ]]; then
    _describe 'tsha' replies
  else
    _default
  fi
}
_tsha "$@"
