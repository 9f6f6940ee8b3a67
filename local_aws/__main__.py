"""Start the local AWS, and stay up until Ctrl-C or SIGTERM."""

import os
import signal
import sys
import threading

from local_aws.account import Account
from local_aws.errors import StartError
from local_aws.settings import Settings


def main() -> int:
    """Serve until told to stop; the exit code."""
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    try:
        with Account(Settings.from_environment()) as account:
            print(f"The local AWS listens on {account.url}; its state is in {account.settings.home}.", flush=True)
            for name, value in account.environment().items():
                print(f"export {name}={value}")
            print("Ctrl-C stops it.", flush=True)
            asked.wait()
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # a thread of MiniStack that still waits for something must not keep the process
