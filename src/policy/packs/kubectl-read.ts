import type { Pack } from './pack.ts';

const KINDS =
  'pods pod po deployments deployment deploy services service svc nodes node no namespaces namespace ns events event ev ' +
  'ingresses ingress ing jobs job cronjobs cronjob cj daemonsets daemonset ds statefulsets statefulset sts replicasets ' +
  'replicaset rs persistentvolumes pv persistentvolumeclaims pvc storageclasses sc configmaps configmap cm endpoints ep ' +
  'endpointslices hpa horizontalpodautoscalers networkpolicies netpol poddisruptionbudgets pdb resourcequotas quota ' +
  'limitranges limits serviceaccounts sa customresourcedefinitions crd leases roles rolebindings clusterroles ' +
  'clusterrolebindings ingressclasses priorityclasses volumeattachments all';
const KIND = `(?:${KINDS.replaceAll(' ', '|')})`;
const NAME = '[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?';
const WHAT = `<re:${KIND}(?:,${KIND})*|${KIND}/${NAME}>`;
const POD = `<re:(?:(?:pod|pods|po|deployment|deploy|statefulset|sts|daemonset|ds|job|replicaset|rs|service|svc)/)?${NAME}>`;
const SELECTOR = '<re:[A-Za-z0-9_./!=, ()-]+>';
const FORMAT = '{wide,yaml,json,name,jsonpath=<any>,custom-columns=<re:[*A-Za-z0-9:.,_/-]+>}';
const IN = '[-n|--namespace <name> --request-timeout <duration>]';
const SHOWN =
  `[-A|--all-namespaces --show-labels --show-kind --no-headers --ignore-not-found -L|--label-columns ${SELECTOR} -o|--output ${FORMAT} -l|--selector ${SELECTOR} ` +
  `--field-selector ${SELECTOR} --sort-by <re:[A-Za-z0-9.{}_/-]+>]`;

/**
 * Objects of the cluster and what containers wrote. Secrets are not among the kinds, nor is another cluster or user. The
 * account's kubeconfig is trusted: it may name a program that logs in, and a plug-in stands in for what kubectl lacks.
 */
export const KUBECTL_READ: Pack = {
  name: 'kubectl-read',
  summary: 'Objects, events, usage and logs of the current cluster, secrets excepted.',
  sets: [
    {
      commands: [
        `kubectl ${IN} {get,describe} ${SHOWN} ${WHAT} [<re:${NAME}>]...8`,
        `kubectl ${IN} logs [-p|--previous --timestamps --all-containers --all-pods --prefix -f|--follow --tail <re:-?[0-9]+> --limit-bytes <int> --max-log-requests <int:1..50> --since <duration> --since-time <re:[0-9TZ:.+-]+> -c|--container <name> -l|--selector ${SELECTOR}] [${POD} [<re:${NAME}>]]`,
        `kubectl ${IN} top {pods,pod,po,nodes,node,no} [-A|--all-namespaces --containers --sum --no-headers --sort-by {cpu,memory} -l|--selector ${SELECTOR}] [<re:${NAME}>]`,
        `kubectl ${IN} rollout {status,history} [-w|--watch --watch={true,false} --timeout <duration> --revision <int>] ${POD} [<re:${NAME}>]`,
        `kubectl ${IN} events [-A|--all-namespaces --no-headers --types {Warning,Normal,'Warning,Normal'} --for <re:${KIND}/${NAME}>]`,
        `kubectl ${IN} auth can-i <re:[a-z*]+> <re:[a-z.*/]+>`,
        'kubectl api-resources [--namespaced --namespaced={true,false} -o|--output {wide,name} --no-headers]',
        'kubectl explain [--recursive] <re:[a-zA-Z0-9.]+>',
        'kubectl cluster-info',
        'kubectl config {current-context,get-contexts}',
        'kubectl version [--client -o|--output {yaml,json}]',
      ],
    },
  ],
  match: [
    'kubectl get pods',
    'kubectl get pods -A -o wide',
    'kubectl -n web get pods,svc',
    'kubectl get pods -n web -l app=web',
    'kubectl get deploy/web -o yaml',
    'kubectl get pods -oyaml',
    "kubectl get pods -o jsonpath='{.items[0].metadata.name}'",
    'kubectl get pods -o custom-columns=NAME:.metadata.name',
    'kubectl get pods -n web -o wide --show-labels',
    'kubectl get pods -L app,tier --request-timeout=10s',
    'kubectl get leases -n kube-system',
    'kubectl describe pod web-1',
    'kubectl logs web-1 --tail=100',
    'kubectl logs web-1 sidecar --previous',
    'kubectl rollout status deploy/web --watch=false',
    'kubectl logs -f deployment/web -c sidecar --since=1h',
    'kubectl top pods -A',
    'kubectl top nodes',
    'kubectl rollout status deployment/web',
    'kubectl rollout history deployment web',
    'kubectl get events --sort-by=.lastTimestamp',
    'kubectl version',
    'kubectl config current-context',
  ],
  not_match: [
    'kubectl get secrets',
    'kubectl get secret web -o yaml',
    'kubectl get pods,secrets',
    'kubectl get secret/web',
    'kubectl describe secrets',
    'kubectl get --raw /api/v1/secrets',
    'kubectl get -f /tmp/x.yml',
    'kubectl get pods -o jsonpath-file=/etc/shadow',
    'kubectl get pods -ojsonpath-file=/etc/shadow',
    'kubectl get pods -o custom-columns-file=/etc/shadow',
    'kubectl get pods -w',
    'kubectl exec web-1 -- id',
    'kubectl cp web-1:/etc/shadow .',
    'kubectl apply -f x',
    'kubectl delete pod web-1',
    'kubectl edit deploy web',
    'kubectl scale deploy web --replicas=0',
    'kubectl rollout restart deployment/web',
    'kubectl port-forward web-1 80',
    'kubectl proxy',
    'kubectl run x --image=y',
    'kubectl debug web-1',
    'kubectl --kubeconfig=/tmp/x get pods',
    'kubectl --server=http://evil get pods',
    'kubectl -s http://evil get pods',
    'kubectl --token=x get pods',
    'kubectl --as=root get pods',
    'kubectl --context prod get pods',
    'kubectl config view --raw',
    'kubectl config use-context prod',
    'kubectl logs web-1 web id',
    'kubectl logs -f web-1 --pod-running-timeout=1h x y',
    'kubectl logs -f x --insecure-skip-tls-verify-backend',
    'kubectl get pods -k /tmp/x',
    'kubectl get pods --template=x',
    'kubectl get pods --cache-dir=/tmp/x',
    'kubectl get pods --profile=cpu --profile-output=/tmp/x',
    'kubectl get pods --v=9',
    'kubectl rollout history -f /tmp/x',
    'kubectl rollout undo deployment/web',
    'kubectl plugin list',
    'kubectl auth can-i --list',
    'kubectl cluster-info dump --output-directory=/tmp',
  ],
};
