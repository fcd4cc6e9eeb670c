"""Fleet files: from their text to the charge points they ask for. Pure.

`source` and `reading` are the way in: ``read([Source(name="fleet.yaml", content=...)])``.
"""
