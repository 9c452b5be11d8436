import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Folder, temporaryFolder } from './kube-home.ts'

const openssl = async (folder: string, ...args: string[]): Promise<void> => {
  await promisify(execFile)('openssl', args, { cwd: folder })
}

export interface Pair {
  cert: string
  key: string
}

/** A certificate authority of a test's own. */
export interface Authority extends AsyncDisposable {
  readonly cert: string
  /** Signs a certificate for names such as `IP:127.0.0.1`; a negative number of days is one that has ended. */
  sign(name: string, alternatives: string, days?: number): Promise<Pair>
}

const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

export async function createAuthority(name = 'test CA'): Promise<Authority> {
  const folder: Folder = await temporaryFolder()
  const { path } = folder
  await openssl(
    path,
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-subj',
    `/CN=${name}`,
    '-days',
    '2',
  )
  let serial = 1
  return {
    cert: await readFile(join(path, 'ca.crt'), 'utf8'),
    sign: async (subject, alternatives, days = 2) => {
      const id = String(++serial)
      await writeFile(join(path, `${id}.ext`), `subjectAltName=${alternatives}\n`)
      await openssl(path, 'req', ...key, '-keyout', `${id}.key`, '-out', `${id}.csr`, '-subj', `/CN=${subject}`)
      const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-set_serial', id, '-days', String(days)]
      await openssl(path, 'x509', '-req', '-in', `${id}.csr`, ...signing, '-extfile', `${id}.ext`, '-out', `${id}.crt`)
      const read = (suffix: string): Promise<string> => readFile(join(path, `${id}.${suffix}`), 'utf8')
      return { cert: await read('crt'), key: await read('key') }
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

/** As the `…-data` fields of a kubeconfig hold it. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
