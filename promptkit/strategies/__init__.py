"""Ways of adapting a model to a task. To add one: a file here, and a line in STRATEGIES."""

from promptkit.protocols import Strategy
from promptkit.registry import Registry

STRATEGIES: Registry[Strategy] = Registry(
    "strategy",
    {
        "bitfit": "promptkit.strategies.bitfit:BitFit",
        "contrastive": "promptkit.strategies.contrastive:Contrastive",
        "features": "promptkit.strategies.features:Features",
        "full": "promptkit.strategies.full:Full",
        "generate": "promptkit.strategies.generate:Generate",
        "head": "promptkit.strategies.head:Head",
        "in_context": "promptkit.strategies.in_context:InContext",
        "instruct": "promptkit.strategies.instruct:Instruct",
        "lora": "promptkit.strategies.lora:LoRA",
        "majority": "promptkit.strategies.majority:Majority",
        "nearest_neighbour": "promptkit.strategies.nearest_neighbour:NearestNeighbour",
        "peft": "promptkit.strategies.peft_methods:PeftMethod",
        "preference": "promptkit.strategies.preference:Preference",
        "prompt_based": "promptkit.strategies.prompt_based:PromptBased",
        "random": "promptkit.strategies.random:Random",
        "self_training": "promptkit.strategies.self_training:SelfTraining",
        "tfidf": "promptkit.strategies.tfidf:Tfidf",
        "top_layers": "promptkit.strategies.top_layers:TopLayers",
        "two_stage": "promptkit.strategies.two_stage:TwoStage",
    },
    seam=Strategy,
)
#: Strategies of the same name that are others where words are tagged.
TAGGERS: Registry[Strategy] = Registry(
    "tagger", {"features": "promptkit.strategies.word_features:WordFeatures"}, seam=Strategy
)
