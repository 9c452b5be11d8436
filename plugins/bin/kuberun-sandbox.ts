import { takeIgnoredSignals } from '../ignored-signals.ts'
import { leave } from '../leave.ts'
import { describeError } from '../report.ts'
import { runSandbox } from '../sandbox.ts'

async function main(): Promise<never> {
  const ignored = takeIgnoredSignals(process.env)
  return leave(
    await runSandbox(process.argv.slice(2), ignored).catch((error: unknown) => {
      process.stderr.write(describeError(error, Boolean(process.env.DEBUG)))
      return { exitCode: 125 }
    }),
  )
}

// Not awaited: a module that awaits cannot be required, which is how the stub gets here.
void main()
