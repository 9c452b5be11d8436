import type { PluginHelpTexts } from './help-texts.ts'
import { warpHelp } from './warp-help.ts'

const meanings: Readonly<Record<string, string>> = {
  '0-255': "the command's own; one that is not 0 counts, whatever happens to what comes back",
  '125':
    'biwarp itself failed: flags, folder, sync, cluster, pod or stream; or the command ended with 0, and what it changed ' +
    'is not all here: it could not come, so much was deleted that it was halted, or --on-conflict=fail and a conflict',
}

/** What the help of biwarp says beside the flags. */
export const biwarpHelp: PluginHelpTexts = {
  usage: '[flags] [--] COMMAND [ARG...]',
  description:
    'Run one command in an ephemeral pod, in a copy of the local folder, and take back what it changes: what git does ' +
    'not ignore goes up as with warp, and what the command creates, changes or deletes comes back while it runs and when ' +
    'it has ended, after a failure and after Ctrl-C too. A file that changed here as well stays as it is here, and what ' +
    'the command made of it comes beside it as NAME.remote-RUNID (--on-conflict), with a warning. So does what the ' +
    'command made in the place of something here that was never sent. Besides, all is as for kuberun. ' +
    'Flags end at the first word that is not one, or at "--": the rest is the command. ' +
    'A SIZE is such as 500MB, 1.5GB or 200MiB; a bare number is bytes. ' +
    'A TIME is such as 90s, 1m30s, 1.5h or 200ms; a bare number is seconds.',
  examples: [
    ['A formatter that rewrites the sources', '{bin} --image=golang:1.25 gofmt -w .'],
    ['What is built comes back, although git ignores it', "{bin} --image=gcc:15 --return='build/**' -- make"],
    ['Only the sources go and come', "{bin} --include='src/**' --image=node:24 node src/generate.js"],
    ['What would go up, and why', '{bin} --plan'],
    ['What the command made wins', '{bin} --on-conflict=remote --image=node:24 npx prettier --write .'],
    ['Nothing goes up once it runs, and nothing comes back before its end', '{bin} --once --image=gcc:15 make test'],
    ['A log that is here as it is written', "{bin} --return-interval=200ms './long-test >test.log'"],
  ],
  exitCodes: warpHelp.exitCodes.map(([code, meaning]) => [code, meanings[code] ?? meaning]),
}
