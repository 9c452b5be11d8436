import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ApiObject } from '../../src/sandbox/cluster/objects.ts'
import { fieldSelector, labelSelector } from '../../src/sandbox/cluster/selectors.ts'

const metadata = { name: 'p', namespace: 'n', uid: 'u', resourceVersion: '1', creationTimestamp: '' }
const object = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadata, labels: { app: 'web', 'kuberun/run': 'x1' } },
  status: { phase: 'Running' },
} as ApiObject

describe('label selectors', () => {
  const rows: [selector: string, matches: boolean][] = [
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app = web', true],
    ['app=db', false],
    ['app!=db', true],
    ['other!=db', true],
    ['app!=web', false],
    ['app in (db, web)', true],
    ['app in (db)', false],
    ['other in (db)', false],
    ['app notin (db)', true],
    ['app notin (web,db)', false],
    ['other notin (web)', true],
    ['app', true],
    ['!app', false],
    ['!other', true],
    ['other', false],
    ['app=web,kuberun/run=x1', true],
    ['app=web,kuberun/run in (x2,x3)', false],
  ]
  for (const [selector, matches] of rows) {
    test(JSON.stringify(selector), () => assert.equal(labelSelector(selector)(object), matches))
  }
  for (const wrong of ['a,,b', 'a in b', '-a', 'a=b c']) {
    test(`${wrong} is refused`, () => assert.throws(() => labelSelector(wrong), { name: 'StatusError' }))
  }
})

describe('field selectors', () => {
  const fields = ['metadata.name', 'status.phase', 'spec.nodeName']
  const rows: [selector: string, matches: boolean][] = [
    ['metadata.name=p', true],
    ['metadata.name=q', false],
    ['metadata.name=p,status.phase!=Failed', true],
    ['spec.nodeName=', true],
  ]
  for (const [selector, matches] of rows) {
    test(selector, () => assert.equal(fieldSelector(selector, fields)(object), matches))
  }
  test('a field that may not be asked for', () => {
    assert.throws(() => fieldSelector('spec.x=y', fields), { message: 'field label not supported: spec.x' })
  })
})
