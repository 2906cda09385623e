"""Logs are text for people, or JSON lines on request."""

import json
import logging

from mobility.cli.app import JsonLines


def test_a_log_line_on_request_is_one_json_object():
    record = logging.LogRecord("mobility.api", logging.WARNING, "", 0, "late by %d s", (7,), None)
    line = JsonLines().format(record)
    assert "\n" not in line
    document = json.loads(line)
    assert (document["level"], document["logger"], document["message"]) == (
        "warning",
        "mobility.api",
        "late by 7 s",
    )
