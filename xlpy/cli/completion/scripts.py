"""What the shells are told to do at TAB: the files in ``completions/``, and ``xlpy completion SHELL``.

They know nothing of commands; they ask ``xlpy __complete``.
"""

from __future__ import annotations

BASH = r"""# bash completion for xlpy, and for xl where that is xlpy.

_xlpy() {
    local IFS=$'\n'
    COMPREPLY=($("$1" __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null))
    compopt -o nospace 2>/dev/null
}

complete -F _xlpy xlpy
if [[ $(type -P xl) -ef $(type -P xlpy) ]]; then
    complete -F _xlpy xl
fi
"""

ZSH = r"""#compdef xlpy

# zsh completion for xlpy.

_xlpy() {
    local line value
    local -a whole whole_shown part part_shown
    for line in "${(@f)$("${(Q)words[1]}" __complete zsh "${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        [[ -n $line ]] || continue
        value=${line%%$'\t'*}
        line=${line#*$'\t'}
        if [[ $value == +* ]]; then
            whole+=("${value#?}")
            whole_shown+=("${value#?}${line:+  -- $line}")
        else
            part+=("${value#?}")
            part_shown+=("${value#?}${line:+  -- $line}")
        fi
    done
    (( $#whole )) && compadd -l -d whole_shown -a whole
    (( $#part )) && compadd -l -S '' -d part_shown -a part
    (( $#whole + $#part ))
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _xlpy "$@"
else
    compdef _xlpy xlpy
fi
"""

FISH = r"""# fish completion for xlpy.

function __xlpy_complete
    set -l words (commandline -opc)
    type -q $words[1]; or return
    command $words[1] __complete fish $words (string unescape -- (commandline -ct) | string collect --allow-empty) 2>/dev/null
end

complete -c xlpy -f -k -a '(__xlpy_complete)'
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
FILES = {"bash": "xlpy.bash", "zsh": "_xlpy", "fish": "xlpy.fish"}
"""Their names in ``completions/``."""
