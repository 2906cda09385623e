"""Write the JSON Schemas of tariff, product and agreement files.

``python fares/schema/make_schema.py`` rewrites them from the models in `mobility.fares.source`.
"""

from __future__ import annotations

import json
from pathlib import Path

from mobility.fares.source import SCHEMAS, json_schema


def schema_text(name: str) -> str:
    """Return the text of a schema file."""
    return json.dumps(json_schema(name), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every schema beside this script."""
    for name in SCHEMAS:
        (Path(__file__).parent / name).write_text(schema_text(name), encoding="utf-8")


if __name__ == "__main__":
    main()
