"""Run a script and record which files of the working folder it loads or reads: `trace.py OUT SCRIPT [ARG ...]`.

Modules are recorded by their source file, no matter when they are imported. Data files are recorded by the audit event
of `open`, which Python raises however a file is opened. Empty files such as `__init__.py` are left out.

`trace.py --serve SOCKET` starts a server that runs each script in a fork of a process with the libraries loaded, since
importing them is most of the work of a stage on a tiny list. `TRACE=SOCKET trace.py OUT SCRIPT [ARG ...]` uses it.
"""

import os
import sys


def ask(address: str) -> int:
    """Let the server run the command with this folder, environment, input and output, and return its exit code."""
    import json
    import socket

    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        request = json.dumps(
            {
                "arguments": sys.argv[1:],
                "folder": os.getcwd(),  # noqa: PTH109
                "environment": dict(os.environ),
            }
        )
        socket.send_fds(connection, [request.encode()], [0, 1, 2])
        connection.shutdown(socket.SHUT_WR)
        return int(connection.recv(16) or 1)


def serve(address: str) -> None:
    import json
    import signal
    import socket

    from makemore.core.arithmetic import pin

    pin()  # before the libraries that stages use, as in the stages
    import matplotlib.pyplot  # noqa: F401
    import pydantic  # noqa: F401
    import rich.progress  # noqa: F401
    import safetensors.numpy  # noqa: F401
    import torch  # noqa: F401
    import typer  # noqa: F401
    import yaml  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps the forks
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        while True:
            connection, _ = server.accept()
            content, descriptors, _, _ = socket.recv_fds(connection, 1 << 16, 3)
            while part := connection.recv(1 << 16):
                content += part
            if os.fork() == 0:
                request = json.loads(content)
                for standard, descriptor in enumerate(descriptors):
                    os.dup2(descriptor, standard)
                sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115  the old one remembers another kind of file
                sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
                os.chdir(request["folder"])
                os.environ.clear()
                os.environ.update(request["environment"])
                code = run(*request["arguments"])
                sys.stdout.flush()
                connection.sendall(str(code).encode())
                os._exit(0)
            for descriptor in descriptors:
                os.close(descriptor)
            connection.close()


def run(out: str, script: str, *arguments: str) -> int:
    import json
    import runpy
    import traceback
    from pathlib import Path
    from typing import Any

    root = Path.cwd().resolve()
    opened: set[str] = set()

    def on_event(event: str, values: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(values[0], str | bytes) and not set(str(values[1] or "r")) & set("wax+"):
            opened.add(values[0] if isinstance(values[0], str) else values[0].decode())

    sys.argv = [script, *arguments]
    sys.path[0] = str(Path(script).resolve().parent)
    sys.addaudithook(on_event)
    code: object = 0
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    loaded = {file for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))}
    paths = {Path(path).resolve() for path in opened | loaded | {script}}
    paths = {path for path in paths if path.is_relative_to(root) and path.is_file() and path.stat().st_size}
    read = sorted(str(path.relative_to(root)) for path in paths - {Path(__file__).resolve()})
    Path(out).write_text(json.dumps([path for path in read if "__pycache__" not in path and ".venv" not in path]))
    return code if isinstance(code, int) else int(code is not None)


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(sys.argv[2])
    else:
        sys.exit(ask(os.environ["TRACE"]) if "TRACE" in os.environ else run(*sys.argv[1:]))
