#!/bin/sh
# Reads the state of this host and packs it into one archive for `fm investigate`.
# Read-only: it writes nothing but its own temporary folder and the archive. Run as root it sees more.
# Usage: sh host.sh [ARCHIVE]        ("-" writes the archive to standard output)
set -u
umask 077
output=${1:-fm-host-$(date -u +%Y%m%dT%H%M%SZ).tar.gz}

read_all() {
    take os-release.txt cat /etc/os-release
    take uname.txt uname -a
    take uptime.txt uptime
    take free.txt free -m
    take meminfo.txt cat /proc/meminfo
    take pressure-cpu.txt cat /proc/pressure/cpu
    take pressure-memory.txt cat /proc/pressure/memory
    take pressure-io.txt cat /proc/pressure/io
    take df.txt df -h
    take df-inodes.txt df -i
    take mount.txt mount
    take lsblk.txt lsblk
    take ps.txt ps aux
    take top.txt top -b -n 1
    take vmstat.txt vmstat 1 3
    take iostat.txt iostat -x 1 2
    take ss.txt ss -tan
    take ss-summary.txt ss -s
    take ip-addr.txt ip addr
    take ip-route.txt ip route
    take resolv.conf cat /etc/resolv.conf
    take systemctl-failed.txt systemctl --failed --no-pager
    take dmesg.txt dmesg -T
    take journal.txt journalctl --no-pager --output=short-iso --since=-24h --lines=50000
}

# take FILE COMMAND...: announce the command in the first round, run it in the second.
take() {
    file=$1
    shift
    if [ "$round" = announce ]; then
        echo "  $*" >&2
    elif ! command -v "$1" >/dev/null 2>&1; then
        echo "not read: $* ($1 is not installed here)" >&2
    else
        "$@" >"$work/bundle/$file" 2>&1 </dev/null || echo "ended with an error: $*" >&2
        note "$file" "$*"
    fi
}

# note FILE COMMAND: remember in sources.json which command a file came from.
note() {
    quoted=$(printf '%s' "$2" | sed 's/[\\"]/\\&/g')
    printf '%s{"file": "%s", "tool": "%s", "params": {"command": "%s"}}' "$comma" "$1" "${2%% *}" "$quoted" >>"$work/entries"
    comma=',
'
}

comma=''
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
mkdir "$work/bundle"

echo "This will read, and change nothing:" >&2
round=announce
read_all
round=run
read_all
{ echo '['; cat "$work/entries"; echo; echo ']'; } >"$work/bundle/sources.json"

if [ "$output" = - ]; then
    tar -czf - -C "$work/bundle" .
else
    tar -czf "$output" -C "$work/bundle" . && echo "wrote $output; next: fm investigate $output" >&2
fi
