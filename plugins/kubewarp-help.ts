import type { PluginHelpTexts } from './help-texts.ts'
import { warpHelp } from './warp-help.ts'

/** What the help of kubewarp says beside the flags. */
export const kubewarpHelp: PluginHelpTexts = {
  usage: '[flags] [--] INCLUDE COMMAND [ARG...]',
  description:
    'The short form of "kubectl warp --include=INCLUDE COMMAND": run one command in an ephemeral pod, to which what ' +
    'matches INCLUDE goes up from the local folder, before the command starts and whenever it changes. INCLUDE is a ' +
    'line of a .gitignore; quote it, or your shell makes files of it. What git ignores does not go up. ' +
    'A SIZE is such as 500MB, 1.5GB or 200MiB; a bare number is bytes. ' +
    'A TIME is such as 90s, 1m30s or 1.5h; a bare number is seconds.',
  examples: [
    ['Tests of the sources, which alone go up', "{bin} --image=node:24 'src/**' node --test src"],
    ['One word with shell syntax in it goes to sh -c', "{bin} '*.csv' 'cat *.csv | sort | uniq -c'"],
    ['Two patterns', "{bin} --include=Makefile --image=gcc:15 'src/**' make"],
    ['What would go up, and why', "{bin} --plan 'src/**'"],
  ],
  exitCodes: warpHelp.exitCodes,
}
