/** A process with a runtime, to be killed: it prints the runtime's folder when all runs. */
import type { IsolationName } from '../../../src/sandbox/runtime/open.ts'
import { openBox } from './box.ts'

const box = await openBox(process.argv[2] as IsolationName)
const command = ['sh', '-c', 'sleep 1000 & echo up; wait']
const containers = await Promise.all(Array.from({ length: 5 }, () => box.start(command, { uid: 65532 })))
await box.printed('up\n'.repeat(containers.length))
for (const container of containers) {
  const exec = await container.exec({ command, stdin: true, tty: false })
  await new Promise((resolve) => exec.stdout.once('data', resolve))
}
console.log(box.runtime.folder)
