import type { Shell } from '../pod/shell.ts'

/**
 * The command's parent in the container, and the files in /dev/shm by which the other processes of the run find it.
 * A container holds one run, so their names are fixed; `mkfifo` fails the second time, so that no lost answer of the
 * API server can make a command run twice.
 *
 * The wrapper leads the process group (an exec'd process is the leader of its own session) and so outlives the signals
 * that are sent to the group. `(exec …)` runs programs only, never the shell's own `echo` or `exit`. Its own stderr goes
 * nowhere, so that no shell's "Killed" gets into the command's.
 *
 * At a terminal it takes TERM from process 1, as runtimes set their own, and waits for the size, which comes a moment after
 * the connection: a full screen program asks for it once. (BusyBox's stty says nothing of a size of 0 0.)
 *
 * It announces the start and, on stdout and stderr, the end with the exit code, by marks that no command can print by
 * accident, then it stays until it is acknowledged or ended: the kubelet drops what a slow reader has not taken yet as
 * soon as the process ends. See {@link MarkScanner}.
 */
const script = `
oom() {
  while read -r key count; do [ "$key" != oom_kill ] || [ "$count" = 0 ] || echo o; done <"$1"
}
end() {
  trap '' INT HUP QUIT USR1 USR2 TTOU
  trap "exit $1" TERM
  o=
  [ "$1" != 137 ] || o=$(oom /sys/fs/cgroup/memory.events || oom /sys/fs/cgroup/memory/memory.oom_control)
  [ ! -e /dev/shm/kuberun.term ] || o=\${o}t
  printf '\\376%s%d%s;' "$m" "$1" "$o"
  [ -t 1 ] || printf '\\376%s%d%s;' "$m" "$1" "$o" >&4
  read -r _ </dev/shm/kuberun.ack
  exit "$1"
}
run() {
  trap : INT TERM HUP QUIT USR1 USR2
  (exec "$@" 2>&4 4>&-)
  end $?
}
unframe() {
  trap '' INT TERM HUP QUIT USR1 USR2
  while read -r n && [ "$n" -gt 0 ]; do dd bs="$n" count=1 iflag=fullblock || break; done
}
terminal() {
  t=$(tr '\\0' '\\n' </proc/1/environ | grep '^TERM=') && export "$t"
  n=0
  while [ "$n" -lt 20 ]; do
    size=$(stty size)
    [ $? != 127 ] && [ "\${size:-0 0}" = '0 0' ] || break
    sleep 0.05
    n=$((n + 1))
  done
}
m=$1 how=$2
shift 2
exec 4>&2 2>/dev/null
umask 077
mkfifo /dev/shm/kuberun.ack && echo $$ >/dev/shm/kuberun.pid || {
  echo 'kuberun: cannot write /dev/shm, or this run was started before' >&4
  exit 125
}
umask 022
[ ! -t 1 ] || terminal
[ ! -e /dev/shm/kuberun.args ] || . /dev/shm/kuberun.args
printf '\\376%s+' "$m"
[ "$how" != ask ] || read -r how
case $how in
framed) trap : INT TERM HUP QUIT USR1 USR2; unframe | run "$@" ;;
none) run "$@" </dev/null ;;
*) run "$@" ;;
esac
`.trim()

/**
 * How the command gets its stdin: `ask`: as the first line of the wrapper's own stdin says, `open` or `framed`, which is
 * known once the protocol is; `open`: the wrapper's own; `none`: end of file.
 */
export type InputMode = 'ask' | 'open' | 'none'

export function wrapperCommand(
  shell: Shell,
  options: { mark: string; input: InputMode; command: readonly string[] },
): string[] {
  return [...shell.command, '-c', shell.setup + script, 'kuberun', options.mark, options.input, ...options.command]
}
