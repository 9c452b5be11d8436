import type { RunOptions } from '../options.ts'

/** What may not do what it is meant to, though it is no mistake: a sentence each, with what to do. */
export function doubtsAbout({ pod }: RunOptions): string[] {
  return pod.env.flatMap(({ name }) => (shellName.test(name) ? [] : [aboutVariable(name)]))
}

/** The names that a POSIX shell hands on; dash and BusyBox drop all others from what they were given. */
const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/

function aboutVariable(name: string): string {
  return `most images' shells drop the variable "${name}", whose name is not of letters, digits and "_": to set it all the same, run "env ${name}=VALUE COMMAND"`
}
