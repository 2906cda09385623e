"""Units, time, ids, money, notices, errors and settings: what every other package stands on."""
