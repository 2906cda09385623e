"""The timetable sheet: an XLSX workbook in place of a feed."""
