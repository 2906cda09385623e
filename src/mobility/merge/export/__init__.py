"""The region as one GTFS feed."""
