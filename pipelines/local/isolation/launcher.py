"""The small program between the runner and a job: it confines the job, waits for it, ends it.

Run as ``python -I -S launcher.py guard|userns OPTIONS -- COMMAND…``; one file, standard library
only, and little of that, since every job pays for its start. ``guard`` confines nothing; ``userns``
makes user, mount, PID, IPC and host name namespaces and builds a new root from the options, which
are applied in their order and mean what they mean to the program ``bwrap``.

Options:
    --lifeline FD         the job is killed when this descriptor reads as ended: the runner is gone
    --status FD           why the job's own program could not be run is written here
    --ro-bind SRC DST     the file or folder SRC of the old root stands, read-only, at DST
    --bind SRC DST        the same, writable
    --dev-bind SRC DST    the same, for a device
    --tmpfs DST           an empty folder; read-only once everything is in place
    --dir DST             a folder of the new root
    --symlink TEXT DST    a symbolic link
    --proc DST            a process file system of the new PID namespace, read-only
    --dev DST             a minimal device folder
    --chdir DST           the job's working directory

SIGTERM goes on to the job; SIGUSR1 ends the job and all it started at once. The exit status is the
job's; 128 + N after signal N, like a shell's.
"""

# pathlib and contextlib would take longer to import than the whole of this program takes to run.
# ruff: noqa: PTH102, PTH103, PTH106, PTH110, PTH112, PTH120, PTH123, PTH211, SIM105, PERF203

from __future__ import annotations

import ctypes
import os
import select
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # `signal` wraps it in enums, which take 8 ms to import

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID = 0x10000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE, MS_STRICTATIME = 4096, 16384, 1 << 18, 1 << 24
MNT_DETACH = 2
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
ATTR_RDONLY, ATTR_NOSUID = 1, 2
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 24, 36, 38
CAPABILITY_VERSION_3 = 0x20080522
SYS_MOUNT_SETATTR = 442  # the same on every architecture
SYS_PIVOT_ROOT = {
    "x86_64": 155, "i686": 217, "aarch64": 41, "armv7l": 218, "ppc64le": 203, "riscv64": 41,
    "s390x": 217,
}  # fmt: skip

ARITY = {
    "--lifeline": 1, "--status": 1, "--ro-bind": 2, "--bind": 2, "--dev-bind": 2, "--tmpfs": 1,
    "--dir": 1, "--symlink": 2, "--proc": 1, "--dev": 1, "--chdir": 1,
}  # fmt: skip
OLD = "/.old-root"
FORWARDED = (signal.SIGTERM, signal.SIGUSR1)
RESTORED = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE, signal.SIGUSR1)
HOST = "algo-1"
KILL_ROUNDS = 500  # of 2 ms: what cannot be killed in a second is another user's
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


def main(arguments: list[str]) -> int:
    """Read the command line, start the job and return its exit status."""
    cut = arguments.index("--")
    mode, words, command = arguments[0], arguments[1:cut], arguments[cut + 1 :]
    pipes = {"--lifeline": -1, "--status": -1}
    steps: list[list[str]] = []
    while words:
        step, words = words[: ARITY[words[0]] + 1], words[ARITY[words[0]] + 1 :]
        if step[0] in pipes:
            pipes[step[0]] = int(step[1])
            os.set_inheritable(int(step[1]), False)
        else:
            steps.append(step)
    lifeline, status = pipes["--lifeline"], pipes["--status"]
    if mode == "guard":
        if sys.platform == "linux":
            libc().prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        return attend(lambda: run(command, status), lifeline, status)
    try:
        enter_namespaces()
    except OSError as problem:
        fail(status, f"namespaces: {problem.strerror}", 126)
    return attend(lambda: be_first(steps, command, lifeline, status), lifeline, status)


def be_first(steps: list[list[str]], command: list[str], lifeline: int, status: int) -> None:
    """Process 1 of the new PID namespace: when it ends, so does everything the job started."""
    libc().prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    try:
        cwd = build_root(steps)
        drop_privileges()
        os.chdir(cwd)
    except OSError as problem:
        fail(status, f"{problem.filename or 'sandbox'}: {problem.strerror}", 126)
    os._exit(attend(lambda: run(command, status), lifeline, status))


def attend(child_main, lifeline: int, status: int) -> int:  # type: ignore[no-untyped-def]
    """Run a function in a child of its own process group; end with it, or with the runner."""
    wakeup, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(wakeup, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for number in FORWARDED:
        signal.signal(number, lambda number, _frame: ASKED.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    # Python forgets in a new child what came while it was forked; blocked signals wait instead.
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    child = os.fork()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    if child == 0:
        os.setpgid(0, 0)
        child_main()
    if status >= 0:
        os.close(status)
    watched = [wakeup] if lifeline < 0 else [wakeup, lifeline]
    while True:
        how = reap(child)
        if how is not None:
            kill_rest(child)
            return 128 + os.WTERMSIG(how) if os.WIFSIGNALED(how) else os.WEXITSTATUS(how)
        while ASKED:
            if ASKED[0] == signal.SIGUSR1:
                kill_rest(child)
                return 128 + signal.SIGKILL
            signal_group(child, ASKED.pop(0))
        ready, _, _ = select.select(watched, [], [])
        if lifeline in ready:
            kill_rest(child)
            return 128 + signal.SIGKILL
        try:
            os.read(wakeup, 64)
        except BlockingIOError:
            pass


def reap(child: int) -> int | None:
    """Collect ended processes; the child's wait status if it is among them."""
    how = None
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return how
        if ended == 0:
            return how
        if ended == child:
            how = status


def kill_rest(child: int) -> None:
    """End the child's group, and processes that left it but fell to us as their reaper."""
    signal_group(child, signal.SIGKILL)
    own = f"/proc/self/task/{os.getpid()}/children"
    for _ in range(KILL_ROUNDS):
        try:
            with open(own, encoding="ascii") as listing:
                orphans = [int(number) for number in listing.read().split()]
        except OSError:
            return
        if not orphans:
            return
        for orphan in orphans:
            try:
                os.kill(orphan, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        reap(child)
        select.select([], [], [], 0.002)


def run(command: list[str], status: int) -> None:
    """Become the job's program; never returns."""
    for number in RESTORED:
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    for asked in ASKED:
        os.kill(os.getpid(), asked)
    try:
        os.execvp(command[0], command)  # noqa: S606 - a job's command is a list, never a shell line
    except OSError as problem:
        fail(status, f"{command[0]}: {problem.strerror}", 127)


def fail(status: int, message: str, code: int) -> None:
    """Tell the runner why the job could not start, and end."""
    os.write(status if status >= 0 else 2, message.encode("utf-8", "surrogateescape"))
    os._exit(code)


def signal_group(group: int, number: int) -> None:
    """Signal a process group that may be gone or not made yet."""
    for send in (os.killpg, os.kill):
        try:
            return send(group, number)
        except (ProcessLookupError, PermissionError):
            continue
    return None


ASKED: list[int] = []
"""Signals to act on; forks inherit those that came before them, so none is lost."""

_LIBC: list[ctypes.CDLL] = []


def libc() -> ctypes.CDLL:
    """The C library of this process."""
    if not _LIBC:
        _LIBC.append(ctypes.CDLL(None, use_errno=True))
    return _LIBC[0]


def check(result: int, what: str) -> None:
    """Raise the error a C function reported."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2)."""
    words = [os.fsencode(word) if word else None for word in (source, target, kind, data)]
    result = libc().mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3])
    check(result, f"mount {target}")


def enter_namespaces() -> None:
    """Leave for namespaces in which the user keeps the own number and may mount."""
    user, group = os.getuid(), os.getgid()
    flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS
    check(libc().unshare(flags), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        descriptor = os.open(f"/proc/self/{name}", os.O_WRONLY)
        os.write(descriptor, text.encode())
        os.close(descriptor)
    check(libc().sethostname(HOST.encode(), len(HOST)), "sethostname")


def build_root(steps: list[list[str]]) -> str:
    """Build the new root, go there, forget the old one. Returns the working directory."""
    mount("", "/", flags=MS_REC | MS_PRIVATE)
    mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")  # noqa: S108 - of the new root
    os.mkdir("/tmp" + OLD)  # noqa: S108 - of the new root
    number = SYS_PIVOT_ROOT[os.uname().machine]
    check(libc().syscall(number, b"/tmp", ("/tmp" + OLD).encode()), "pivot_root")  # noqa: S108 - its
    os.chdir("/")
    cwd, writable = "/", []
    for name, *words in steps:
        if name == "--chdir":
            cwd = words[0]
        elif name == "--symlink":
            make_parents(words[1])
            os.symlink(words[0], words[1])
        elif name == "--dir":
            os.makedirs(words[0], exist_ok=True)
        elif name == "--tmpfs":
            os.makedirs(words[0], exist_ok=True)
            mount("tmpfs", words[0], "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
        elif name == "--proc":
            os.makedirs(words[0], exist_ok=True)
            mount("proc", words[0], "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        elif name == "--dev":
            writable.append(make_devices(words[0]))
        else:
            bind(words[0], words[1])
            if name == "--bind":
                writable.append(words[1])
    check(libc().umount2(OLD.encode(), MNT_DETACH), "umount")
    os.rmdir(OLD)
    make_read_only(writable)
    return cwd


def make_parents(path: str) -> None:
    """The folders above a path."""
    os.makedirs(os.path.dirname(path), exist_ok=True)


def bind(source: str, target: str) -> None:
    """Show something of the old root at a place of the new one."""
    source = OLD + source
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    elif not os.path.exists(target):
        make_parents(target)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
    mount(source, target, flags=MS_BIND | MS_REC)


def make_devices(folder: str) -> str:
    """A device folder with what any program may use; returns its writable part."""
    os.makedirs(folder, exist_ok=True)
    mount("tmpfs", folder, "tmpfs", MS_NOSUID, "mode=755")
    for name in DEVICES:
        bind(f"/dev/{name}", f"{folder}/{name}")
    for name, text in (
        ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
    ):  # fmt: skip
        os.symlink(text, f"{folder}/{name}")
    os.mkdir(f"{folder}/pts")
    mount("devpts", f"{folder}/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666")
    os.mkdir(f"{folder}/shm")
    mount("tmpfs", f"{folder}/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    return f"{folder}/shm"


class MountAttributes(ctypes.Structure):
    """struct mount_attr of linux/mount.h."""

    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns")]


def make_read_only(writable: list[str]) -> None:
    """Make every mount read-only but the named ones, and set-id bits without effect everywhere."""
    everything = MountAttributes(set=ATTR_RDONLY | ATTR_NOSUID)
    size = ctypes.sizeof(everything)
    call = libc().syscall
    if call(SYS_MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, ctypes.byref(everything), size):
        remount_one_by_one(writable)  # before Linux 5.12
        return
    again = MountAttributes(clear=ATTR_RDONLY)
    for path in writable:
        result = call(SYS_MOUNT_SETATTR, AT_FDCWD, os.fsencode(path), 0, ctypes.byref(again), size)
        check(result, f"mount_setattr {path}")


def remount_one_by_one(writable: list[str]) -> None:
    """What ``make_read_only`` does, by remounting each mount with the flags it has."""
    kept = {"nodev": MS_NODEV, "noexec": MS_NOEXEC, "noatime": 1024, "nodiratime": 2048}
    kept |= {"relatime": 1 << 21}
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as listing:
        mounts = [line.split() for line in listing]
    for fields in mounts:
        path = fields[4]
        for code, sign in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
            path = path.replace(code, sign)
        flags = MS_REMOUNT | MS_BIND | MS_NOSUID | (0 if path in writable else MS_RDONLY)
        options = fields[5].split(",")
        for option in options:
            flags |= kept.get(option, 0)
        if "relatime" not in options and "noatime" not in options:
            flags |= MS_STRICTATIME
        mount("", path, flags=flags)


def drop_privileges() -> None:
    """Give up every capability for good; root in the namespace is then a user like any other."""
    number = 0
    while libc().prctl(PR_CAPBSET_DROP, number, 0, 0, 0) == 0:
        number += 1
    check(libc().prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    check(libc().capset(header, (ctypes.c_uint32 * 6)()), "capset")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
