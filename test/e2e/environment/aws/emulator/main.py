"""Starts ministack with workarounds for its differences from AWS. docs/contribute/e2e-emulator.md lists the differences."""
import bucket  # noqa: F401
import faults  # noqa: F401
import record_set_group  # noqa: F401
import retry  # noqa: F401
import rights
import rollback  # noqa: F401
import stack_state  # noqa: F401
from ministack import app

if __name__ == "__main__":
    rights.create_administrator()
    app.main()
