"""Run queries on two workers of Spark: ``python spark_rows.py PLAN ROWS``.

Runs where Spark is installed and clearhouse is not.  The plan, in JSON, has files and columns of
each table, views over these, and queries; the rows of each query are written as sorted lists.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

_KINDS = {"VARCHAR": "STRING", "INTEGER": "INT", "BLOB": "BINARY"}


def main(plan_file: str, rows_file: str) -> None:
    import pyspark  # type: ignore[import-not-found,unused-ignore]
    from pyspark.sql import SparkSession  # type: ignore[import-not-found,unused-ignore]

    os.environ["SPARK_HOME"] = str(Path(pyspark.__file__).parent)
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ["PYSPARK_PYTHON"] = sys.executable
    plan: dict[str, Any] = json.loads(Path(plan_file).read_text())
    spark = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "4")
        .getOrCreate()
    )
    try:
        for name, (files, columns) in plan["tables"].items():
            kinds = ", ".join(f"{one} {_KINDS.get(kind, kind)}" for one, kind in columns.items())
            found = spark.read.parquet(*files) if files else spark.createDataFrame([], kinds)
            found.createOrReplaceTempView(name)
        workers = spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size() - 1
        rows = [[list(row) for row in spark.sql(query).collect()] for query in plan["queries"]]
    finally:
        spark.stop()
    Path(rows_file).write_text(json.dumps({"workers": workers, "rows": list(map(sorted, rows))}))


if __name__ == "__main__":
    main(*sys.argv[1:])
