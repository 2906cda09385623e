"""Two small feeds that hold every table of GTFS Schedule, and share four stations.

Facts after the toy pair of the project's notes on merging: one train listed whole by both feeds,
one handed over, one in-seat link, pathways, levels, translations; raw ids are the same on purpose.
"""

CALENDAR = """
    service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
    S1,1,1,1,1,1,1,1,20261214,20261220
"""
DATES = "service_id,date,exception_type\n" + "\n".join(f"S1,202612{day},1" for day in range(14, 21))
FARES = {
    "fare_attributes": """
        fare_id,price,currency_type,payment_method,transfers,agency_id
        F1,2.50,{currency},0,0,{agency}
    """,
    "fare_rules": """
        fare_id,route_id,origin_id,destination_id,contains_id
        F1,R1,Z1,Z2,
    """,
    "timeframes": """
        timeframe_group_id,start_time,end_time,service_id
        PEAK,06:00:00,09:00:00,S1
    """,
    "rider_categories": """
        rider_category_id,rider_category_name,is_default_fare_category
        ADULT,Adult,1
    """,
    "fare_media": """
        fare_media_id,fare_media_name,fare_media_type
        PAPER,Paper,1
    """,
    "fare_products": """
        fare_product_id,fare_product_name,rider_category_id,fare_media_id,amount,currency
        SINGLE,Single,ADULT,PAPER,2.50,{currency}
    """,
    "fare_transfer_rules": """
        from_leg_group_id,to_leg_group_id,transfer_count,fare_transfer_type,fare_product_id
        LEG,LEG,1,0,SINGLE
    """,
    "areas": """
        area_id,area_name
        AREA,Middle
    """,
}
WEST = {
    "agency": """
        agency_id,agency_name,agency_url,agency_timezone
        A1,West Rail,https://west.example,Europe/Zurich
    """,
    "stops": """
        stop_id,stop_code,stop_name,stop_lat,stop_lon,location_type,parent_station,platform_code,zone_id,level_id
        8503000,8503000,Zürich HB,47.37819,8.54019,1,,,,
        8503000:0:9,,Zürich HB,47.37820,8.54020,0,8503000,9,Z1,
        8500010,8500010,Basel SBB,47.54741,7.58956,1,,,,
        8500010:0:7,,Basel SBB,47.54742,7.58957,0,8500010,7,Z1,L0
        8500010:E,,Centralbahnplatz,47.54750,7.58950,2,8500010,,,L0
        8500090,8500090,Basel Bad Bf,47.56729,7.60695,1,,,,
        8500090:0:5,,Basel Bad Bf,47.56730,7.60696,0,8500090,5,Z2,
        8010005,8010005,Freiburg (Breisgau) Hbf,47.99770,7.84130,0,,,Z2,
    """,
    "routes": """
        route_id,agency_id,route_short_name,route_long_name,route_type,network_id
        R1,A1,IC,Zürich - Freiburg,102,
    """,
    "trips": """
        route_id,service_id,trip_id,trip_headsign,trip_short_name,block_id,shape_id
        R1,S1,T1,Basel Bad Bf,76,,
        R1,S1,T2,Freiburg,78,,SH
        R1,S1,T3,Basel,80,B1,
        R1,S1,T4,Freiburg,81,B1,
    """,
    "stop_times": """
        trip_id,arrival_time,departure_time,stop_id,stop_sequence
        T1,08:00:00,08:00:00,8503000:0:9,1
        T1,08:53:00,09:06:00,8500010:0:7,2
        T1,09:13:00,09:13:00,8500090:0:5,3
        T2,10:00:00,10:00:00,8503000:0:9,1
        T2,10:53:00,11:06:00,8500010:0:7,2
        T2,11:13:00,11:15:00,8500090:0:5,3
        T2,11:47:00,11:47:00,8010005,4
        T3,12:00:00,12:00:00,8503000:0:9,1
        T3,12:53:00,12:53:00,8500010:0:7,2
        T4,12:56:00,12:56:00,8500010:0:7,1
        T4,13:30:00,13:30:00,8010005,2
    """,
    "calendar": CALENDAR,
    "transfers": """
        from_stop_id,to_stop_id,from_route_id,to_route_id,from_trip_id,to_trip_id,transfer_type,min_transfer_time
        8500010,8500010,,,,,2,300
        8500090:0:5,8500090:0:5,,,,,2,180
        ,,,,T3,T4,4,
        8500010:0:7,8500010:0:7,R1,,T1,T3,2,600
        8500090,8500090,,R1,T1,,1,
    """,
    "levels": """
        level_id,level_index,level_name
        L0,0,Street
    """,
    "pathways": """
        pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional,length
        P1,8500010:E,8500010:0:7,1,1,40
    """,
    "shapes": """
        shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence
        SH,47.37819,8.54019,1
        SH,47.54741,7.58956,2
        SH,47.56729,7.60695,3
        SH,47.99770,7.84130,4
    """,
    "translations": """
        table_name,field_name,language,translation,record_id,record_sub_id,field_value
        stops,stop_name,fr,Bâle CFF,8500010,,
        stops,stop_name,fr,Zurich gare,,,Zürich HB
        trips,trip_headsign,fr,Fribourg-en-Brisgau,T2,,
        routes,route_long_name,fr,Zurich - Fribourg,R1,,
        agency,agency_name,fr,Rail Ouest,A1,,
        feed_info,feed_publisher_name,fr,Ouest,,,
    """,
    "attributions": """
        attribution_id,agency_id,route_id,trip_id,organization_name,is_operator
        AT,,,T1,West crews,1
        AR,,R1,,West tracks,1
    """,
    "feed_info": """
        feed_publisher_name,feed_publisher_url,feed_lang,feed_version
        West Rail,https://west.example,de,7
    """,
    "booking_rules": """
        booking_rule_id,booking_type,prior_notice_last_day,prior_notice_last_time,prior_notice_service_id,phone_number
        BR,2,1,17:00:00,S1,+41 00
    """,
    "location_groups": """
        location_group_id,location_group_name
        G1,Villages
    """,
    "location_group_stops": """
        location_group_id,stop_id
        G1,8010005
    """,
    "networks": """
        network_id,network_name
        N1,West network
    """,
    "route_networks": """
        network_id,route_id
        N1,R1
    """,
    "stop_areas": """
        area_id,stop_id
        AREA,8500010
        AREA,8010005
    """,
    "fare_leg_rules": """
        leg_group_id,network_id,from_area_id,to_area_id,fare_product_id
        LEG,,AREA,AREA,SINGLE
    """,
    "fare_leg_join_rules": """
        from_network_id,to_network_id,from_stop_id,to_stop_id
        N1,N1,8500010,8500010
    """,
    **{name: text.format(currency="CHF", agency="A1") for name, text in FARES.items()},
}
EAST = {
    "agency": """
        agency_id,agency_name,agency_url,agency_timezone
        A1,East Rail,https://east.example,Europe/Berlin
    """,
    "stops": """
        stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station,platform_code,zone_id
        ch:ZH,Zürich Hbf,47.37830,8.54050,0,,,Z1
        ch:SBB,Basel SBB,47.54750,7.58970,0,,,Z1
        ch:23005:6,Basel Badischer Bahnhof,47.56708,7.60756,1,,,
        ch:23005:6:5,Basel Badischer Bahnhof,47.56709,7.60757,0,ch:23005:6,5,Z1
        ch:23005:6:8,Basel Badischer Bahnhof,47.56710,7.60758,0,ch:23005:6,8,Z1
        de:08311:6507,Freiburg Hauptbahnhof,47.99752,7.84172,1,,,
        de:08311:6507:1:1,Freiburg Hauptbahnhof,47.99753,7.84173,0,de:08311:6507,1,Z2
    """,
    "routes": """
        route_id,agency_id,route_short_name,route_long_name,route_type,network_id
        R1,A1,ICE,Basel - Freiburg,101,N1
        R2,A1,RE,Basel - Freiburg local,106,
    """,
    "trips": """
        route_id,service_id,trip_id,trip_headsign,trip_short_name
        R1,S1,T1,Freiburg,00076
        R1,S1,T2,Freiburg,00078
        R2,S1,T9,Freiburg,9
    """,
    "stop_times": """
        trip_id,arrival_time,departure_time,stop_id,stop_sequence
        T1,09:13:00,09:15:00,ch:23005:6:5,10
        T1,09:47:00,09:47:00,de:08311:6507:1:1,20
        T2,10:00:00,10:00:00,ch:ZH,10
        T2,10:53:00,11:06:00,ch:SBB,20
        T2,11:13:00,11:15:00,ch:23005:6:5,30
        T2,11:47:00,11:47:00,de:08311:6507:1:1,40
        T9,14:00:00,14:00:00,ch:23005:6:8,10
        T9,14:50:00,14:50:00,de:08311:6507:1:1,20
    """,
    "calendar_dates": DATES,
    "transfers": """
        from_stop_id,to_stop_id,from_trip_id,to_trip_id,transfer_type,min_transfer_time
        ch:23005:6,ch:23005:6,,,2,420
        ch:23005:6:5,ch:23005:6:8,T1,T9,1,
    """,
    "translations": """
        table_name,field_name,language,translation,record_id,record_sub_id,field_value
        stops,stop_name,fr,Fribourg,de:08311:6507,,
        stops,stop_name,fr,Bâle Badischer Bahnhof,ch:23005:6,,
    """,
    "attributions": """
        attribution_id,agency_id,route_id,trip_id,organization_name,is_authority
        AT,A1,,,East county,1
    """,
    "feed_info": """
        feed_publisher_name,feed_publisher_url,feed_lang,feed_version
        East Rail,https://east.example,de,3
    """,
    "stop_areas": """
        area_id,stop_id
        AREA,de:08311:6507
        AREA,ch:SBB
    """,
    "fare_leg_rules": """
        leg_group_id,network_id,from_area_id,to_area_id,fare_product_id
        LEG,N1,AREA,AREA,SINGLE
        LEG,,AREA,AREA,SINGLE
    """,
    **{name: text.format(currency="EUR", agency="A1") for name, text in FARES.items()},
}
NUMBER = {"column": "trip_short_name", "pattern": "0*([0-9]+)"}
