# Makes the file system of a DebianMachine and is the first process there.
#
#   sh set_up_machine.sh DIRECTORY PACKAGES
#
# Its root becomes DIRECTORY/root, its /run and /var are the other directories there; PACKAGES is laid over this
# machine's /etc and /usr, and what is written to those stays in memory. Run in fresh name-spaces of mounts, processes
# and network. Says "ready", and ends with its standard input.
set -eu
directory=$1
packages=$2
root=$directory/root
mount -t tmpfs -o mode=755 machine "$root"
cd "$root"

for entry in $(ls /); do
    if [ -L "/$entry" ]; then cp -P "/$entry" .; continue; fi
    [ -d "/$entry" ] || continue
    mkdir "$entry"
    case $entry in
    etc | usr)
        mkdir -p ".written/$entry" ".work/$entry"
        layers=lowerdir=$packages/$entry:/$entry,upperdir=.written/$entry,workdir=.work/$entry
        mount -t overlay -o "$layers" machine "$entry"
        ;;
    run | var) mount --bind "$directory/$entry" "$entry" ;;
    dev | proc) ;;
    *) mount --rbind "/$entry" "$entry" ;;
    esac
done

mount -t tmpfs -o mode=755 machine dev
mkdir dev/net dev/pts dev/shm dev/xen
for device in null zero full random urandom tty kvm net/tun; do
    [ -e "/dev/$device" ] || continue
    touch "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mount --rbind /dev/pts dev/pts
mount -t tmpfs machine dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
touch dev/xen/privcmd dev/xen/evtchn

# /proc/xen: a directory can't be made in /proc, so /proc is made of links.
mkdir .proc
mount -t proc proc .proc
mount -t tmpfs machine proc
ls .proc | sed -n 's,^[^0-9],../.proc/&,p' | xargs ln -s -t proc
seq -f ../.proc/%.0f 20000 | xargs ln -s -t proc
mkdir proc/xen
touch proc/xen/privcmd

ip link set lo up
echo ready
# not exec: the shell collects orphans while it waits
cat >/dev/null
