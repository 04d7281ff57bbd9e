"""Ways from candidates to labels. To add one: a file here, and a line in VERBALIZERS."""

from promptkit.protocols import Verbalizer
from promptkit.registry import Registry

VERBALIZERS: Registry[Verbalizer] = Registry(
    "verbalizer",
    {
        "refined": "promptkit.verbalizers.refined:RefinedVerbalizer",
        "words": "promptkit.verbalizers.words:WordsVerbalizer",
    },
    seam=Verbalizer,
)

__all__ = ["VERBALIZERS"]
