"""The REST interface of one edition: journeys, places, fares, map, region, health."""

from mobility.api.app import create_app
from mobility.api.limits import Limits

__all__ = ["Limits", "create_app"]
