# Completes tasks, flags and environments in bash, of `./run` as of `invoke`:
#   source completion.bash

# The project of a command: the folder of `./run`, or the nearest one upwards that has tasks.
_fleetform_root() {
    local folder=$PWD
    case $1 in
        */*) folder=$(cd "$(dirname "$1")" 2>/dev/null && pwd) || return ;;
    esac
    until [ -f "$folder/tasks.py" ]; do
        [ -n "$folder" ] || return
        folder=${folder%/*}
    done
    printf '%s\n' "$folder"
}

_fleetform_environments() {
    local file
    for file in "$1"/envs/*/environment.yaml; do
        [ -f "$file" ] && basename "$(dirname "$file")"
    done
}

# The tasks and their flags. Nothing is installed for it.
_fleetform_words() {
    local python=$1/.venv/bin/python
    [ -x "$python" ] || python=$(command -v python3) || return
    (cd "$1" && "$python" -m invoke --complete -- invoke "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}

_fleetform() {
    local root flag=$3
    root=$(_fleetform_root "$1")
    [ -n "$root" ] || return
    # Bash takes the sign of `--env=dev` for a word of its own.
    local word=$2
    [ "$word" = = ] && word= flag=${COMP_WORDS[COMP_CWORD - 1]}
    [ "$flag" = = ] && flag=${COMP_WORDS[COMP_CWORD - 2]}
    case $flag in
        --env | -e | --like | --from | --to) COMPREPLY=($(compgen -W "$(_fleetform_environments "$root")" -- "$word")) ;;
        *) COMPREPLY=($(compgen -W "$(_fleetform_words "$root")" -- "$word")) ;;
    esac
}

complete -o default -F _fleetform run invoke inv
