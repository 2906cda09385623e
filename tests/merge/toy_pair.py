"""The toy pair Basel / Freiburg / Zürich of feeds-and-merging, section 16."""

SWISS = """
# agency.txt
agency_id,agency_name,agency_url,agency_timezone
11,SBB,https://example.org,Europe/Zurich
# stops.txt
stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station,platform_code,level_id
8503000,Zürich HB,47.37819,8.54019,1,,,
8503000:0:9,Zürich HB,47.37819,8.54019,0,8503000,9,
8500010,Basel SBB,47.54741,7.58956,1,,,
8500010:0:7,Basel SBB,47.54741,7.58956,0,8500010,7,L0
8500010:E,Centralbahnplatz,47.54760,7.58900,2,8500010,,L0
8500090,Basel Bad Bf,47.56729,7.60695,1,,,
8500090:0:5,Basel Bad Bf,47.56729,7.60695,0,8500090,5,
8010005,Freiburg (Breisgau) Hbf,47.99770,7.84130,0,,,
# levels.txt
level_id,level_index,level_name
L0,0,Ground
# pathways.txt
pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional,traversal_time
P1,8500010:E,8500010:0:7,1,1,120
# routes.txt
route_id,agency_id,route_short_name,route_long_name,route_type
R1,11,EC,,102
# trips.txt
trip_id,route_id,service_id,trip_short_name,block_id
T1,R1,S1,76,
T2,R1,S1,78,
T3,R1,S1,80,B1
T4,R1,S1,81,B1
# stop_times.txt
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
# calendar.txt
service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
S1,1,1,1,1,1,1,1,20261214,20261220
# transfers.txt
from_stop_id,to_stop_id,from_trip_id,to_trip_id,transfer_type,min_transfer_time
8500010,8500010,,,2,300
,,T3,T4,4,
# translations.txt
table_name,field_name,language,translation,record_id
stops,stop_name,fr,Bâle CFF,8500010
# feed_info.txt
feed_publisher_name,feed_publisher_url,feed_lang
Swiss publisher,https://example.org,de
"""

GERMAN = """
# agency.txt
agency_id,agency_name,agency_url,agency_timezone
1,DB Fernverkehr AG,https://example.org,Europe/Berlin
# stops.txt
stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station,platform_code
ch:ZH,Zürich Hbf,47.37830,8.54050,0,,
ch:SBB,Basel SBB,47.54750,7.58970,0,,
ch:23005:6,Basel Badischer Bahnhof,47.56708,7.60756,1,,
ch:23005:6:5,Basel Badischer Bahnhof,47.56708,7.60756,0,ch:23005:6,5
de:08311:6507,Freiburg Hauptbahnhof,47.99752,7.84172,1,,
de:08311:6507:1:1,Freiburg Hauptbahnhof,47.99752,7.84172,0,de:08311:6507,1
# routes.txt
route_id,agency_id,route_short_name,route_long_name,route_type
R1,1,EC,,101
# trips.txt
trip_id,route_id,service_id,trip_short_name
T1,R1,S1,00076
T2,R1,S1,00078
# stop_times.txt
trip_id,arrival_time,departure_time,stop_id,stop_sequence
T1,09:13:00,09:15:00,ch:23005:6:5,0
T1,09:47:00,09:47:00,de:08311:6507:1:1,1
T2,10:00:00,10:00:00,ch:ZH,0
T2,10:53:00,11:06:00,ch:SBB,1
T2,11:13:00,11:15:00,ch:23005:6:5,2
T2,11:47:00,11:47:00,de:08311:6507:1:1,3
# calendar_dates.txt
service_id,date,exception_type
S1,20261214,1
S1,20261215,1
S1,20261216,1
S1,20261217,1
S1,20261218,1
S1,20261219,1
S1,20261220,1
# feed_info.txt
feed_publisher_name,feed_publisher_url,feed_lang
German publisher,https://example.org,de
"""
