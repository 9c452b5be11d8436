import type { PluginHelpTexts } from './help-texts.ts'
import { kuberunHelp } from './kuberun-help.ts'

/** What the help of warp says beside the flags. */
export const warpHelp: PluginHelpTexts = {
  usage: '[flags] [--] COMMAND [ARG...]',
  description:
    'Run one command in an ephemeral pod, in a copy of the local folder: what git does not ignore goes up before the ' +
    'command starts, and again whenever it changes. Nothing comes back. Besides, all is as for kuberun. ' +
    'Flags end at the first word that is not one, or at "--": the rest is the command. ' +
    'A SIZE is such as 500MB, 1.5GB or 200MiB; a bare number is bytes. ' +
    'A TIME is such as 90s, 1m30s or 1.5h; a bare number is seconds.',
  examples: [
    ['The tests, on a cluster', '{bin} --image=golang:1.25 go test ./...'],
    ['What would go up, and why', '{bin} --plan'],
    ['Only the sources, into another folder there', "{bin} --include='src/**' --remote-dir=/app ls /app"],
    ['A server that takes each change as it is saved', '{bin} --image=node:24 node --watch server.js'],
    ['Build again after each change', "{bin} --image=gcc:15 --on-sync='make -j4' sleep infinity"],
    ['A copy that stays as it was at the start', '{bin} --once --image=gcc:15 make test'],
  ],
  exitCodes: kuberunHelp.exitCodes.map(([code, meaning]) =>
    code === '125' ? [code, 'warp itself failed: flags, folder, sync, cluster, pod or stream'] : [code, meaning],
  ),
}
