"""Files of rows answered by many workers, on one machine or on a cluster, with Ray Data.

``engine`` is the way through; it asks ``pieces`` how the file can be cut, ``cluster`` for workers,
and puts together what each ``worker`` left in ``blocks``.
"""
