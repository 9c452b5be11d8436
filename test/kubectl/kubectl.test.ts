import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { execa } from 'execa'
import { startSandbox } from '../../src/sandbox/sandbox.ts'

/**
 * The same kubectl command lines against the sandbox and, with KUBERUN_TEST_GROUND=cluster, against the cluster of the
 * current context: both have to answer alike. $N is a namespace of the test's own, $POD the pod that each has made.
 */
const onCluster = process.env['KUBERUN_TEST_GROUND'] === 'cluster'
const hasKubectl = (await execa('kubectl', ['version', '--client'], { reject: false })).exitCode === 0

interface Row {
  script: string
  /** 0 where not given. */
  code?: number
  out?: RegExp
  err?: RegExp
}

const namespace = `kubectl-test-${randomBytes(3).toString('hex')}`
const sandbox = onCluster || !hasKubectl ? undefined : await startSandbox()
const env = { N: namespace, ...(sandbox && { KUBECONFIG: sandbox.kubeconfig }) }

async function sh(script: string) {
  const aliases = 'k() { kubectl -n "$N" "$@"; }'
  return execa('sh', ['-c', `${aliases}\n${script}`], { env, reject: false, timeout: 60_000, stdin: 'ignore' })
}

after(async () => {
  await sh('kubectl delete namespace "$N" --wait=false')
  await sandbox?.[Symbol.asyncDispose]()
})

const image = 'alpine:3.20'
const age = String.raw`\d+[smh]\S*`
const run = `k run w --image=${image} --restart=Never --`

/** In this order: a pod is made, looked at, used, and deleted. */
const lifeOfAPod: readonly Row[] = [
  { script: 'kubectl create namespace "$N"', out: /^namespace\/\S+ created$/ },
  { script: 'kubectl get namespace "$N"', out: new RegExp(`^NAME +STATUS +AGE\n\\S+ +Active +${age}$`) },
  { script: 'k get pods', err: /^No resources found in \S+ namespace\.$/ },
  // A new namespace gets its service account a moment after itself.
  {
    script: `for n in 1 2 3 4 5; do ${run} sh -c 'trap exit TERM; echo one; sleep 2; echo two; while :; do sleep 1; done' && break; sleep 1; done`,
    out: /^pod\/w created$/,
  },
  { script: 'k wait --for=condition=Ready pod/w --timeout=30s', out: /^pod\/w condition met$/ },
  { script: "k wait --for=jsonpath='{.status.phase}'=Running pod/w --timeout=5s", out: /^pod\/w condition met$/ },
  { script: 'k get pods', out: new RegExp(`^NAME +READY +STATUS +RESTARTS +AGE\nw +1/1 +Running +0 +${age}$`) },
  {
    script: 'k get pods -o wide',
    out: new RegExp(
      `^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\nw +1/1 +Running +0 +${age} +[\\d.]+ +\\S+ +<none> +<none>$`,
    ),
  },
  { script: 'k get pod w --no-headers', out: /^w +1\/1 +Running/ },
  { script: 'k get pod w -o name', out: /^pod\/w$/ },
  { script: 'k get pod/w -o jsonpath="{.status.phase} {.spec.restartPolicy}"', out: /^Running Never$/ },
  {
    script: 'k get pod w -o yaml',
    out: /^apiVersion: v1\nkind: Pod\nmetadata:\n[^]*\n {2}name: w\n[^]*\n {2}phase: Running\n/,
  },
  { script: 'k get pod w -o json', out: /^\{\n {4}"apiVersion": "v1",\n {4}"kind": "Pod",[^]*"phase": "Running"/ },
  { script: 'k get pods -l run=w -o name', out: /^pod\/w$/ },
  { script: "k get pods -l 'run notin (w)' -o name", out: /^$/ },
  { script: 'k get pods --field-selector status.phase=Running -o name', out: /^pod\/w$/ },
  { script: 'k get pods --field-selector metadata.name=other -o name', out: /^$/ },
  { script: 'k get pods --field-selector a=b', code: 1, err: /field label not supported: a/ },
  { script: 'k logs w --tail=1', out: /^(one|two)$/ },
  { script: 'timeout 4 kubectl -n "$N" logs -f w', code: 124, out: /^one\ntwo$/ },
  { script: 'k logs w --timestamps', out: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z one\n/ },
  { script: 'k logs w --tail=0', out: /^$/ },
  { script: 'k logs w --limit-bytes=2', out: /^on$/ },
  {
    script: 'k logs w --previous',
    code: 1,
    err: /\(BadRequest\): previous terminated container "w" in pod "w" not found/,
  },
  { script: 'k logs w -c other', code: 1, err: /container other is not valid for pod w/ },
  { script: 'k logs other', code: 1, err: /\(NotFound\): pods "other" not found/ },
  { script: "k exec w -- sh -c 'echo out; echo err >&2'", out: /^out$/, err: /^err$/ },
  { script: "k exec w -- sh -c 'exit 7'", code: 7, err: /^command terminated with exit code 7$/ },
  { script: 'echo some input | k exec -i w -- cat', out: /^some input$/ },
  { script: 'head -c 3000000 /dev/zero | k exec -i w -- wc -c', out: /^ *3000000$/ },
  { script: 'k exec w -- head -c 3000000 /dev/zero | wc -c', out: /^ *3000000$/ },
  { script: 'k exec w -- nosuchprogram', code: 1, err: /exec: "nosuchprogram": executable file not found in \$PATH/ },
  { script: 'k exec w -c other -- true', code: 1, err: /\(BadRequest\): container other is not valid for pod w/ },
  { script: 'k exec other -- true', code: 1, err: /\(NotFound\): pods "other" not found/ },
  {
    script: `script -qec 'kubectl -n ${namespace} exec -it w -- sh -c "[ -t 0 ] && [ -t 1 ] && echo both"' /dev/null </dev/null`,
    out: /both/,
  },
  {
    script:
      'd=$(mktemp -d) && cp /etc/passwd "$d/f" && k cp "$d" w:/tmp/there && k cp w:/tmp/there "$d/back" >/dev/null && cmp "$d/f" "$d/back/f"; c=$?; rm -r "$d"; exit $c',
  },
  {
    script: 'k describe pod w',
    out: /^Name: +w\nNamespace: +\S+\n[^]*\nNode: +\S+\/[\d.]+\n[^]*\nStatus: +Running\n[^]*Started: [^]*\nEvents:\n[^]*Scheduled [^]*Successfully assigned \S+\/w to [^]*Started /,
  },
  {
    script: 'k get events',
    out: /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n[^]*Normal +Scheduled +pod\/w +Successfully assigned/,
  },
  {
    script: 'k get events --field-selector involvedObject.name=w,reason=Started -o jsonpath="{.items[*].type}"',
    out: /^Normal$/,
  },
  { script: 'k label pod w color=red && k get pods -l color=red -o name', out: /^pod\/w labeled\npod\/w$/ },
  { script: 'k annotate pod w note=x', out: /^pod\/w annotated$/ },
  { script: `k patch pod w -p '{"metadata":{"labels":{"color":null}}}'`, out: /^pod\/w patched$/ },
  {
    script: `k patch pod w --type=json -p '[{"op":"add","path":"/metadata/labels/size","value":"big"}]'`,
    out: /^pod\/w patched$/,
  },
  { script: 'k get pod w --show-labels', out: /run=w,size=big$/ },
  {
    script: `k patch pod w -p '{"spec":{"restartPolicy":"Always"}}'`,
    code: 1,
    err: /^The Pod "w" is invalid: spec: Forbidden: pod updates may not change fields other than/,
  },
  { script: `${run} true`, code: 1, err: /\(AlreadyExists\): pods "w" already exists/ },
  // The watch tells the deletion.
  {
    script: 'timeout 6 kubectl -n "$N" get pods -w & sleep 2; k delete pod w --grace-period=3; wait $!',
    code: 124,
    out: /^(?=[^]*pod "w" deleted)[^]*w +1\/1 +Running[^]*w +1\/1 +Terminating[^]*w +0\/1 +Completed/,
  },
  { script: 'k get pod w', code: 1, err: /^Error from server \(NotFound\): pods "w" not found$/ },
  { script: 'k delete pod w', code: 1, err: /\(NotFound\): pods "w" not found/ },
  { script: 'k wait --for=delete pod/w --timeout=5s', code: 0 },
]

const others: readonly Row[] = [
  { script: 'kubectl version', out: /Server Version: v1\.\d+/ },
  {
    script: 'kubectl api-resources',
    out: /^NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND\n[^]*\npods +po +v1 +true +Pod\n[^]*\njobs +batch\/v1 +true +Job/,
  },
  {
    script: `k run e --image=${image} --restart=Never -i --rm --quiet -- sh -c 'sleep 1; echo out; exit 3'`,
    code: 3,
    out: /out/,
  },
  {
    script: `echo hello | k run c --image=${image} --restart=Never -i --rm --quiet -- sh -c 'sleep 1; cat'`,
    out: /hello/,
  },
  {
    script: `k run f --image=${image} --restart=Never -- sh -c 'exit 2' && k wait --for=jsonpath='{.status.phase}'=Failed pod/f --timeout=30s && k get pod f --no-headers`,
    out: /\nf +0\/1 +Error/,
  },
  { script: "k get pod f -o jsonpath='{.status.containerStatuses[0].state.terminated.exitCode}'", out: /^2$/ },
  {
    script: 'k exec f -- true',
    code: 1,
    err: /cannot exec into a container in a completed pod; current phase is Failed/,
  },
  {
    script: `k run s --image=${image} --restart=Never --command -- nosuchprogram && k wait --for=jsonpath='{.status.phase}'=Failed pod/s --timeout=30s && k get pod s --no-headers`,
    out: /\ns +0\/1 +StartError/,
  },
  {
    script: `k run m --image=missing-image:1 --restart=Never && sleep 4 && k get pod m --no-headers`,
    out: /m +0\/1 +(ErrImagePull|ImagePullBackOff)/,
  },
  {
    script: 'k get events --field-selector involvedObject.name=m,type=Warning',
    out: /Failed to pull image "missing-image:1"[^]*Error: ErrImagePull/,
  },
  {
    script: 'k logs m',
    code: 1,
    err: /container "m" in pod "m" is waiting to start: (trying and failing to pull image|image can't be pulled)/,
  },
  {
    script: `k run u --image=${image} --restart=Never --overrides='{"spec":{"nodeSelector":{"a":"b"}}}' && sleep 1 && k get pod u --no-headers`,
    out: /u +0\/1 +Pending/,
  },
  { script: 'k exec u -- true', code: 1, err: /pod u does not have a host assigned/ },
  {
    script: 'k describe pod u',
    out: /Warning +FailedScheduling .*0\/1 nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector/,
  },
  {
    script: `k run v --image=${image} --restart=Never --overrides='{"spec":{"containers":[{"name":"v","image":"${image}","env":[{"name":"A","valueFrom":{"secretKeyRef":{"name":"none","key":"k"}}}]}]}}' && sleep 3 && k get pod v --no-headers`,
    out: /v +0\/1 +CreateContainerConfigError/,
  },
  {
    script: `k run Wrong --image=${image}`,
    code: 1,
    err: /^The Pod "Wrong" is invalid: \n\* metadata\.name: Invalid value: "Wrong": a lowercase RFC 1123 subdomain/,
  },
  {
    script: `kubectl -n no-such-namespace run x --image=${image}`,
    code: 1,
    err: /\(NotFound\): namespaces "no-such-namespace" not found/,
  },
  { script: `k run x --image=${image} --dry-run=server`, out: /^pod\/x created \(server dry run\)$/ },
  { script: 'kubectl label namespace "$N" pod-security.kubernetes.io/enforce=restricted', out: /labeled$/ },
  {
    script: `k run r --image=${image}`,
    code: 1,
    err: /pods "r" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false \(container "r" must set/,
  },
  { script: 'k auth can-i create pods', out: /^yes$/ },
  { script: 'k auth can-i delete pods --as=nobody', code: 1, out: /^no$/ },
  {
    script: 'k get pods --as=nobody',
    code: 1,
    err: /\(Forbidden\): pods is forbidden: User "nobody" cannot list resource "pods" in API group "" in the namespace/,
  },
  { script: 'k get nosuchkind', code: 1, err: /the server doesn't have a resource type "nosuchkind"/ },
  { script: 'kubectl get --raw /api/v1/nosuchkind', code: 1, err: /the server could not find the requested resource/ },
  { script: 'k delete pods --all --grace-period=1', out: /pod "f" deleted/ },
  { script: 'kubectl delete namespace "$N" && kubectl get namespace "$N"', code: 1, err: /namespaces "\S+" not found/ },
]

function check(rows: readonly Row[]): void {
  for (const { script, code = 0, out, err } of rows) {
    test(script, async () => {
      const ended = await sh(script)
      const shown = `\n${ended.stdout}\n--- stderr\n${ended.stderr}`
      assert.equal(ended.exitCode, code, shown)
      if (out) assert.match(ended.stdout, out, shown)
      if (err) assert.match(ended.stderr, err, shown)
    })
  }
}

describe('kubectl', { skip: !hasKubectl && 'needs kubectl' }, () => {
  describe('the life of a pod', () => check(lifeOfAPod))
  describe('what else there is', () => check(others))
})
