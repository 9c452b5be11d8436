import { readFile } from 'node:fs/promises'
import type { ContainerSpec } from '../runtime.ts'
import { resolveIn } from './lookup.ts'
import { standardPath } from './tools.ts'

/** Who a container's processes are. */
export interface User {
  uid: number
  gid: number
  home: string
}

/** The user that is asked for, root otherwise, with the group and the home that the image's /etc/passwd has for it. */
export async function userOf(spec: ContainerSpec, imageRoot: string): Promise<User> {
  const uid = spec.uid ?? 0
  const file = imageRoot + (await resolveIn(imageRoot, '/etc/passwd'))
  const lines = await readFile(file, 'utf8').catch(() => '')
  const entry = lines
    .split('\n')
    .map((line) => line.split(':'))
    .find((fields) => fields[2] === String(uid))
  return { uid, gid: spec.gid ?? Number(entry?.[3] ?? 0), home: entry?.[5] || '/' }
}

/** What a runtime adds where the pod says nothing. */
export function environmentOf(spec: ContainerSpec, user: User): Record<string, string> {
  return { PATH: standardPath, HOSTNAME: spec.hostname, HOME: user.home, ...spec.env }
}
