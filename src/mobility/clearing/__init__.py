"""From sold tickets, passes and taps to statements: rides, shares, settlement, proof."""

from mobility.clearing.events import ImportReport
from mobility.clearing.rides import JourneyFinder
from mobility.clearing.service import (
    Caller,
    SettleReport,
    ShareReport,
    close_period,
    destroy_key,
    import_files,
    settle_period,
    share_period,
    statement,
    statement_parties,
    verify,
)
from mobility.clearing.statement import Statement
from mobility.clearing.verify import Verification

__all__ = [
    "Caller",
    "ImportReport",
    "JourneyFinder",
    "SettleReport",
    "ShareReport",
    "Statement",
    "Verification",
    "close_period",
    "destroy_key",
    "import_files",
    "settle_period",
    "share_period",
    "statement",
    "statement_parties",
    "verify",
]
