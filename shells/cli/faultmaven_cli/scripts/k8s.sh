#!/bin/sh
# Reads the state of a Kubernetes cluster with kubectl and packs it into one archive for `fm investigate`.
# Read-only: kubectl get, describe, logs, top and version, nothing else. Of secrets only the names are asked for.
# Usage: sh k8s.sh [ARCHIVE [NAMESPACE]]        ("-" writes the archive to standard output; all namespaces by default)
set -u
umask 077
output=${1:-fm-k8s-$(date -u +%Y%m%dT%H%M%SZ).tar.gz}
namespace=${2:-}
lines=20000 # of each container's log, the last ones

kinds="pods deployments replicasets statefulsets daemonsets jobs cronjobs services endpoints ingresses networkpolicies
persistentvolumeclaims configmaps serviceaccounts resourcequotas limitranges horizontalpodautoscalers
poddisruptionbudgets roles rolebindings events"
cluster_kinds="nodes namespaces persistentvolumes storageclasses priorityclasses clusterroles clusterrolebindings"

read_all() {
    take version.txt kubectl version
    for kind in $cluster_kinds; do
        take "$kind.json" kubectl get "$kind" -o json
    done
    for kind in $kinds; do
        take "$kind.json" kubectl get "$kind" "$@" -o json
    done
    take secret-names.txt kubectl get secrets "$@"
    take pods.txt kubectl get pods "$@" -o wide
    take describe-pods.txt kubectl describe pods "$@"
    take describe-nodes.txt kubectl describe nodes
    take top-nodes.txt kubectl top nodes
    take top-pods.txt kubectl top pods "$@" --containers
    if [ "$round" = announce ]; then
        echo "  kubectl logs --tail=$lines, of every container and of its previous run" >&2
    else
        read_logs "$@"
    fi
}

read_logs() {
    kubectl get pods "$@" -o 'jsonpath={range .items[*]}{.metadata.namespace}{" "}{.metadata.name}{" "}{.spec.initContainers[*].name}{" "}{.spec.containers[*].name}{"\n"}{end}' >"$work/pods" 2>/dev/null </dev/null
    while read -r where pod containers; do
        mkdir -p "$work/bundle/logs/$where"
        for container in $containers; do
            log="logs/$where/$pod.$container"
            take "$log.log" kubectl logs -n "$where" "$pod" -c "$container" --tail="$lines"
            # Most containers have no previous run; for these kubectl fails, and there is nothing to keep.
            if kubectl logs -n "$where" "$pod" -c "$container" --tail="$lines" --previous >"$work/bundle/$log.previous.log" 2>/dev/null </dev/null; then
                note "$log.previous.log" "kubectl logs -n $where $pod -c $container --previous"
            else
                rm -f "$work/bundle/$log.previous.log"
            fi
        done
    done <"$work/pods"
}

# take FILE COMMAND...: announce the command in the first round, run it in the second.
take() {
    file=$1
    shift
    if [ "$round" = announce ]; then
        echo "  $*" >&2
    else
        "$@" >"$work/bundle/$file" 2>&1 </dev/null || echo "ended with an error: $*" >&2
        note "$file" "$*"
    fi
}

# note FILE COMMAND: remember in sources.json which command a file came from.
note() {
    quoted=$(printf '%s' "$2" | sed 's/[\\"]/\\&/g')
    printf '%s{"file": "%s", "tool": "kubectl", "params": {"command": "%s"}}' "$comma" "$1" "$quoted" >>"$work/entries"
    comma=',
'
}

if ! command -v kubectl >/dev/null 2>&1; then
    echo "error: kubectl is not installed here; run this where it is and reaches the cluster" >&2
    exit 69
fi
comma=''
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
mkdir "$work/bundle"
if [ -n "$namespace" ]; then
    set -- -n "$namespace"
else
    set -- --all-namespaces
fi

echo "This will read, and change nothing:" >&2
round=announce
read_all "$@"
round=run
read_all "$@"
{ echo '['; cat "$work/entries"; echo; echo ']'; } >"$work/bundle/sources.json"

if [ "$output" = - ]; then
    tar -czf - -C "$work/bundle" .
else
    tar -czf "$output" -C "$work/bundle" . && echo "wrote $output; next: fm investigate $output" >&2
fi
