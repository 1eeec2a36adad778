"""Benchmarks: what the budgets of docs/benchmarks.md allow, measured (`make bench`).

Each script prints a table and puts its figures into `results.json`. A figure stands beside a
baseline of the same run, taken in alternating slices: the same machine is two to four times
slower at times, so only ratios within one run say anything. Nothing here is imported by the
product, and no test asserts a time.
"""
