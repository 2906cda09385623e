"""The tree of errors, each with its exit status and its stable problem type.

One table serves the command line (exit status) and the API (RFC 9457 problem ``type`` and HTTP
status). Data problems that leave the rest usable are notices (`mobility.core.notices`), not errors.

    MobilityError                    70  our own fault
    ├── InputError                    1  the input is at fault
    │   ├── FeedError                    a feed cannot be read at all
    │   ├── ManifestError                region.toml, tariff, agreement or scenario file
    │   ├── FormatVersionError           a file of another format version
    │   ├── UnknownPlaceError            a stop, station or name that the edition does not have
    │   ├── AmbiguousPlaceError          a name or raw id that stands for several places
    │   ├── TimeError                    a time that is malformed, does not exist or exists twice
    │   ├── DateOutsideError             a date on which no feed of the edition is valid
    │   ├── EventError                   a row of sales, passes or taps
    │   └── MoneyError                   negative price, unknown currency, mixed currencies
    ├── UsageError                    2  the words of the call
    ├── CheckFailed                   3  a check says no
    └── EnvironmentFault              4  disk, database, permissions
"""

from __future__ import annotations

from mobility.core.notices import Notice


class MobilityError(Exception):
    """A failure that is told to the user in one line; the base of all others.

    Attributes
    ----------
    exit_status : int
        Exit status of the command line.
    http_status : int
        HTTP status of the API.
    problem : str
        Stable last part of the problem ``type``.
    """

    exit_status = 70
    http_status = 500
    problem = "internal"


class InputError(MobilityError):
    """The input is at fault."""

    exit_status = 1
    http_status = 422
    problem = "input"


class FeedError(InputError):
    """A feed cannot be read at all; says which file and what was expected.

    Parameters
    ----------
    message : str
    notices : tuple of Notice
        Every place that is wrong, where the feed was read on to find them all.
    summary : str
        One line to end with where the notices are told too; the message where not given.
    """

    problem = "feed"

    def __init__(self, message: str, notices: tuple[Notice, ...] = (), summary: str = "") -> None:
        super().__init__(message)
        self.notices = notices
        self.summary = summary or message


class ManifestError(InputError):
    """A region manifest, tariff, agreement or scenario is malformed or contradicts itself."""

    problem = "manifest"


class FormatVersionError(InputError):
    """A file of ours has another format version; says how to make it anew."""

    problem = "format-version"


class UnknownPlaceError(InputError):
    """A reference, name or position that stands for no place of the edition."""

    http_status = 404
    problem = "unknown-place"


class UnknownTripError(InputError):
    """A reference that stands for no trip of the edition, or a date on which it does not run."""

    http_status = 404
    problem = "unknown-trip"


class AmbiguousPlaceError(InputError):
    """A name or raw id that stands for several places; lists them."""

    problem = "ambiguous-place"


class TimeError(InputError):
    """A time that is malformed, does not exist or exists twice in its zone."""

    problem = "time"


class DateOutsideError(InputError):
    """A date on which no feed of the edition is valid; says which dates are."""

    problem = "date-outside"


class EventError(InputError):
    """A row of sales, passes or taps that cannot be read."""

    problem = "event"


class MoneyError(InputError):
    """A negative price, an unknown currency or a sum over several currencies."""

    problem = "money"


class UsageError(MobilityError):
    """The words of the call are off."""

    exit_status = 2
    http_status = 400
    problem = "usage"


class CheckFailed(MobilityError):
    """A check says no: verify differs, activation is refused, a feed has errors."""

    exit_status = 3
    http_status = 409
    problem = "check-failed"


class EnvironmentFault(MobilityError):
    """Disk, database or permissions fail us."""

    exit_status = 4
    http_status = 503
    problem = "environment"
