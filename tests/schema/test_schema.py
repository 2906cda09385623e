"""The schema's graph of foreign keys, attacked from several sides."""

from __future__ import annotations

import re

import networkx as nx
import pytest

from mobility.schema import (
    TABLES,
    foreign_key_graph,
    references_of,
    scoped_columns,
    tables_in_order,
)
from mobility.schema.tables import parse_reference

# Ids that stand for themselves: no other table lists them (GTFS Schedule, field by field).
FREE_IDS = {
    ("stops", "zone_id"),
    ("routes", "network_id"),
    ("trips", "block_id"),
    ("stop_times", "location_id"),
    ("fare_leg_rules", "leg_group_id"),
    ("translations", "record_id"),
    ("translations", "record_sub_id"),
    ("shapes", "shape_id"),
    ("timeframes", "timeframe_group_id"),
    ("fare_products", "fare_product_id"),
    ("calendar_dates", "service_id"),
}
# The second, hand-written list that the derived one is held against.
SPEC = """
routes.agency_id agency | trips.route_id routes | trips.service_id calendar calendar_dates
trips.shape_id shapes | stop_times.trip_id trips | stop_times.stop_id stops
stop_times.location_group_id location_groups | stops.parent_station stops | stops.level_id levels
stop_times.pickup_booking_rule_id booking_rules | stop_times.drop_off_booking_rule_id booking_rules
booking_rules.prior_notice_service_id calendar calendar_dates | frequencies.trip_id trips
transfers.from_stop_id stops | transfers.to_stop_id stops | transfers.from_route_id routes
transfers.to_route_id routes | transfers.from_trip_id trips | transfers.to_trip_id trips
pathways.from_stop_id stops | pathways.to_stop_id stops | fare_attributes.agency_id agency
fare_rules.fare_id fare_attributes | fare_rules.route_id routes | fare_rules.origin_id stops
fare_rules.destination_id stops | fare_rules.contains_id stops | stop_areas.area_id areas
stop_areas.stop_id stops | route_networks.network_id networks | route_networks.route_id routes
timeframes.service_id calendar calendar_dates | fare_products.fare_media_id fare_media
fare_products.rider_category_id rider_categories | fare_leg_rules.network_id networks routes
fare_leg_rules.from_area_id areas | fare_leg_rules.to_area_id areas
fare_leg_rules.from_timeframe_group_id timeframes | fare_leg_rules.to_timeframe_group_id timeframes
fare_leg_rules.fare_product_id fare_products | fare_leg_join_rules.from_network_id networks routes
fare_leg_join_rules.to_network_id networks routes | fare_leg_join_rules.from_stop_id stops
fare_leg_join_rules.to_stop_id stops | fare_transfer_rules.from_leg_group_id fare_leg_rules
fare_transfer_rules.to_leg_group_id fare_leg_rules
fare_transfer_rules.fare_product_id fare_products | attributions.agency_id agency
attributions.route_id routes | attributions.trip_id trips
location_group_stops.location_group_id location_groups | location_group_stops.stop_id stops
"""


def test_the_derived_references_are_those_of_the_specification() -> None:
    wanted = set()
    for entry in re.split(r"[|\n]", SPEC):
        words = entry.split()
        if words:
            wanted.add((words[0], tuple(words[1:])))
    derived = {
        (f"{table.name}.{reference.column}", tuple(name for name, _ in reference.targets))
        for table in TABLES.values()
        for reference in references_of(table)
    }
    assert derived == wanted


def test_every_reference_names_a_column_of_the_same_kind_that_exists() -> None:
    for table in TABLES.values():
        for reference in references_of(table):
            source = table.column(reference.column)
            for name, column in reference.targets:
                target = TABLES[name].column(column)
                assert source is not None and target is not None
                assert source.kind == target.kind == "id"


def test_every_id_is_a_key_a_reference_or_a_known_free_id() -> None:
    for table in TABLES.values():
        referring = {reference.column for reference in references_of(table)}
        for column in table.columns:
            if column.kind == "id" and column.name not in referring:
                own_key = table.key == (column.name,)
                assert own_key or (table.name, column.name) in FREE_IDS, (table.name, column.name)


def test_no_id_escapes_by_another_kind() -> None:
    for table in TABLES.values():
        named = {
            c.name for c in table.columns if c.name.endswith("_id") and c.name != "direction_id"
        }
        assert named - set(scoped_columns(table)) == set()
        assert "direction_id" not in scoped_columns(table)
    assert "parent_station" in scoped_columns(TABLES["stops"])


def test_the_graph_has_no_cycle_but_parent_stations() -> None:
    graph = foreign_key_graph()
    assert list(nx.simple_cycles(graph)) == [["stops"]]
    order = tables_in_order()
    assert sorted(order) == sorted(TABLES)
    for table, target in graph.edges:
        assert table == target or order.index(target) < order.index(table)


def test_edges_carry_every_pair_of_columns_once() -> None:
    pairs = [
        (table, source, target, column)
        for table, target, data in foreign_key_graph().edges(data=True)
        for source, column in data["columns"]
    ]
    assert len(pairs) == len(set(pairs))
    assert len(pairs) == sum(
        len(reference.targets) for table in TABLES.values() for reference in references_of(table)
    )


def test_keys_are_columns_and_no_column_stands_twice() -> None:
    for table in TABLES.values():
        names = [column.name for column in table.columns]
        assert len(names) == len(set(names))
        assert set(table.key) <= set(names)


def test_partridge_knows_no_dependency_that_we_do_not() -> None:
    config = pytest.importorskip("partridge.config")
    ours = foreign_key_graph().to_undirected()
    theirs = config.default_config()
    for one, other in theirs.edges:
        pair = one.removesuffix(".txt"), other.removesuffix(".txt")
        assert nx.has_path(ours, *pair), pair


def test_clearing_a_reference_never_widens_a_rule() -> None:
    cleared = {
        f"{table.name}.{reference.column}"
        for table in TABLES.values()
        for reference in references_of(table)
        if reference.on_dangling == "clear"
    }
    assert cleared == {
        "stops.parent_station", "stops.level_id", "trips.shape_id",
        "stop_times.pickup_booking_rule_id", "stop_times.drop_off_booking_rule_id",
        "booking_rules.prior_notice_service_id",
    }  # fmt: skip
    for name in cleared:
        table, _, column = name.partition(".")
        found = TABLES[table].column(column)
        assert found is not None and not found.required


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind 'number'"):
        parse_reference("x a\n    a number\n")
