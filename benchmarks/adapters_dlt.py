"""The baseline of the adapters' benchmark: ``dlt`` loads the CSV files into SQLite, checking nothing.

Run by ``benchmarks/adapters.py`` with an interpreter that has dlt (``benchmarks/requirements.txt``); leaves with 3
where it has not. It imports nothing of ours, so that interpreter needs nothing else.
"""

import csv
import json
import os
import sys
import time
from pathlib import Path

NOT_INSTALLED = 3


def main(folder: Path) -> None:
    """Load the files, and print the figures as JSON."""
    os.environ.update(
        RUNTIME__DLTHUB_TELEMETRY="false", RUNTIME__LOG_LEVEL="CRITICAL", DLT_DATA_DIR=str(folder / "dlt")
    )
    try:
        import dlt
    except ImportError:
        sys.exit(NOT_INSTALLED)

    @dlt.resource(name="penalties", write_disposition="append")
    def penalties():  # type: ignore[no-untyped-def]
        for path in sorted((folder / "csv/in").glob("*.csv")):
            with path.open(encoding="gb18030", newline="") as file:
                yield from csv.DictReader(file)

    target = dlt.destinations.sqlalchemy(f"sqlite:///{folder}/dlt.db")
    pipeline = dlt.pipeline("bench", destination=target, dataset_name="bench", pipelines_dir=str(folder / "pipelines"))
    idle, spent, begun = resident("VmRSS"), time.process_time(), time.perf_counter()
    pipeline.run(penalties())
    wall, cpu = time.perf_counter() - begun, time.process_time() - spent
    counts = pipeline.last_trace.last_normalize_info.row_counts
    print(json.dumps({"rows": counts["penalties"], "wall": wall, "cpu": cpu, "memory": resident("VmHWM") - idle}))


def resident(name: str) -> float:
    """Resident set of this process in MB."""
    text = Path("/proc/self/status").read_text("ascii")
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith(name))) / 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]))
