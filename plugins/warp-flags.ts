import type { Values } from './flag-kinds.ts'
import { flags } from './flags.ts'
import { syncFlags } from './sync-flags.ts'

/** The flags of the plugins that sync the folder up. */
export const warpFlags = {
  ...syncFlags,
  ...flags,
  output: { ...flags.output, summary: 'The format for --dry-run and --plan.' },
  workdir: { ...flags.workdir, summary: "The command's working directory, instead of --remote-dir." },
}

/** What they say, typed. */
export type WarpFlags = Values<typeof warpFlags>
