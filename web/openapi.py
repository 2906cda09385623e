"""Write the API's description (``openapi.json``) that the client's types are made from.

Run from the repository: ``python web/openapi.py EDITION`` and then ``npm run api:types``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from starlette.testclient import TestClient

from mobility.api import create_app


def main() -> None:
    """Write ``openapi.json`` beside this file."""
    with TestClient(create_app(Path(sys.argv[1]))) as client:
        document = client.get("/api/v1/openapi.json").json()
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
    Path(__file__).with_name("openapi.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
