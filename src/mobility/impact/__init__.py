"""What a timetable change does to tickets and revenue."""

from mobility.impact.fares import FareComparison, FareDifference, RevenueEffect, compare_fares

__all__ = ["FareComparison", "FareDifference", "RevenueEffect", "compare_fares"]
