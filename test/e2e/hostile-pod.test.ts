import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { images } from './support/images.ts'
import { folderOf } from './support/local-tree.ts'
import { places } from './support/place.ts'
import type { Ended } from './support/programs.ts'

const { here } = await places({ here: {} })

/** Of a pod that answers with programs of its own instead of the image's. */
interface Hostile {
  title: string
  /** The program that does, and its script. */
  program: 'find' | 'tar'
  script: string
  /** What the command does before, in the remote root: the listing is to differ from what went up. */
  command?: string
  /** What is told. */
  said?: RegExp
  code?: number
  /** What is in the folder here in the end; as at the beginning, where it is not given. */
  files?: Readonly<Record<string, string>>
}

const own = { kept: 'kept\n', wanted: 'old\n' }
const change = 'echo new >wanted'
/** Archives what is in a folder of its own, whatever it was asked for. */
const insteadOf = (make: string, names: string): string =>
  `mkdir -p /tmp/w && cd /tmp/w && ${make}; exec /bin/tar -cf - ${names}`
const notListed = /^warning: what the command changed is not all here: the folder in the pod could not be listed: /m

const hostile: Hostile[] = [
  {
    title: 'lists a path that leads out of the folder',
    program: 'find',
    script: `printf 'f 644 4 1 1.0 1.0 ./../outside/new\\0\\0'`,
    said: /^warning: what the command changed is not all here: .* makes no sense: \.\.\/outside\/new$/m,
  },
  {
    title: 'lists a link, and a file behind it',
    program: 'find',
    script: `printf 'l 777 1 1 1.0 1.0 ./link\\0../outside\\0f 644 5 2 1.0 1.0 ./link/new\\0\\0'
      for last; do :; done; exec /usr/bin/find ./kept ./wanted -printf "$last"`,
    command: 'mkdir link && echo evil >link/new',
    code: 0,
    files: { ...own, link: '-> ../outside' },
  },
  {
    title: 'says what a terminal would obey',
    program: 'find',
    script: `printf '\\033]0;title\\007\\033[2J' >&2; exit 1`,
    said: /could not be listed: \\x1b\]0;title\\x07\\x1b\[2J$/m,
  },
  { title: 'never ends what it lists', program: 'find', script: 'exec yes', said: /has too many files to be listed$/m },
  {
    title: 'ends its listing in the middle, as if that were all',
    program: 'find',
    script: 'kill -9 $PPID',
    said: notListed,
  },
  {
    title: 'once lists nothing, and is content with it',
    program: 'find',
    script: `[ "$2" = -maxdepth ] || [ -e /tmp/listed ] || { touch /tmp/listed; exit 0; }; exec /usr/bin/find "$@"`,
    command: change,
    code: 0,
    files: { ...own, wanted: 'new\n' },
  },
  {
    title: 'sends a link instead of a file',
    program: 'tar',
    script: insteadOf('ln -sf ../outside/secret wanted', 'wanted'),
    command: change,
    said: /^warning: not brought back: "wanted" \(in the pod: it is not the file any more that was listed\)$/m,
  },
  {
    title: 'sends more than it has listed',
    program: 'tar',
    script: insteadOf('head -c 10000000 /dev/zero >wanted', 'wanted'),
    command: change,
    said: /^warning: not brought back: "wanted" \(/m,
  },
  {
    title: 'sends a second name for what nobody asked for',
    program: 'tar',
    script: insteadOf('echo evil >other; ln -f other wanted', 'other wanted'),
    command: change,
    said: /^warning: not brought back: "wanted" \(it is a hard link to "other", which is no file/m,
  },
  {
    title: 'cuts its archive',
    program: 'tar',
    script: '/bin/tar "$@" | head -c 700',
    command: change,
    said: /^warning: .*cannot read the archive from the pod: it was cut$/m,
  },
  {
    title: 'never ends its archive',
    program: 'tar',
    script: 'exec cat /dev/zero',
    command: change,
    said: /^warning: .*cannot read the archive from the pod: its end does not end$/m,
  },
]

describe('a pod that', { concurrency: 3, timeout: 240_000 }, () => {
  for (const { title, said, code = 125, files = own, ...how } of hostile) {
    test(title, async () => {
      await using world = await folderOf({ 'outside/secret': 'secret\n' })
      const [root, outside] = [join(world.path, 'root'), join(world.path, 'outside')]
      mkdirSync(root)
      for (const [name, content] of Object.entries(own)) writeFileSync(join(root, name), content)
      const before = statSync(outside).mtimeMs
      const ended = await runIn(root, how)
      assert.equal(ended.code, code, ended.stderr)
      assert.match(ended.stderr, said ?? /^$/)
      assert.deepEqual(contentsOf(root), files)
      assert.deepEqual(contentsOf(outside), { secret: 'secret\n' })
      assert.equal(statSync(outside).mtimeMs, before)
    })
  }
})

/** The programs come to be when the command runs: until then all is well. */
function runIn(
  root: string,
  { program, script, command = ':' }: Pick<Hostile, 'program' | 'script' | 'command'>,
): Promise<Ended> {
  const make = `mkdir /tmp/evil && printf '#!/bin/sh\\n%s\\n' "$1" >/tmp/evil/${program} && chmod +x /tmp/evil/${program}`
  const flags = `--once --image=${images.debian} --env=PATH=/tmp/evil:/usr/bin:/bin`
  return here.sh(`cd "$1" && exec kubectl biwarp ${flags} -- sh -c "$2" sh "$3"`, {
    words: [root, `${command}; ${make}`, script],
    timeout: 120_000,
  })
}

/** By name, the content of each file, or `-> ` and the target of a link. */
function contentsOf(folder: string): Record<string, string> {
  const all = readdirSync(folder, { withFileTypes: true }).map((item) => {
    const path = join(folder, item.name)
    return [item.name, item.isSymbolicLink() ? `-> ${readlinkSync(path)}` : readFileSync(path, 'utf8')]
  })
  return Object.fromEntries(all) as Record<string, string>
}
