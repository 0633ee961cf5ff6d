# fish completion for xlpy.

function __xlpy_complete
    set -l words (commandline -opc)
    type -q $words[1]; or return
    command $words[1] __complete fish $words (string unescape -- (commandline -ct) | string collect --allow-empty) 2>/dev/null
end

complete -c xlpy -f -k -a '(__xlpy_complete)'
