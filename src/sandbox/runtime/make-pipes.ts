import { spawn } from 'node:child_process'
import { constants, fchmod as fchmodWithCallback, open as openWithCallback } from 'node:fs'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { toolEnvironment } from './place.ts'

const open = promisify(openWithCallback)
const fchmod = promisify(fchmodWithCallback)

/** How many pipes are made at once. */
const batch = 24

/**
 * Makes pipes; gives the end of each that reads, not blocking.
 *
 * Node's own are sockets, which cannot be opened again as /dev/stdin and /dev/stderr. Named pipes can, but who opens one
 * whose writer has gone waits for another. So a shell makes a pipeline, and we open the pipes between its members.
 */
export async function makePipes(): Promise<number[]> {
  const member = 'member() { exec 3<&0; read -r pid _ </proc/self/stat; echo "$pid" >&8; read -r _ <&9; }'
  const script = `${member}; exec 8>&1 9<&0; :${' | member'.repeat(batch)}`
  const shell = spawn('sh', ['-c', script], { env: toolEnvironment(), stdio: ['pipe', 'pipe', 'ignore'] })
  const pipes: number[] = []
  for await (const pid of createInterface({ input: shell.stdout })) {
    const pipe = await open(`/proc/${pid}/fd/3`, constants.O_RDONLY | constants.O_NONBLOCK)
    // A container's user opens it again, too.
    await fchmod(pipe, 0o666)
    if (pipes.push(pipe) === batch) shell.stdin.end()
  }
  return pipes
}
