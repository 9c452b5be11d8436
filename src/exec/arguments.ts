import { KuberunError } from '../errors.ts'
import type { KubeClient } from '../kube/client.ts'
import type { Shell } from '../pod/shell.ts'
import { openExec, type Target } from './exec.ts'
import { quote } from './quote.ts'

/**
 * Load balancers take a request line of 8 KiB at least, of which the wrapper needs the rest. The API server drops a query
 * of more than 10,000 words, which are always longer.
 */
const longest = 5_000

/** Whether an argv is too long for the exec's own query. */
export function isLong(argv: readonly string[]): boolean {
  return String(new URLSearchParams(argv.map((word) => ['command', word]))).length > longest
}

/** Takes exactly as many bytes as announced, so that it needs no end of input, which v4 does not have. */
const script = `
umask 077
read -r n
dd bs="$n" count=1 iflag=fullblock >/dev/shm/kuberun.args 2>/dev/null
[ "$(wc -c </dev/shm/kuberun.args)" -eq "$n" ]
`.trim()

/**
 * Brings a long argv to where the wrapper finds it: as a script that sets it, in /dev/shm.
 *
 * @throws {KuberunError} `stream` when it did not get there whole
 */
export async function uploadArguments(
  client: KubeClient,
  request: { target: Target; shell: Shell; argv: readonly string[]; signal: AbortSignal },
): Promise<void> {
  const { target, shell, argv, signal } = request
  const command = [...shell.command, '-c', shell.setup + script]
  const exec = await openExec(client, { target, command, stdin: true, tty: false, signal })
  const body = Buffer.from(`set -- ${argv.map(quote).join(' ')}\n`)
  const sent = exec.input({ framed: false }).write(Buffer.concat([Buffer.from(`${body.length}\n`), body]))
  let next = await exec.output.next()
  while (!next.done) next = await exec.output.next()
  exec.close()
  await sent
  if (next.value.kind === 'failed') throw next.value.error
  if (next.value.code !== 0) {
    throw new KuberunError('stream', `the command's ${argv.length} words could not be brought into the container`, {
      hint: 'they go to /dev/shm there, which may be full: give the command fewer words, or feed it by stdin',
    })
  }
}
