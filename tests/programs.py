"""Python programs in processes of their own, forked from a server that has imported what they import.

Each is as separate as one that is started anew, has nothing of the tests in it, and costs milliseconds instead of
seconds. Where the start itself is the point, a test starts an interpreter.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([
    "tests.faults.crashing", "tests.faults.agents", "langchain.agents", "langgraph.checkpoint.sqlite.aio",
    "langgraph.prebuilt", "ladder_graph.testing", "ladder_graph.hosts.graph", "ladder_graph.cli.program",
    "ladder_graph.watcher",
])  # fmt: skip


class Program:
    """A program that runs.

    Args:
        words: As after `python`: a file, or `-m` and a module, or `-c` and code; then the arguments.
        folder: Where it stands.
        env: Its environment; this process's where none is given.
    """

    def __init__(self, words, folder, env=None):
        here, there = CONTEXT.Pipe(duplex=False)
        environment = dict(os.environ if env is None else env)
        self._process = CONTEXT.Process(target=_run, args=(list(map(str, words)), str(folder), environment, there))
        self._process.start()
        there.close()
        self.stdout = os.fdopen(os.dup(here.fileno()), encoding="utf-8", errors="replace")
        here.close()

    @property
    def returncode(self):
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout=60):
        """Wait for its end; the exit code."""
        self._process.join(timeout)
        assert self.returncode is not None, f"it still runs after {timeout} seconds"
        return self.returncode

    def said(self):
        """All that it writes from now on, to its end."""
        with self.stdout:
            text = self.stdout.read()
        self.wait()
        return text

    def end(self):
        """Kill it, where it still runs."""
        self._process.kill()
        self.wait()
        self.stdout.close()

    def send_signal(self, number):
        """Send it a signal."""
        os.kill(self._process.pid, number)


def _run(words, folder, env, there):
    sys.stdout.flush()
    os.dup2(there.fileno(), 1)
    os.dup2(there.fileno(), 2)
    there.close()
    sys.stdout, sys.stderr = (open(fd, "w", encoding="utf-8", buffering=1, closefd=False) for fd in (1, 2))  # noqa: SIM115  # they end with the process
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    here = "" if words[0] in {"-m", "-c"} else os.path.dirname(os.path.abspath(words[0]))  # noqa: PTH100, PTH120  # as Python does
    sys.path.insert(0, here)
    sys.path += [one for one in env.get("PYTHONPATH", "").split(os.pathsep) if one]
    try:
        match words:
            case "-m", module, *arguments:
                sys.argv = [module, *arguments]
                runpy.run_module(module, run_name="__main__", alter_sys=True)
            case "-c", code, *arguments:
                sys.argv = ["-c", *arguments]
                exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102  # a program of the tests
            case file, *arguments:
                sys.argv = [file, *arguments]
                runpy.run_path(file, run_name="__main__")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
