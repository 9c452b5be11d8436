import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inChroots } from './support/ground.ts'
import { has, images } from './support/images.ts'
import { places } from './support/place.ts'
import { sh } from './support/programs.ts'
import { openTerminal, type Terminal } from './support/tmux.ts'

const { here } = await places({ here: {} })
const reason = (await sh('tmux -V')).code === 0 ? false : 'needs tmux, to have a terminal'

/** A shell in a terminal, with a prompt that nothing else prints. */
function terminal(): Promise<Terminal> {
  return openTerminal(here.kubeconfig)
}

describe('at a terminal', { concurrency: 2, timeout: 300_000, skip: reason }, () => {
  test('a shell: prompt, terminal type, colours, size, Ctrl-C, Ctrl-Z, Ctrl-D, and a sane terminal after', async () => {
    await using t = await terminal()
    await t.type('echo here is $TERM')
    await t.shows(/^here is \S+$/m)
    const [, own] = /^here is (\S+)$/m.exec(await t.screen()) ?? []
    // The command has it of process 1, which a chroot does not show it: there it is the runtime's.
    const term = inChroots ? 'xterm' : own
    await t.type('stty -a | tail -n +2 >before; kubectl kuberun -it sh')
    await t.shows(/\/ #$/)
    await t.type('echo "<$TERM>" $(stty size); test -t 0 && test -t 1 && test -t 2 && echo tty$((1+1))')
    await t.shows(new RegExp(`^<${term}> 30 100$`, 'm'))
    await t.shows(/^tty2$/m)

    await t.type(`printf '\\033[31mred\\033[0m\\n'`)
    await t.shows(/\[31mred/, { escapes: true })

    await t.resize(81, 24)
    await t.type('stty size')
    await t.shows(/^24 81$/m)

    // Before it runs, the shell itself would get the key.
    await t.type('sh -c "echo asleep; exec sleep 1000"')
    await t.shows(/^asleep$/m)
    await t.key('C-c')
    await t.type('echo code $?')
    await t.shows(/^code 130$/m)

    await t.type('sh -c "echo drowsy; exec sleep 999"')
    await t.shows(/^drowsy$/m)
    await t.key('C-z')
    await t.shows(/Stopped/)
    await t.type('fg')
    await t.shows(/^sh -c .*sleep 999/m)
    await t.key('C-c')
    await t.type('echo again $?')
    await t.shows(/^again 130$/m)

    await t.key('C-d')
    // What is typed before goes to the shell that has ended, as with ssh.
    await t.shows(/^here>$/m)
    // The first line is the size, which has changed. The shell ends with the code of its last command, the echo.
    await t.type('echo ended $?; stty -a | tail -n +2 >after; cmp before after && echo sane')
    await t.shows(/^ended 0$/m)
    await t.shows(/^sane$/m)
  })

  test('a tty is there by itself, and a shell’s exit code is ours', async () => {
    await using t = await terminal()
    await t.type('kuberun sh')
    await t.shows(/\/ #$/)
    await t.type('exit 7')
    await t.shows(/^here>$/m)
    await t.type('echo code $?')
    await t.shows(/^code 7$/m)
  })

  test('there is none where stdout or stderr goes elsewhere', async () => {
    await using t = await terminal()
    await t.type('kuberun tty | cat; kuberun tty 2>err; kuberun --tty=false tty; echo end')
    await t.shows(/^end$/m)
    assert.equal((await t.screen()).match(/^not a tty$/gm)?.length, 3, await t.screen())
  })

  test('whether to send so much is asked: the command gets what is typed later, and Ctrl-C ends it all', async () => {
    await using t = await terminal()
    await t.type('cd "$(mktemp -d)"; echo content >file; clear')
    await t.type('kubectl warp --max-upload 3B head -n 1')
    await t.shows(/\[y\/N\]$/)
    await t.type('y')
    await t.type('a line')
    await t.shows(/^a line\n(a line\n)?here>$/m)

    for (const [key, code] of [
      ['C-c', 130],
      ['C-d', 125],
    ] as const) {
      await t.type('clear; kubectl warp --max-upload 3B echo ran')
      await t.shows(/\[y\/N\]$/)
      await t.key(key)
      // What is typed before goes to the program that has not ended yet.
      await t.shows(/^here>$/m)
      await t.type('echo code $?')
      await t.shows(new RegExp(`^code ${code}$`, 'm'))
      assert.doesNotMatch(await t.screen(), /Abort|^ran$/m)
    }

    await t.type('clear; kubectl warp --max-upload 3B echo ran & wait $!; echo code $?')
    await t.shows(/^code 125$/m)
    assert.match(await t.screen(), /^error: .*--max-upload=3B/m)
  })

  test('Ctrl-C ends a command and the loop around it', async () => {
    await using t = await terminal()
    await t.type('for i in 1 2 3; do echo round $i; kuberun sh -c "echo up; exec sleep 1000"; done; echo out $?')
    await t.shows(/^up\s*$/m)
    await t.key('C-c')
    await t.shows(/^here>$/m)
    const screen = await t.screen()
    assert.match(screen, /^round 1$/m)
    assert.doesNotMatch(screen, /^round 2$/m)
    await t.type('echo then $?')
    await t.shows(/^then 130$/m)
  })

  test('Ctrl-C ends a command without a tty, and the loop around it', async () => {
    await using t = await terminal()
    await t.type('for i in 1 2 3; do echo round $i; kuberun "echo up; exec sleep 1000" | cat; done')
    await t.shows(/^up\s*$/m)
    await t.key('C-c')
    await t.shows(/^here>$/m)
    assert.doesNotMatch(await t.screen(), /^round 2$/m)
  })

  test('Ctrl-C before the pod is there', async () => {
    await using t = await terminal()
    await t.type('kuberun --node-selector no=where true; echo code $?')
    await t.shows(/cannot be scheduled/)
    await t.key('C-c')
    // bash gives up the rest of a line whose command was ended by Ctrl-C.
    await t.shows(/^here>$/m)
    await t.type('echo then $?')
    await t.shows(/^then 130$/m)
  })

  test('in the background it finishes, and is not stopped', async () => {
    await using t = await terminal()
    await t.type('kuberun sh -c "sleep 2; echo from behind" & sleep 0.1; echo front')
    await t.shows(/^front$/m)
    await t.shows(/^(here>)?from behind$/m)
    await t.type('wait; jobs; echo jobs $?')
    await t.shows(/^jobs 0$/m)
    assert.doesNotMatch(await t.screen(), /Stopped/)
  })

  test('sleep 2 & as it is', async () => {
    await using t = await terminal()
    await t.type('kuberun sleep 2 &')
    await t.type('wait %1; echo code $?')
    await t.shows(/^code 0$/m)
    assert.doesNotMatch(await t.screen(), /Stopped/)
  })

  test('stderr in a file is apart from stdout', async (context) => {
    if (!(await has(context, here, images.build))) return
    await using t = await terminal()
    await t.type(`kuberun --image ${images.build} make nosuch 2>err; echo code $?; echo; cat err`)
    await t.shows(/^code 2$/m)
    await t.shows(/\n\nmake: \*\*\* No rule/)
  })

  test('what waits for more than a second says so on one line, which is gone after', async () => {
    await using t = await terminal()
    const containers = [{ name: 'first', image: 'alpine:3.20', command: ['sleep', '3'] }]
    const overrides = JSON.stringify({ spec: { initContainers: containers } })
    await t.type(`kuberun --overrides '${overrides}' echo hi`)
    await t.shows(/^kuberun: .* \(\d+ s\)$/m)
    await t.shows(/^hi$/m)
    assert.doesNotMatch(await t.screen(), /^kuberun: .* \(\d+ s\)/m)
  })

  test('a terminal is sane after a client that lost its pod', async () => {
    await using t = await terminal()
    await t.type('stty -a >before2; kuberun -l e2e=tty sh')
    await t.shows(/\/ #$/)
    // A shell at a terminal pays no heed to TERM: it has the whole grace period.
    assert.equal((await here.sh('kubectl delete pod -l e2e=tty --grace-period=3 --wait=false')).code, 0)
    await t.shows(/it was deleted/)
    await t.type('echo code $?; stty -a >after2; cmp before2 after2 && echo sane')
    await t.shows(/^code 125$/m)
    await t.shows(/^sane$/m)
  })

  test('keys that were typed before the shell was there are not lost', async () => {
    await using t = await terminal()
    await t.type('kuberun sh')
    await t.type('echo early $((40+2))')
    await t.shows(/^early 42$/m)
    await t.key('C-d')
    await t.shows(/^here>$/m)
  })

  test('a line with a full screen program’s size from the start', async () => {
    await using t = await terminal()
    await t.type('kuberun stty size')
    await t.shows(/^30 100$/m)
  })
})
