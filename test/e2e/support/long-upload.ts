import { readFileSync } from 'node:fs'
import type { Started } from './programs.ts'
import { until } from './wait.ts'

/** In a folder, `$1`: an upload of a file that is nothing on the disk and long on its way. */
export const longUpload = `cd "$1" && truncate -s 4G large && exec kubectl warp --max-upload 5GB $2 echo ran`

/** Waits until much of it has gone, but not all. */
export async function halfWay(run: Started): Promise<void> {
  await until('the upload', () => {
    const [, written = ''] = /^wchar: (\d+)$/m.exec(readFileSync(`/proc/${run.pid}/io`, 'utf8')) ?? []
    return Number(written) > 20_000_000
  })
}
