import type { Shell } from './shell.ts'

/**
 * The command of the container's process 1: a POSIX shell that holds the container open for the run's execs.
 *
 * - Sitting in `wait`, it reaps what the command's orphans leave.
 * - On TERM (a drain, a `kubectl delete`), or the STOPSIGNAL that the image has instead, it passes TERM on to the
 *   command's process group and waits for the wrapper that leads it, so that the command's own trap runs; without a
 *   command it ends at once.
 * - Without a sign of life, a USR1 from the control exec, for `orphanTimeout` it ends the command the same way, but waits
 *   for 5 s at most. When process 1 ends, the kernel ends every other process of the container.
 *
 * `kill` gets no `--`: BusyBox takes it for a process, and fails although it has sent the signal.
 *
 * A pod that is to be kept has a file in /dev/shm that says so. The holder itself notes there that it was asked to end, so
 * that the wrapper can tell a command that was ended with its pod.
 * It needs no writable file system but /dev/shm, which every container has under any uid.
 */
const script = `
stop() {
  trap '' TERM INT QUIT HUP WINCH USR1
  : >/dev/shm/kuberun.term
  kill "$z"
  if read -r p </dev/shm/kuberun.pid && kill -TERM "-$p"; then
    n=$1
    while kill -0 "$p" && [ "$n" -gt 0 ]; do sleep 0.1 || sleep 1; n=$((n - 1)); done
  fi
  exit 0
} 2>/dev/null
trap : USR1
trap 'stop 100000' TERM INT QUIT HUP WINCH
while :; do
  [ ! -e /dev/shm/kuberun.keep ] || set -- 2147483647
  sleep "$1" & z=$!
  wait "$z" && stop 50
  kill "$z" 2>/dev/null
done
`.trim()

/**
 * How often a holder, and the guard Job with it, must hear from us, in milliseconds: neither may miss three signs of life
 * in a row.
 */
export function beatInterval(orphanTimeout: number): number {
  return Math.min(15_000, orphanTimeout / 4)
}

/** @param orphanTimeout milliseconds without a beat after which the container ends itself */
export function holderCommand(shell: Shell, orphanTimeout: number): string[] {
  return [...shell.command, '-c', shell.setup + script, 'kuberun-holder', String(Math.ceil(orphanTimeout / 1000))]
}
