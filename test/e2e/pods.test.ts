import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { inChroots, needsCluster } from './support/ground.ts'
import { has, images } from './support/images.ts'
import { kubectl, places } from './support/place.ts'
import { expect, expectError, folder } from './support/programs.ts'
import { until } from './support/wait.ts'

const { here } = await places({ here: {} })

interface Pod {
  metadata: {
    name: string
    labels: Record<string, string>
    annotations: Record<string, string>
    ownerReferences?: object[]
  }
  spec: {
    containers: { name: string; command: string[]; env?: object[]; resources: object }[]
    tolerations?: object[]
    nodeSelector?: object
    serviceAccountName: string
    automountServiceAccountToken: boolean
    activeDeadlineSeconds: number
    terminationGracePeriodSeconds: number
    enableServiceLinks: boolean
    restartPolicy: string
  }
}

/** The pod of a run while its command sleeps. */
async function podOf(flags: string, label: string): Promise<Pod> {
  const run = here.start(`exec kuberun -l ${label} ${flags} 'echo up; sleep 100'`)
  try {
    await until('the command', () => run.stdout() === 'up\n')
    const list = JSON.parse(await kubectl(`get pods -n ${here.namespace} -l ${label} -o json`)) as { items: Pod[] }
    const [pod] = list.items
    assert.ok(pod)
    return pod
  } finally {
    run.kill('SIGTERM')
    await run.ended
  }
}

describe('the pod', { concurrency: 3, timeout: 120_000 }, () => {
  test('is ours by its labels, has no token, no service links, an end, and a guard', async () => {
    const { metadata, spec } = await podOf('', 'e2e=plain')
    assert.match(metadata.name, /^kuberun-[a-z0-9]+$/)
    assert.equal(metadata.labels['app.kubernetes.io/managed-by'], 'kuberun')
    assert.equal(spec.automountServiceAccountToken, false)
    assert.equal(spec.enableServiceLinks, false)
    assert.equal(spec.restartPolicy, 'Never')
    assert.equal(spec.activeDeadlineSeconds, 24 * 3600)
    assert.equal(spec.terminationGracePeriodSeconds, 30)
    assert.equal(metadata.ownerReferences?.length, 1)
  })

  test('tells nothing of the arguments and the environment', async () => {
    const word = 's3cret-argument'
    const run = here.start(
      `exec kuberun -l e2e=secret --env PASS=s3cret-value --env COPIED -- sh -c 'echo up; sleep 100' ${word}`,
      {
        env: { COPIED: 's3cret-copy' },
      },
    )
    await until('the command', () => run.stdout() === 'up\n')
    const list = JSON.parse(await kubectl(`get pods -n ${here.namespace} -l e2e=secret -o json`)) as { items: Pod[] }
    const metadata = JSON.stringify(list.items.map((pod) => pod.metadata))
    const commands = JSON.stringify(list.items.map((pod) => pod.spec.containers.map((c) => c.command)))
    // What every process in the container shows to whoever may look at it from the node.
    const shown = await here.sh(
      `kubectl exec ${list.items[0]?.metadata.name} -- sh -c 'cat /proc/[0-9]*/cmdline | tr "\\0" " "'`,
    )
    run.kill('SIGTERM')
    await run.ended
    for (const text of [metadata, commands]) assert.doesNotMatch(text, /s3cret/)
    assert.doesNotMatch(shown.stdout, /s3cret-(value|copy)/)
  })

  test('holds the arguments in its annotations with --record', async () => {
    const { metadata } = await podOf('--record', 'e2e=record')
    assert.match(JSON.stringify(metadata.annotations), /echo up; sleep 100/)
  })

  test('has what the flags say', async () => {
    const flags =
      '--labels a=b,c=d --annotations note=hello,world --limits cpu=1,memory=64Mi --requests cpu=10m --deadline 1h ' +
      '--toleration special=yes:NoSchedule --toleration any --node-selector kubernetes.io/os=linux --serviceaccount default'
    const { metadata, spec } = await podOf(flags, 'e2e=flags')
    assert.equal(metadata.labels['a'], 'b')
    assert.equal(metadata.labels['c'], 'd')
    assert.equal(metadata.annotations['note'], 'hello,world')
    assert.deepEqual(spec.containers[0]?.resources, {
      limits: { cpu: '1', memory: '64Mi' },
      requests: { cpu: '10m', memory: '64Mi' },
    })
    assert.equal(spec.activeDeadlineSeconds, 3600)
    assert.deepEqual(spec.nodeSelector, { 'kubernetes.io/os': 'linux' })
    const tolerations = JSON.stringify(spec.tolerations)
    assert.match(
      tolerations,
      /"key":"special","operator":"Equal","value":"yes","effect":"NoSchedule"|"effect":"NoSchedule","key":"special"/,
    )
    assert.match(tolerations, /"key":"any","operator":"Exists"|"operator":"Exists","key":"any"/)
    assert.equal(spec.serviceAccountName, 'default')
    assert.equal(spec.automountServiceAccountToken, true)
  })

  test('has a service account’s token where one was asked for, and none otherwise', {
    skip: needsCluster('service accounts'),
  }, async () => {
    const path = '/var/run/secrets/kubernetes.io/serviceaccount/token'
    expect(await here.sh(`kuberun --serviceaccount default -- test -s ${path}`), { code: 0 })
    expect(await here.sh(`kuberun -- test -e ${path}`), { code: 1 })
  })
})

describe('the command’s surroundings', { concurrency: 3, timeout: 120_000 }, () => {
  test('--env sets, copies and keeps every character', async () => {
    const value = `a b  "c" 'd' $HOME $(HOME) $$ \\ é\n2`
    const ended = await here.sh(
      `kuberun --env "A=$1" --env COPIED --env NOT_SET --env E= -- sh -c 'printf "<%s>" "$A" "$COPIED" "$E" "\${NOT_SET-unset}"'`,
      {
        words: [value],
        env: { COPIED: value, NOT_SET: undefined },
      },
    )
    expect(ended, { code: 0, stdout: `<${value}><${value}><><unset>`, stderr: '' })
  })

  test('--env-file', async () => {
    writeFileSync(join(folder, 'env'), '# a comment\nA=1 \nB="x y"\r\nCOPIED\n\nC=a=b\n')
    const ended = await here.sh(`kuberun --env-file env --env B=2 -- sh -c 'printf "<%s>" "$A" "$B" "$C" "$COPIED"'`, {
      env: { COPIED: 'here' },
    })
    expect(ended, { code: 0, stdout: '<1 ><2><a=b><here>', stderr: '' })
  })

  test('a variable that shells drop is told, with the way to set it', async () => {
    const ended = await here.sh('kuberun --env a.b=c --env D=e env a.b=f env')
    expect(ended, { code: 0, stdout: /^a\.b=f$/m, stderr: /^warning: .* "a\.b".*"env a\.b=VALUE COMMAND"\n$/ })
    assert.doesNotMatch((await here.sh('kuberun --env a.b=c env')).stdout, /^a\.b=/m)
  })

  test('our own environment stays here', async () => {
    const ended = await here.sh('kuberun env', { env: { ONLY_HERE: '1' } })
    expect(ended, { code: 0, stderr: '' })
    assert.doesNotMatch(ended.stdout, /ONLY_HERE|KUBECONFIG|^KUBERUN/im)
  })

  test('--workdir', async () => {
    expect(await here.sh('kuberun -w /usr/bin pwd'), { code: 0, stdout: '/usr/bin\n', stderr: '' })
    expect(await here.sh('kuberun --workdir=/made/here pwd'), { code: 0, stdout: '/made/here\n' })
  })

  test('a umask, open files and signals as in a fresh shell', {
    skip: inChroots && 'a chroot has no /proc of its own',
  }, async () => {
    // What our own shell has from its parent, with such a high number, a sandbox's processes have too.
    // INT and QUIT are ignored where the node's runtime was started so.
    const script = `umask; ls /proc/self/fd | grep -v ... | tr '\\n' ' '; grep SigIgn /proc/self/status`
    const ended = await here.sh('kuberun "$1"', { words: [script] })
    expect(ended, { code: 0, stdout: /^0022\n0 1 2 3 SigIgn:\t000000000000000[0246]\n$/, stderr: '' })
  })

  test('the last of two same flags counts, and a bool takes its value', async () => {
    expect(await here.sh('kuberun --workdir / --workdir /tmp --tty=false --restart=Never --command --rm -i pwd'), {
      code: 0,
      stdout: '/tmp\n',
    })
    expect(await here.sh('echo x | kuberun --stdin=false cat'), { code: 0, stdout: '' })
    expect(await here.sh('echo x | kuberun -i=false cat'), { code: 0, stdout: '' })
  })

  test('--shell', async () => {
    expect(await here.sh(`kuberun --shell=always echo '$((1+1))' ';' echo b`), { code: 0, stdout: '2\nb\n' })
    expect(await here.sh(`kuberun --shell=never 'echo a'`), { code: 127, stderr: /ENTRYPOINT|not found/ })
    expect(await here.sh(`kuberun -- 'echo $((1+2))'`), { code: 0, stdout: '3\n' })
    expect(await here.sh(`kuberun 'echo hi' there`), { code: 127 })
  })

  test('-v tells the time of each phase, on stderr', async () => {
    expect(await here.sh('kuberun -v echo hi'), { code: 0, stdout: 'hi\n', stderr: /pod made \d+ ms.*in all \d+ ms/ })
  })

  test('a tty that is wanted where there is none is a warning', async () => {
    expect(await here.sh('kuberun -it echo hi'), { code: 0, stdout: 'hi\n', stderr: /^warning: .*tty/ })
  })
})

describe('--dry-run', { timeout: 60_000 }, () => {
  const openApi = needsCluster('OpenAPI document, which kubectl create asks for')

  test('prints a pod that the API server accepts', { skip: openApi }, async () => {
    const flags = '--env A=b --limits memory=32Mi --requests cpu=10m -l e2e=dry'
    const ended = await here.sh(`kubectl kuberun --dry-run=client -o yaml ${flags} -- echo hi | kubectl create -f -`)
    expect(ended, { code: 0, stdout: /^pod\/kuberun-\S+ created\n$/, stderr: '' })
    expect(await here.sh('kubectl delete pod -l e2e=dry --now --wait=false'), { code: 0 })
  })

  test('prints JSON, and needs no cluster for it', async () => {
    const ended = await here.sh(
      `sed s/127.0.0.1:[0-9]*/127.0.0.1:1/ $KUBECONFIG >offline && kuberun --kubeconfig offline --dry-run -o json true`,
    )
    expect(ended, { code: 0, stderr: '' })
    assert.equal((JSON.parse(ended.stdout) as { kind: string }).kind, 'Pod')
  })
})

describe('--overrides', { concurrency: 3, timeout: 120_000 }, () => {
  const sidecar = { name: 'sidecar', image: 'alpine:3.20', command: ['sleep', '1000'] }

  test('a second container by a strategic merge: the run works and goes away', async () => {
    const patch = JSON.stringify({ spec: { containers: [sidecar] } })
    const ended = await here.sh(
      `kuberun -l e2e=sidecar --override-type=strategic --overrides '${patch}' -- sh -c 'echo hi; exit 3'`,
    )
    expect(ended, { code: 3, stdout: 'hi\n', stderr: '' })
    await until(
      'the pod to be gone',
      async () => (await kubectl(`get pods -n ${here.namespace} -l e2e=sidecar -o name`)) === '',
    )
  })

  test('a second container by a merge patch, which replaces the list', async () => {
    const patch = JSON.stringify({ spec: { containers: [sidecar, { name: 'kuberun' }] } })
    const ended = await here.sh(`kuberun --overrides '${patch}' -- sh -c 'echo hi; exit 3'`)
    expect(ended, { code: 3, stdout: 'hi\n', stderr: '' })
  })

  test('a second container by a JSON patch', async () => {
    const patch = JSON.stringify([{ op: 'add', path: '/spec/containers/-', value: sidecar }])
    expect(await here.sh(`kuberun --override-type=json --overrides '${patch}' echo hi`), { code: 0, stdout: 'hi\n' })
  })

  test('a sidecar that fails neither ends the run nor holds it up', async () => {
    const failing = { ...sidecar, command: ['sh', '-c', 'exit 1'] }
    const patch = JSON.stringify({ spec: { containers: [failing] } })
    const ended = await here.sh(`kuberun --override-type=strategic --overrides '${patch}' 'sleep 2; echo hi'`)
    expect(ended, { code: 0, stdout: 'hi\n', stderr: '' })
  })

  test('an init container, a volume and a variable from the pod itself', async () => {
    const patch = JSON.stringify({
      spec: {
        volumes: [{ name: 'v', emptyDir: {} }],
        initContainers: [
          {
            name: 'first',
            image: 'alpine:3.20',
            command: ['sh', '-c', 'echo from init >/v/f'],
            volumeMounts: [{ name: 'v', mountPath: '/v' }],
          },
        ],
        containers: [
          {
            name: 'kuberun',
            volumeMounts: [{ name: 'v', mountPath: '/v' }],
            env: [{ name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
          },
        ],
      },
    })
    const ended = await here.sh(`kuberun --override-type strategic --overrides '${patch}' 'cat /v/f; test -n "$NODE"'`)
    expect(ended, { code: 0, stdout: 'from init\n', stderr: '' })
  })

  test('holder, labels and restartPolicy cannot be overridden', async () => {
    const patch = JSON.stringify({
      metadata: { name: 'mine', labels: { 'app.kubernetes.io/managed-by': 'me' } },
      spec: { restartPolicy: 'Always', containers: [{ name: 'kuberun', command: ['false'], args: ['x'] }] },
    })
    const ended = await here.sh(`kuberun --override-type strategic --overrides '${patch}' echo hi`)
    expect(ended, { code: 0, stdout: 'hi\n' })
  })

  test('a root file system that cannot be written, and a user without a name', async () => {
    const patch = JSON.stringify({
      spec: {
        containers: [
          { name: 'kuberun', securityContext: { readOnlyRootFilesystem: true, runAsUser: 12345, runAsGroup: 12345 } },
        ],
      },
    })
    const ended = await here.sh(
      `echo in | kuberun --override-type strategic --overrides '${patch}' 'id -u; cat; exit 6'`,
    )
    expect(ended, { code: 6, stdout: '12345\nin\n', stderr: '' })
  })
})

describe('--rm', { concurrency: 3, timeout: 120_000 }, () => {
  test('never: the pod is named and can be used', async () => {
    const ended = await here.sh(`kuberun --rm=never -l e2e=keep 'echo hi >/tmp/f; exit 4'`)
    expect(ended, {
      code: 4,
      stdout: '',
      stderr: /pod "(\S+)" is kept.* "kubectl delete pod .*: kubectl exec -it .* -- sh/,
    })
    const [, name] = /pod "(\S+)" is kept/.exec(ended.stderr) ?? []
    expect(await here.sh(`kubectl exec ${name} -- cat /tmp/f`), { code: 0, stdout: 'hi\n' })
    expect(await here.sh(`kubectl delete pod ${name} --wait=false`), { code: 0 })
  })

  test('on-success keeps the pod of a failure', async () => {
    expect(await here.sh('kuberun --rm=on-success -l e2e=good true'), { code: 0, stderr: '' })
    const ended = await here.sh('kuberun --rm=on-success -l e2e=bad false')
    expect(ended, { code: 1, stderr: /is kept/ })
    expect(await here.sh('kubectl get pods -l e2e=bad -o name'), { stdout: /^pod\/kuberun-\S+\n$/ })
    expect(await here.sh('kubectl delete pod -l e2e=bad --wait=false'), { code: 0 })
    await until(
      'the pod to be gone',
      async () => (await kubectl(`get pods -n ${here.namespace} -l e2e=good -o name`)) === '',
    )
  })

  test('--rm, --rm=true and --rm=false as with kubectl run', async () => {
    expect(await here.sh('kuberun --rm true'), { code: 0, stderr: '' })
    expect(await here.sh('kuberun --rm=true true'), { code: 0, stderr: '' })
    expect(await here.sh('kuberun --rm=false -l e2e=false true'), { code: 0, stderr: /is kept/ })
    expect(await here.sh('kubectl delete pod -l e2e=false --wait=false'), { code: 0 })
  })
})

describe('--tools', { concurrency: 2, timeout: 120_000 }, () => {
  test('always brings a shell to any image', async () => {
    expect(await here.sh(`echo in | kuberun --tools=always 'cat; exit 3'`), { code: 3, stdout: 'in\n', stderr: '' })
  })

  test('never leaves an image alone', async () => {
    expect(await here.sh('kuberun --tools=never echo hi'), { code: 0, stdout: 'hi\n', stderr: '' })
  })

  test('always, to an image that has none: its own program and ours', async (t) => {
    if (!(await has(t, here, images.static))) return
    const ended = await here.sh(`kuberun --tools=always --image ${images.static} 'seq 3 | /app cat'`)
    expect(ended, { code: 0, stdout: '1\n2\n3\n', stderr: '' })
  })

  test('an image of tools that does not exist', async (t) => {
    if (!(await has(t, here, images.static))) return
    const ended = await here.sh(`kuberun --tools-image missing:3 --image ${images.static} -- /app x`)
    expectError(ended, /"missing:3"/, { within: 30_000 })
  })
})
