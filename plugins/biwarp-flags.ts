import { backFlags } from './back-flags.ts'
import type { Values } from './flag-kinds.ts'
import { syncFlags } from './sync-flags.ts'
import { warpFlags } from './warp-flags.ts'

/** The flags of the plugins that sync the folder both ways. */
export const biwarpFlags = {
  ...syncFlags,
  ...backFlags,
  ...warpFlags,
  dir: { ...syncFlags.dir, summary: 'The folder that goes up to the pod, and that takes what comes back.' },
  exclude: {
    ...syncFlags.exclude,
    summary: 'Leave out, both ways, what matches this line of a .gitignore. Repeatable.',
  },
  include: {
    ...syncFlags.include,
    summary: 'Send and take back only what matches this line of a .gitignore. Repeatable.',
  },
  'no-ignore': {
    ...syncFlags['no-ignore'],
    summary: 'Send and take back also what git ignores, and what .warpignore names.',
  },
  once: {
    ...syncFlags.once,
    summary: 'Send nothing more once the command runs, and take back only when it has ended.',
  },
}

/** What they say, typed. */
export type BiwarpFlags = Values<typeof biwarpFlags>
