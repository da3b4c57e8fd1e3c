"""Django's command line for Carillon; beside a running `make up` it works on that one's servers."""

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line

from deploy.variables import use_variables

if __name__ == "__main__":
    folder = Path(os.environ.get("CARILLON_DATA_DIR") or Path(__file__).resolve().parent / ".data")
    use_variables(os.environ, data_dir=folder.expanduser())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")
    execute_from_command_line(sys.argv)
