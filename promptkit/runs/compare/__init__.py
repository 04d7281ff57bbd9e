"""Ways of adapting a model, compared on the same rows: plan, cells, lines, verdict."""
