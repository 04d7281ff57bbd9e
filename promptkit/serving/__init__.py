"""A model behind HTTP: one process, one model, one thread that owns it.

The road of a request: `app` reads and checks it (`bodies`, `rows`), `waiting` holds its rows,
`worker` takes what waits as one batch and lets the model answer (`answering`), `app` sends the
answers. `service` holds all of it together, and `running` is the process around it.
"""
