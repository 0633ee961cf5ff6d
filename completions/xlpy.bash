# bash completion for xlpy, and for xl where that is xlpy.

_xlpy() {
    local IFS=$'\n'
    COMPREPLY=($("$1" __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null))
    compopt -o nospace 2>/dev/null
}

complete -F _xlpy xlpy
if [[ $(type -P xl) -ef $(type -P xlpy) ]]; then
    complete -F _xlpy xl
fi
