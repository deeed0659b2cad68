"""Grading on the workers of a dask cluster (``grader grade --dask``).

The client (``client.py``) packs a few submissions into a task (``packing.py``). In a worker of the
cluster the task (``tasks.py``) hands them to a grading process that stays alive from task to task
(``agent.py``): what dask starts is a thread in a daemonic process, and grading needs processes,
signals and a main thread of its own.
"""
