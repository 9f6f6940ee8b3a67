"""Starts the local AWS, tells the story, and in a terminal stays up."""

from __future__ import annotations

import argparse

from local_aws.rehearsal.run import rehearse
from local_aws.rehearsal.story import Story

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make local ARGS=", description=__doc__)
    parser.add_argument("--full", action="store_true", help="let years of production pass too, with retrainings")
    full = parser.parse_args().full
    rehearse(lambda account, report: Story(account, report).tell(full=full))
