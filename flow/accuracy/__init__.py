"""The accuracy table: float, QKeras and integers of every trained network on its test set.

python flow/build.py accuracy        (or: make accuracy)

rows          which rows there are, where their data lie, the cache that keeps them
measure       one row
schema        the shape of reports/accuracy.json
table, publish     what is made of the rows
"""
