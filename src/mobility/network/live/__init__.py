"""The running day: live messages matched to the region, and day slices that say how trains run.

`files` writes and reads its versions, `matching` makes them of messages; planners read only.
"""
