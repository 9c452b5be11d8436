/**
 * The other side of the control exec: one line in, `number word argument`, one line back, `number`.
 * A USR1 to process 1 is a beat; the wrapper's group gets the signals; a line to the pipe acknowledges the end, which
 * otherwise the pod's deletion does. A pod can be kept while its command still runs: the line then waits in the pipe's
 * opening, behind the answer.
 */
export const controlScript = `
while read -r n word argument; do
  case $word in
  beat) kill -s USR1 1 ;;
  kill) read -r p </dev/shm/kuberun.pid && kill "-$argument" "-$p" ;;
  acknowledge) echo >/dev/shm/kuberun.ack ;;
  keep) : >/dev/shm/kuberun.keep; kill -s USR1 1; { echo >/dev/shm/kuberun.ack; } </dev/null >/dev/null & ;;
  esac
  echo "$n"
done 2>/dev/null
`.trim()
