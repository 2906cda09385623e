"""The GTFS Schedule reference as one readable text.

A line at the margin opens a table: its name (``*``: no feed without it) and its primary key. Below
it one column per line: name, kind (an enum's allowed range behind a colon), ``!`` where a row needs
a value, and the columns of which one must hold the value: behind ``>`` if the row is dropped where
none does, behind ``?>`` if only the cell is cleared.
"""

REFERENCE = """
agency* agency_id
    agency_id id
    agency_name text !
    agency_url url
    agency_timezone zone
    agency_lang language
    agency_phone text
    agency_fare_url url
    agency_email text
    cemv_support enum:0-2

stops* stop_id
    stop_id id !
    stop_code text
    stop_name text
    tts_stop_name text
    stop_desc text
    stop_lat lat
    stop_lon lon
    zone_id id
    stop_url url
    location_type enum:0-4
    parent_station id ?> stops.stop_id
    stop_timezone zone
    wheelchair_boarding enum:0-2
    level_id id ?> levels.level_id
    platform_code text
    stop_access enum:0-1

routes* route_id
    route_id id !
    agency_id id > agency.agency_id
    route_short_name text
    route_long_name text
    route_desc text
    route_type enum !
    route_url url
    route_color color
    route_text_color color
    route_sort_order int
    continuous_pickup enum:0-3
    continuous_drop_off enum:0-3
    network_id id
    cemv_support enum:0-2

trips* trip_id
    route_id id ! > routes.route_id
    service_id id ! > calendar.service_id|calendar_dates.service_id
    trip_id id !
    trip_headsign text
    trip_short_name text
    direction_id enum:0-1
    block_id id
    shape_id id ?> shapes.shape_id
    wheelchair_accessible enum:0-2
    bikes_allowed enum:0-2
    cars_allowed enum:0-2

stop_times* trip_id stop_sequence
    trip_id id ! > trips.trip_id
    arrival_time time
    departure_time time
    stop_id id > stops.stop_id
    location_group_id id > location_groups.location_group_id
    location_id id
    stop_sequence int !
    stop_headsign text
    start_pickup_drop_off_window time
    end_pickup_drop_off_window time
    pickup_type enum:0-3
    drop_off_type enum:0-3
    continuous_pickup enum:0-3
    continuous_drop_off enum:0-3
    shape_dist_traveled float
    timepoint enum:0-1
    pickup_booking_rule_id id ?> booking_rules.booking_rule_id
    drop_off_booking_rule_id id ?> booking_rules.booking_rule_id

calendar service_id
    service_id id !
    monday enum:0-1 !
    tuesday enum:0-1 !
    wednesday enum:0-1 !
    thursday enum:0-1 !
    friday enum:0-1 !
    saturday enum:0-1 !
    sunday enum:0-1 !
    start_date date !
    end_date date !

calendar_dates service_id date
    service_id id !
    date date !
    exception_type enum:1-2 !

fare_attributes fare_id
    fare_id id !
    price float !
    currency_type currency !
    payment_method enum:0-1
    transfers enum:0-2
    agency_id id > agency.agency_id
    transfer_duration int

fare_rules fare_id route_id origin_id destination_id contains_id
    fare_id id ! > fare_attributes.fare_id
    route_id id > routes.route_id
    origin_id id > stops.zone_id
    destination_id id > stops.zone_id
    contains_id id > stops.zone_id

timeframes timeframe_group_id start_time end_time service_id
    timeframe_group_id id !
    start_time time
    end_time time
    service_id id ! > calendar.service_id|calendar_dates.service_id

rider_categories rider_category_id
    rider_category_id id !
    rider_category_name text !
    is_default_fare_category enum:0-1
    eligibility_url url

fare_media fare_media_id
    fare_media_id id !
    fare_media_name text
    fare_media_type enum:0-4 !

fare_products fare_product_id rider_category_id fare_media_id
    fare_product_id id !
    fare_product_name text
    rider_category_id id > rider_categories.rider_category_id
    fare_media_id id > fare_media.fare_media_id
    amount float !
    currency currency !

fare_leg_rules network_id from_area_id to_area_id from_timeframe_group_id \
to_timeframe_group_id fare_product_id
    leg_group_id id
    network_id id > networks.network_id|routes.network_id
    from_area_id id > areas.area_id
    to_area_id id > areas.area_id
    from_timeframe_group_id id > timeframes.timeframe_group_id
    to_timeframe_group_id id > timeframes.timeframe_group_id
    fare_product_id id ! > fare_products.fare_product_id
    rule_priority int

fare_leg_join_rules from_network_id to_network_id from_stop_id to_stop_id
    from_network_id id ! > networks.network_id|routes.network_id
    to_network_id id ! > networks.network_id|routes.network_id
    from_stop_id id > stops.stop_id
    to_stop_id id > stops.stop_id

fare_transfer_rules from_leg_group_id to_leg_group_id fare_product_id transfer_count duration_limit
    from_leg_group_id id > fare_leg_rules.leg_group_id
    to_leg_group_id id > fare_leg_rules.leg_group_id
    transfer_count int
    duration_limit int
    duration_limit_type enum:0-3
    fare_transfer_type enum:0-2 !
    fare_product_id id > fare_products.fare_product_id

areas area_id
    area_id id !
    area_name text

stop_areas area_id stop_id
    area_id id ! > areas.area_id
    stop_id id ! > stops.stop_id

networks network_id
    network_id id !
    network_name text

route_networks route_id
    network_id id ! > networks.network_id
    route_id id ! > routes.route_id

shapes shape_id shape_pt_sequence
    shape_id id !
    shape_pt_lat lat !
    shape_pt_lon lon !
    shape_pt_sequence int !
    shape_dist_traveled float

frequencies trip_id start_time
    trip_id id ! > trips.trip_id
    start_time time !
    end_time time !
    headway_secs int !
    exact_times enum:0-1

transfers from_stop_id to_stop_id from_trip_id to_trip_id from_route_id to_route_id
    from_stop_id id > stops.stop_id
    to_stop_id id > stops.stop_id
    from_route_id id > routes.route_id
    to_route_id id > routes.route_id
    from_trip_id id > trips.trip_id
    to_trip_id id > trips.trip_id
    transfer_type enum:0-5
    min_transfer_time int

pathways pathway_id
    pathway_id id !
    from_stop_id id ! > stops.stop_id
    to_stop_id id ! > stops.stop_id
    pathway_mode enum:1-7 !
    is_bidirectional enum:0-1 !
    length float
    traversal_time int
    stair_count int
    max_slope float
    min_width float
    signposted_as text
    reversed_signposted_as text

levels level_id
    level_id id !
    level_index float !
    level_name text

location_groups location_group_id
    location_group_id id !
    location_group_name text

location_group_stops location_group_id stop_id
    location_group_id id ! > location_groups.location_group_id
    stop_id id ! > stops.stop_id

booking_rules booking_rule_id
    booking_rule_id id !
    booking_type enum:0-2 !
    prior_notice_duration_min int
    prior_notice_duration_max int
    prior_notice_last_day int
    prior_notice_last_time time
    prior_notice_start_day int
    prior_notice_start_time time
    prior_notice_service_id id ?> calendar.service_id|calendar_dates.service_id
    message text
    pickup_message text
    drop_off_message text
    phone_number text
    info_url url
    booking_url url

translations table_name field_name language record_id record_sub_id field_value
    table_name text !
    field_name text !
    language language !
    translation text !
    record_id id
    record_sub_id id
    field_value text

feed_info
    feed_publisher_name text
    feed_publisher_url url
    feed_lang language
    default_lang language
    feed_start_date date
    feed_end_date date
    feed_version text
    feed_contact_email text
    feed_contact_url url

attributions attribution_id
    attribution_id id
    agency_id id > agency.agency_id
    route_id id > routes.route_id
    trip_id id > trips.trip_id
    organization_name text !
    is_producer enum:0-1
    is_operator enum:0-1
    is_authority enum:0-1
    attribution_url url
    attribution_email text
    attribution_phone text
"""
