import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { KuberunError } from '../errors.ts'
import type { CredentialSource, Identity } from './credentials.ts'
import type { ClusterConfig } from './kubeconfig.ts'
import { readMaterial } from './material.ts'

// A rotated file is noticed after this many milliseconds at the latest.
const fileAge = 10_000

/** The client certificate that a kubeconfig names; `undefined` where it names none. */
export function certificateCredentials(config: ClusterConfig): CredentialSource | undefined {
  const { user } = config
  const named = ['client-certificate', 'client-certificate-data', 'client-key', 'client-key-data'] as const
  if (named.every((field) => user[field] === undefined)) return undefined
  return reread(async () => {
    const folder = config.userFolder
    const [cert, key] = await Promise.all([
      readMaterial({
        data: user['client-certificate-data'],
        file: user['client-certificate'],
        folder,
        field: 'client-certificate',
      }),
      readMaterial({ data: user['client-key-data'], file: user['client-key'], folder, field: 'client-key' }),
    ])
    if (cert !== undefined && key !== undefined) return { cert: cert.toString(), key: key.toString() }
    const [has, lacks] =
      cert === undefined ? ['client-key', 'client-certificate'] : ['client-certificate', 'client-key']
    throw new KuberunError('kubeconfig', `the user "${config.userName}" has a ${has} but no ${lacks}`)
  })
}

/** A token, or a file with one. As for client-go, the file counts and the token stands in while it cannot be read. */
export function tokenCredentials({ user, userFolder }: ClusterConfig): CredentialSource {
  const { token, tokenFile } = user
  if (tokenFile === undefined) {
    const identity = { authorization: `Bearer ${token}` }
    return { get: async () => identity, refused: () => false }
  }
  const path = resolve(userFolder, tokenFile)
  return reread(async () => {
    try {
      const text = (await readFile(path, 'utf8')).trim()
      if (text !== '') return { authorization: `Bearer ${text}` }
      throw new Error('it is empty')
    } catch (error) {
      if (token !== undefined) return { authorization: `Bearer ${token}` }
      const message = `cannot read the token file "${path}": ${(error as Error).message}`
      throw new KuberunError('credentials', message, { cause: error })
    }
  })
}

/** Reads again when what was read is old or was refused; an unchanged content stays the same object. */
function reread(read: () => Promise<Identity>): CredentialSource {
  let last: Identity | undefined
  let pending: Promise<Identity> | undefined
  let readAt = Number.NEGATIVE_INFINITY
  const refresh = async (): Promise<Identity> => {
    const next = await read()
    readAt = performance.now()
    if (last === undefined || JSON.stringify(last) !== JSON.stringify(next)) last = next
    return last
  }
  return {
    get: async () => {
      if (last !== undefined && performance.now() - readAt < fileAge) return last
      pending ??= refresh().finally(() => {
        pending = undefined
      })
      return pending
    },
    refused: () => {
      readAt = Number.NEGATIVE_INFINITY
      return true
    },
  }
}
