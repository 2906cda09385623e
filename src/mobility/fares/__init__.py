"""Tickets: tariffs compiled from files, journeys priced by them, prices divided by agreement."""

from mobility.fares.agreement import Agreements, load_agreements
from mobility.fares.compile import compile_tariff, tariff_version
from mobility.fares.price import PricedTicket, TariffPricer
from mobility.fares.quote import Rider
from mobility.fares.read import TariffSource, read_agreements, read_tariff
from mobility.fares.region import check_against_region
from mobility.fares.ride import Stage, list_stages
from mobility.fares.split import Sale, Split, split_ticket
from mobility.fares.tariff import Tariff, load_tariff

__all__ = [
    "Agreements",
    "PricedTicket",
    "Rider",
    "Sale",
    "Split",
    "Stage",
    "Tariff",
    "TariffPricer",
    "TariffSource",
    "check_against_region",
    "compile_tariff",
    "list_stages",
    "load_agreements",
    "load_tariff",
    "read_agreements",
    "read_tariff",
    "split_ticket",
    "tariff_version",
]
